{# The identity rules; a build replaces this file. #}
{% macro is_blocked(id_type, id_value) -%}
    (
        lower({{ id_value }}) in ((''), '(not set)', '(null)', '-1', '9774d56d682e549c', '[object object]', 'anonymous', 'false', 'guest', 'n/a', 'nan', 'nil', 'none', 'not set', 'null', 'true', 'undefined', 'unknown')
        or ({{ id_value }} < '1' and replace(replace({{ id_value }}, '0', ''), '-', '') = '')
        or ({{ id_type }} = 'email' and lower({{ id_value }}) in ('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '34292f4267fcc40572e19d90988467838747a21321372edf934e1d1c0f3e65f2', '2874d7800fecae20844f682696920b2853453cd32c47e1362a776203d0229b14', '1bad6b8cf97131fceab8543e81f7757195fbb1d36b376ee994ad1cf17699c464', '4d853cd5e7d688e75b3dca9abc2fa52ac8bafb750b6d4dc01b78e2e7bb335f8f', 'c9a560c74de368dcd2e6ac5544ad12a9afd32584b71a52147303479f726e0408', '2f183a4e64493af3f377f745eda502363cd3e7ef6e4d266d444758de0a85fcc8', 'fcbcf165908dd18a9e49f7ff27810176db8e9f63b4352213741664245224f8aa', '84983c60f7daadc1cb8698621f802c0d9f9a3c3c295c810748fb048115c186ec', 'a683c5c5349f6f7fb903ba8a9e7e55d0ba1b8f03579f95be83f4954c33e81098', '9b2d5b4678781e53038e91ea5324530a03f27dc1d0e5f6c9bc9d493a23be9de0', '5da3a4c7f117944275b4c8629c4916403625d5a4a6573a01ecb03f0e9d2edbe6', '140bedbf9c3f6d56a9846d2ba7088798683f4da0c248231336e6a05679e4fdfe', '1aef939917215ce780284dd9047f170482753bbe40a0998b3decb2f02c2606ac', '74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b', 'b5bea41b6c623f7c09f1bf24dcae58ebab3c0cdd90ad966bc43a45b44867e12b', 'eb045d78d273107348b0300c01d29b7552d622abbc6faf81b3ec55359aa9950c', 'b23a6a8439c0dde5515893e7c90c1e3233b8616e634470f20dc4928bcf3609bc'))
    )
{%- endmacro %}
{% macro hub_threshold() -%}
    10
{%- endmacro %}
{% macro breaks_a_limit() -%}
    count(*) filter (where id_type = 'user_id') > 1
    or count(*) filter (where id_type = 'stripe_id') > 5
    or count(*) filter (where id_type = 'email') > 5
    or count(*) filter (where id_type = 'google_id') > 5
    or count(*) filter (where id_type = 'github_id') > 5
{%- endmacro %}
{% macro type_rank(id_type) -%}
    case {{ id_type }} when 'user_id' then 0 when 'email' then 1 when 'stripe_id' then 2 when 'google_id' then 3 when 'github_id' then 4 when 'anonymous_id' then 5 when 'device_id' then 6 else 7 end
{%- endmacro %}
{% macro hand_rules() -%}
    (
    select
        cast(null as string) as kind,
        cast(null as bigint) as left_key,
        cast(null as bigint) as right_key
    where false
    
    )
{%- endmacro %}
{% macro limits_json() -%}
    (chr(123) || '"cuts": [], "most": ' || chr(123) || '"email": 5, "github_id": 5, "google_id": 5, "stripe_id": 5, "user_id": 1' || chr(125) || chr(125))
{%- endmacro %}
{% macro is_known_to_identity() -%}
    true
{%- endmacro %}
