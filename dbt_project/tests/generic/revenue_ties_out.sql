{# Paid invoices less refunds less lost disputes are what subscriptions and persons brought:
   every paid invoice is one payment, and what was paid for a subscription, and by a person,
   less what went back of it is its total. Of an increment, persons are those who are made
   again. #}
{% test revenue_ties_out(model) %}

with build as (

    select as_of from {{ ref('build_info') }}

),

line as (

    select * from {{ model }}
    where is_revenue

),

invoice as (

    select invoice.*
    from {{ ref('int_stripe__invoice') }} as invoice
    inner join build on coalesce(invoice.payment_at <= build.as_of, true)
    where invoice.status = 'paid' and coalesce(invoice.amount_minor <> 0, true)

),

of_invoice as (

    select coalesce(invoice.invoice_id, line.source_id) as whose
    from invoice
    full join (select * from line where kind = 'payment') as line
        on
            invoice.account = line.account
            and invoice.livemode = line.livemode
            and invoice.invoice_id = line.source_id
    where
        invoice.invoice_id is null
        or line.source_id is null
        or invoice.amount_minor is distinct from line.amount_minor

),

of_subscription as (

    select
        subscription_key,
        amount_minor * {{ major_per_minor('lower(currency)') }} as amount
    from invoice
    where subscription_key is not null
    union all
    select subscription_key, amount from line
    where kind <> 'payment' and subscription_key is not null

),

brought as (

    select subscription_key, cast(sum(amount) as decimal(38, 15)) as amount
    from of_subscription
    group by subscription_key

),

subscription as (

    select 'subscription ' || subscription.subscription_key as whose
    from {{ ref('subscription') }} as subscription
    left join brought on subscription.subscription_key = brought.subscription_key
    where subscription.total_revenue <> coalesce(brought.amount, 0)

),

spent as (

    select person_key, cast(sum(reporting_amount) as decimal(38, 15)) as amount
    from line
    where
        livemode
        and person_key is not null
        {% if is_partial() %} and {{ is_touched() }} {% endif %}
    group by person_key
    having count(uncounted_because) = 0 and count(unreported_because) = 0

),

property as (

    select
        property.person_key, cast(property.value as decimal(38, 15)) as amount
    from {{ ref('int_person__property') }} as property
    inner join build
        on
            property.valid_from <= build.as_of
            and (property.valid_to is null or property.valid_to > build.as_of)
    where property.property = 'total_spent'
        {% if is_partial() %} and {{ is_touched() }} {% endif %}

),

person as (

    select 'person ' || coalesce(spent.person_key, property.person_key) as whose
    from spent
    full join property on spent.person_key = property.person_key
    where spent.amount is distinct from property.amount

)

select * from of_invoice
union all
select * from subscription
union all
select * from person

{% endtest %}
