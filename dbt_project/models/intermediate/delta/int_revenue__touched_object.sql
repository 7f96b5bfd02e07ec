-- Grain: one row per object about money, and what it names, whose lines are made again.
-- A line may follow from all that hangs together with its object: a charge may be of
-- any invoice of its customer. So all of that is made again where something is told of
-- a part of it, where it is another person's, or has another rate.
with changed as (

    select line.object_key
    from {{ before('int_revenue__line', [
        'object_key bigint', 'stripe_customer_id string', 'subscription_key bigint',
        'currency string',
    ]) }} as line
    where
        line.stripe_customer_id in (
            select id_value from {{ ref('int_stripe__moved_owner') }}
            where id_type = 'stripe_id'
        )
        or line.subscription_key in (
            select subscription_key from {{ ref('int_mrr__moved_payer') }}
        )
        or line.currency in (select currency from {{ ref('int_fx__moved') }})

),

seed as (

    select object_key as node_key from changed
    union
    select object_key from {{ new_of(ref('int_stripe__invoice_delivery')) }}
    union
    select object_key from {{ new_of(ref('int_stripe__money_delivery')) }}

),

tie as (

    select object_key as left_key, named_key as right_key
    from {{ ref('int_revenue__tie') }}

),

reached as (
    {% if is_increment() %}
    select node_key from {{ reached_nodes('seed', 'tie') }} as reached_node
    {% else %}
    select node_key from seed
    {% endif %}

),

final as (

    select node_key as object_key from reached

)

select * from final
