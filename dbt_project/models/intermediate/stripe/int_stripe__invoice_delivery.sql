-- Grain: one row per delivery that carries an invoice: what it says of it.
{{ config(materialized='incremental', pre_hook="{{ forget_new_stripe() }}") }}

with delivery as (

    select * from {{ ref('stg_stripe__delivery') }}
    where object_type = 'invoice'

),

said as (

    select * from {{ json_fields('delivery', 'object', stripe_invoice_fields()) }}

),

-- Of a paid one, the line that costs most says what was bought.
lined as (

    select
        *,
        {{ stripe_subscription_digest('subscription_id') }} as digest,
        coalesce(invoice_status, case when paid_flag = 'true' then 'paid' end)
            as status,
        coalesce(status = 'paid', false) as is_paid,
        case
            when is_paid
                then {{ json_largest(json_part('object', 'lines.data'), 'amount') }}
        end as line
    from said

),

named as (

    select * from {{ json_fields('lined', 'line', stripe_line_fields()) }}

),

invoice as (

    select
        batch_seq,
        row_number,
        landed_at,
        account,
        livemode,
        object_id as invoice_id,
        {{ stripe_object_key("'invoice'", 'object_id') }} as object_key,
        subscription_id,
        case when subscription_id is not null then {{ key_of('digest') }} end
            as subscription_key,
        customer_id,
        delivery_id,
        is_snapshot,
        event_type,
        type_rank,
        told_at,
        status,
        is_paid,
        {{ money_progress() }} as progress,
        coalesce(event_type = 'invoice.payment_failed', false) as is_failure,
        coalesce(
            {{ epoch_time('paid_text') }},
            case
                when event_type in ('invoice.paid', 'invoice.payment_succeeded')
                    then told_at
            end,
            {{ epoch_time('created_text') }}
        ) as payment_at,
        {{ stripe_integer('amount_paid_text') }} as amount_minor,
        currency,
        coalesce(
            {{ stripe_integer('tax_text') }},
            case when is_paid then {{ json_sum('taxes', 'amount') }} end
        ) as tax_minor,
        charge_id,
        intent_id,
        payments,
        plan_id,
        plan_name,
        product_id,
        billing_reason,
        attempt_count,
        body_key
    from named

)

select * from invoice
