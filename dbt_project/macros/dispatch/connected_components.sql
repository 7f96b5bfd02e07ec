{# The connected components of an undirected graph: one row per node that has an edge, with
   the smallest key of its component as label.
   edges: a relation with left_key and right_key (bigint), each pair once. #}
{% macro connected_components(edges) %}
    {{- adapter.dispatch('connected_components', 'growth_data_plane')(edges) -}}
{% endmacro %}

{# By a function of Python (analytics/components.py) over all edges at once. #}
{% macro duckdb__connected_components(edges) -%}
    (
        with labelled as (
            select unnest(component_labels(list((left_key, right_key)))) as node
            from {{ edges }}
        )

        select node.node_key, node.label from labelled
    )
{%- endmacro %}

{# Without a function, for any engine that has `using key`.
   FastSV (Zhang, Azad, Buluc 2020): every node points to a smaller node of its component.
   In a round it, and what it points to, learn the smallest root in the neighbourhood, and
   pointers are halved, so that a chain of n nodes takes about log n rounds and not n. #}
{% macro default__connected_components(edges) -%}
    (
        with recursive neighbour as materialized (
            select left_key as node_key, right_key as neighbour_key from {{ edges }}
            union all
            select right_key, left_key from {{ edges }}
        ),

        component (node_key, label) using key (node_key) as (
            select node_key, least(node_key, min(neighbour_key)) from neighbour
            group by node_key
            union
            (
                with pointer as materialized (
                    select node.node_key, node.label, target.label as root
                    from recurring.component as node
                    inner join recurring.component as target
                        on node.label = target.node_key
                ),

                nearby as materialized (
                    select neighbour.node_key, min(pointer.root) as root
                    from neighbour
                    inner join pointer on neighbour.neighbour_key = pointer.node_key
                    group by neighbour.node_key
                ),

                proposal as (
                    select node_key, root from nearby
                    union all
                    select pointer.label, nearby.root
                    from nearby
                    inner join pointer on nearby.node_key = pointer.node_key
                    union all
                    select node_key, root from pointer
                )

                select proposal.node_key, min(proposal.root)
                from proposal
                inner join pointer on proposal.node_key = pointer.node_key
                where proposal.root < pointer.label
                group by proposal.node_key
            )
        )

        select node_key, label from component
    )
{%- endmacro %}
