-- Grain: one row per person and interval of constant status.
-- What the subscriptions say (trial, paid, churned) goes before what the person does.
{{ config(materialized='ephemeral') }}

with usage as (

    select * from {{ ref('int_person__usage') }}

),

billing as (

    select * from {{ ref('int_person__billing') }}
    where property = 'billing_status'

),

span as (

    select
        usage.person_key,
        case
            when billing.value in ('trial', 'churned') then billing.value
            when billing.value in ('paid', 'past_due') then 'paid'
            when usage.usage_status in ('new', 'active') then 'active'
            else 'inactive'
        end as status,
        greatest(usage.valid_from, billing.valid_from) as valid_from
    from usage
    inner join billing
        on
            usage.person_key = billing.person_key
            and (usage.valid_to is null or usage.valid_to > billing.valid_from)
            and (billing.valid_to is null or usage.valid_from < billing.valid_to)

),

compared as (

    select
        *,
        lag(status) over (
            partition by person_key order by valid_from nulls last
        ) as status_before
    from span

),

final as (

    select
        person_key,
        status,
        valid_from,
        lead(valid_from) over (
            partition by person_key order by valid_from nulls last
        ) as valid_to
    from compared
    where status is distinct from status_before

)

select * from final
