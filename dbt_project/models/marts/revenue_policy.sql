-- Grain: one row per revenue policy.
with policy as (
    {% for policy in revenue_policies() %}
    select
        '{{ policy.name }}' as policy,
        '{{ policy.name }}' = '{{ default_policy() }}' as is_default,
        '{{ policy.statuses | join(" ") }}' as statuses,
        '{{ policy.durations | join(" ") }}' as discount_durations
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from policy
