-- Grain: one row: what this generation was built from.
-- The last table of a build; that it is there says that a build came to its end.
-- depends_on: {{ ref('event_conflict') }}
-- depends_on: {{ ref('event_daily') }}
-- depends_on: {{ ref('session') }}
-- depends_on: {{ ref('account') }}
-- depends_on: {{ ref('segment') }}
-- depends_on: {{ ref('segment_stay') }}
-- depends_on: {{ ref('int_stripe__subscription') }}
-- depends_on: {{ ref('int_mrr__movement') }}
-- depends_on: {{ ref('revenue_policy') }}
-- depends_on: {{ ref('fx_rate') }}
-- depends_on: {{ ref('int_revenue__line') }}
with build_info as (

    select
        as_of,
        generation,
        built_at,
        project_hash,
        definition_hashes,
        landing_hash,
        max_batch_seq,
        last_full_refresh
    from {{ source('inputs', 'build') }}

)

select * from build_info
