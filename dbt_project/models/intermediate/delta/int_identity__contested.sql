-- Grain: one row per affected raw component in which a rule may bite.
-- If all of its edges could be accepted without breaking a rule, they are.
with component as (

    select * from {{ ref('int_identity__component') }}

),

counted as (

    select
        component_key,
        count(*) filter (where id_type in ('user_id', 'stripe_id')) > 1 as has_known,
        ({{ breaks_a_limit() }}) as is_over_limit
    from component
    group by component_key

),

cut as (

    select one.component_key
    from {{ hand_rules() }} as rule
    inner join component as one on rule.left_key = one.identifier_key
    inner join component as other on rule.right_key = other.identifier_key
    where rule.kind = 'cut' and one.component_key = other.component_key

),

edge as (

    select left_key, right_key, trust from {{ joining_edges() }} as joining

),

-- Two who are known, and a browser that joins: do servers alone join them, too?
doubtful as (

    select distinct component.component_key
    from edge
    inner join component on edge.left_key = component.identifier_key
    where
        edge.trust = 2
        and component.component_key in (
            select component_key from counted
            where has_known
        )

),

signed_edge as (

    select edge.left_key, edge.right_key
    from edge
    inner join component on edge.left_key = component.identifier_key
    where
        edge.trust < 2
        and component.component_key in (select component_key from doubtful)

),

signed_part as (

    select * from {{ connected_components('signed_edge') }}

),

joined_by_browser as (

    select component.component_key
    from component
    inner join doubtful on component.component_key = doubtful.component_key
    left join signed_part on component.identifier_key = signed_part.node_key
    where component.id_type in ('user_id', 'stripe_id')
    group by component.component_key
    having count(distinct coalesce(signed_part.label, component.identifier_key)) > 1

),

contested as (

    select component_key from counted
    where is_over_limit
    union
    select component_key from cut
    union
    select component_key from joined_by_browser

)

select * from contested
