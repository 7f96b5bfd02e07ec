-- Grain: one row per account (group id).
with event as (

    select * from {{ ref('event') }}
    where account_id is not null

),

seen as (

    select
        account_id,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_event_at,
        count(*) as events,
        count(distinct person_key) as persons
    from event
    group by account_id

),

named as (

    select * from {{ json_entries(
        "(select account_id, occurred_at, body_key, traits from event
        where event_type = 'group' and traits is not null)",
        'traits') }} as trait
    where entry_name = 'name' and entry_value is not null

),

name as (

    select
        account_id,
        max_by(entry_value, (occurred_at, body_key)) as name
    from named
    group by account_id

),

account as (

    select
        seen.account_id,
        name.name,
        seen.first_seen_at,
        seen.last_event_at,
        seen.events,
        seen.persons
    from seen
    left join name on seen.account_id = name.account_id

)

select * from account
