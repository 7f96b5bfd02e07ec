{# The nodes of an undirected graph that can be reached from some of them, those too: one row
   per node.
   seeds: a relation with node_key; edges: one with left_key and right_key. #}
{% macro reached_nodes(seeds, edges) %}
    {{- adapter.dispatch('reached_nodes', 'growth_data_plane')(seeds, edges) -}}
{% endmacro %}

{# Engines differ in whether `union` may stand between the two parts. #}
{% macro default__reached_nodes(seeds, edges) -%}
    (
        with recursive neighbour as materialized (
            select left_key as node_key, right_key as neighbour_key from {{ edges }}
            union all
            select right_key, left_key from {{ edges }}
        ),

        reached (node_key) as (
            select node_key from {{ seeds }}
            union
            select neighbour.neighbour_key
            from reached
            inner join neighbour on reached.node_key = neighbour.node_key
        )

        select node_key from reached
    )
{%- endmacro %}
