{# The places of tellings in the order of time, from 1 on, of each object of which updates of
   one second are a chain (analytics/chain.py): its key, batch_seq, row_number, chain_place.
   told: the key of the object, batch_seq, row_number, told_at, is_snapshot, type_rank,
   is_over, delivery_id, body_key, before_key and after_key: states before and after. #}
{% macro placed_tellings(told, key) %}
    {{- adapter.dispatch('placed_tellings', 'growth_data_plane')(told, key) -}}
{% endmacro %}

{% macro duckdb__placed_tellings(told, key) -%}
    (
        with crowded as (
            select {{ key }}
            from {{ told }}
            where type_rank = 1 and not is_snapshot
            group by {{ key }}, date_trunc('second', told_at)
            having min(after_key) <> max(after_key) and bool_or(before_key <> after_key)
        ),

        history as (
            select
                {{ key }},
                list((
                    batch_seq, row_number, epoch_us(told_at), is_snapshot, type_rank,
                    is_over, delivery_id, body_key, before_key, after_key
                )) as tellings
            from {{ told }}
            where {{ key }} in (select {{ key }} from crowded)
            group by {{ key }}
        ),

        placed as (
            select {{ key }}, unnest(place_tellings(tellings)) as telling from history
        )

        select {{ key }}, telling.batch_seq, telling.row_number, telling.place as chain_place
        from placed
    )
{%- endmacro %}
