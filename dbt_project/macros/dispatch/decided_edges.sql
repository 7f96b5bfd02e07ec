{# The decisions on the edges of contested components (analytics/identity.py): component_key,
   left_key, right_key and rule, null where the edge is accepted.
   node: component_key, identifier_key, id_type. edge: component_key, left_key, right_key,
   trust, priority, observed_at (microseconds), event_id. #}
{% macro decided_edges(node, edge) %}
    {{- adapter.dispatch('decided_edges', 'growth_data_plane')(node, edge) -}}
{% endmacro %}

{% macro duckdb__decided_edges(node, edge) -%}
    (
        with nodes as (
            select component_key, list((identifier_key, id_type)) as found
            from {{ node }}
            group by component_key
        ),

        edges as (
            select
                component_key,
                list((trust, priority, observed_at, event_id, left_key, right_key)) as found
            from {{ edge }}
            group by component_key
        ),

        decided as (
            select
                nodes.component_key,
                unnest(decide_edges(nodes.found, edges.found, {{ limits_json() }})) as edge
            from nodes
            inner join edges on nodes.component_key = edges.component_key
        )

        select component_key, edge.left_key, edge.right_key, edge.rule from decided
    )
{%- endmacro %}
