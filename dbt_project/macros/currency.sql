{# Currencies by the digits behind the point of an amount as Stripe tells it: ISO 4217, those
   it withdrew since 2017 too, but mga has none, and isk and ugx have hundredths that are
   never used. models/currency.py says the same. #}
{% macro currencies_by_digits() %}
    {{ return({
        0: [
            'bif', 'clp', 'djf', 'gnf', 'jpy', 'kmf', 'krw', 'mga', 'pyg', 'rwf', 'vnd',
            'vuv', 'xaf', 'xof', 'xpf',
        ],
        2: [
            'aed', 'afn', 'all', 'amd', 'ang', 'aoa', 'ars', 'aud', 'awg', 'azn', 'bam',
            'bbd', 'bdt', 'bgn', 'bmd', 'bnd', 'bob', 'brl', 'bsd', 'btn', 'bwp', 'byn',
            'bzd', 'cad', 'cdf', 'chf', 'cny', 'cop', 'crc', 'cup', 'cve', 'czk', 'dkk',
            'dop', 'dzd', 'egp', 'ern', 'etb', 'eur', 'fjd', 'fkp', 'gbp', 'gel', 'ghs',
            'gip', 'gmd', 'gtq', 'gyd', 'hkd', 'hnl', 'hrk', 'htg', 'huf', 'idr', 'ils',
            'inr', 'irr', 'isk', 'jmd', 'kes', 'kgs', 'khr', 'kpw', 'kyd', 'kzt', 'lak',
            'lbp', 'lkr', 'lrd', 'lsl', 'mad', 'mdl', 'mkd', 'mmk', 'mnt', 'mop', 'mro',
            'mru', 'mur', 'mvr', 'mwk', 'mxn', 'myr', 'mzn', 'nad', 'ngn', 'nio', 'nok',
            'npr', 'nzd', 'pab', 'pen', 'pgk', 'php', 'pkr', 'pln', 'qar', 'ron', 'rsd',
            'rub', 'sar', 'sbd', 'scr', 'sdg', 'sek', 'sgd', 'shp', 'sle', 'sll', 'sos',
            'srd', 'ssp', 'std', 'stn', 'svc', 'syp', 'szl', 'thb', 'tjs', 'tmt', 'top',
            'try', 'ttd', 'twd', 'tzs', 'uah', 'ugx', 'usd', 'uyu', 'uzs', 'ved', 'vef',
            'ves', 'wst', 'xcd', 'xcg', 'yer', 'zar', 'zmw', 'zwg',
        ],
        3: [
            'bhd', 'iqd', 'jod', 'kwd', 'lyd', 'omr', 'tnd',
        ],
    }) }}
{% endmacro %}

{# An amount of minor units in major ones; null in a currency that is not known. #}
{% macro stripe_major(amount, currency) -%}
    cast({{ amount }} * {{ major_per_minor(currency) }} as decimal(28, 15))
{%- endmacro %}

{# What a minor unit is in major ones; null for a currency that is not known. #}
{% macro major_per_minor(currency) -%}
    {%- set known = currencies_by_digits() -%}
    case
        {%- for digits, names in known.items() %}
        when {{ currency }} in ('{{ names | join("', '") }}')
            then cast({{ [1, 0.1, 0.01, 0.001][digits] }} as decimal(4, 3))
        {%- endfor %}
    end
{%- endmacro %}
