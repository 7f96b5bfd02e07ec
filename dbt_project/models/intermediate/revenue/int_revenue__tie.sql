-- Grain: one row per object about money and customer, charge, payment intent or invoice
-- that it names, of the batch that named it first.
{{ config(materialized='incremental', pre_hook="{{ forget_new_stripe() }}") }}

{%- set published = before('int_revenue__tie', [
    'object_key bigint', 'named_key bigint',
]) %}

with invoice as (

    select * from {{ new_of(ref('int_stripe__invoice_delivery')) }}

),

payment as (

    select batch_seq, account, livemode, object_key, payments
    from invoice
    where payments is not null

),

listed as (

    select *
    from {{ json_fields(
        json_elements('payment', 'payments'), 'element', stripe_payment_fields()
    ) }}

),

named as (

    select
        batch_seq,
        account,
        livemode,
        object_key,
        customer_id,
        charge_id,
        intent_id,
        cast(null as string) as invoice_id
    from invoice
    union all
    select
        batch_seq, account, livemode, object_key, null, charge_id, intent_id, null
    from listed
    union all
    select
        batch_seq,
        account,
        livemode,
        object_key,
        customer_id,
        case when object_type <> 'charge' then charge_id end,
        intent_id,
        invoice_id
    from {{ new_of(ref('int_stripe__money_delivery')) }}

),

tie as (
    {% for kind in ['customer', 'charge', 'intent', 'invoice'] %}
    select
        batch_seq,
        object_key,
        {{ stripe_object_key("'" ~ kind ~ "'", kind ~ '_id') }} as named_key
    from named
    where {{ kind }}_id is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

first_tie as (

    select min(tie.batch_seq) as batch_seq, tie.object_key, tie.named_key
    from tie
    left join {{ published }} as published
        on
            tie.object_key = published.object_key
            and tie.named_key = published.named_key
    where published.object_key is null
    group by tie.object_key, tie.named_key

)

select * from first_tie
