-- Grain: one row per landed delivery of an event.
-- depends_on: {{ source('landing', 'event') }}
with landed as (

    select * from {{ landed('event') }}

),

delivery as (

    select
        batch_seq,
        coalesce(row_number, file_row_number) as row_number,
        landed_at,
        source,
        event_id,
        source_id,
        event_type,
        occurred_at,
        received_at,
        user_id,
        anonymous_id,
        device_id,
        email,
        email_sha256,
        stripe_id,
        google_id,
        github_id,
        custom_ids,
        session_id,
        account_id,
        ip_address,
        user_agent,
        utm_source,
        utm_medium,
        utm_campaign,
        utm_content,
        utm_term,
        properties,
        traits,
        metadata,
        body_key
    from landed

)

select * from delivery
