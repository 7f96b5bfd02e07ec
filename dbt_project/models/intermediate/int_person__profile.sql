-- Grain: one row per person: its id and what its traits say at the end of all events.
{{ config(materialized='incremental', pre_hook="{{ forget_touched() }}") }}

with survivor as (

    select owner.person_key, {{ alias_of('identifier') }} as person_id
    from {{ touched(ref('int_identity__owner')) }} as owner
    inner join {{ ref('int_identity__identifier') }} as identifier
        on owner.person_key = identifier.identifier_key
    where
        owner.identifier_key = owner.person_key
        and owner.valid_from is null
        and owner.person_key in (select person_key from {{ ref('int_person__stat') }})

),

trait as (

    select * from {{ touched(ref('int_person__property')) }}
    where valid_to is null

),

profile as ({{ person_profiles('trait') }}),

last_word as (

    select person_key, max(valid_from) as last_said_at
    from trait
    where property not in ({{ quoted(computed_properties()) }})
    group by person_key

),

final as (

    select
        survivor.person_key,
        survivor.person_id,
        profile.email,
        profile.name,
        profile.company,
        profile.industry,
        profile.metadata,
        last_word.last_said_at
    from survivor
    left join profile on survivor.person_key = profile.person_key
    left join last_word on survivor.person_key = last_word.person_key

)

select * from final
