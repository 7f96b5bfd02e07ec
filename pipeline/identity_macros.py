"""The identity rules as dbt macros: what the models ask of them, as portable SQL."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from models.identity import ANY_TYPE, IdentityRules
from models.keys import email_sha256
from warehouse.sql import portable_literal

_HEADER = "{# The identity rules; a build replaces this file. #}\n"


def identity_macros(rules: IdentityRules, *, known_at: datetime | None = None) -> str:
    """The text of macros/generated/identity_rules.sql.

    Args:
        rules: what holds.
        known_at: only what was received by then joins identifiers.
    """
    macros = {
        "is_blocked(id_type, id_value)": _is_blocked(rules),
        "hub_threshold()": str(rules.hub_threshold),
        "breaks_a_limit()": _breaks_a_limit(rules),
        "type_rank(id_type)": _type_rank(rules),
        "hand_rules()": _hand_rules(rules),
        "limits_json()": portable_literal(_limits_json(rules)),
        "is_known_to_identity()": _is_known(known_at),
    }
    return _HEADER + "".join(f"{{% macro {name} -%}}\n    {body}\n{{%- endmacro %}}\n" for name, body in macros.items())


def hand_keys(rules: IdentityRules) -> list[tuple[str, int, int]]:
    """The hand rules as (kind, smaller key, larger key)."""
    found = []
    for rule in rules.hand:
        left, right = sorted(rule.keys)
        found.append(("cut" if rule.cut else "link", left, right))
    return sorted(set(found))


def _is_known(known_at: datetime | None) -> str:
    """Whether a landed event may say who is who."""
    if known_at is None:
        return "true"
    return (
        f"coalesce(received_at, occurred_at) <= cast({portable_literal(known_at.isoformat())} as {{{{ time_type() }}}})"
    )


def _is_blocked(rules: IdentityRules) -> str:
    """Whether a value of a type identifies nobody; both are SQL expressions.

    An e-mail is asked for by its SHA-256 (type ``email``) or in full (type ``address``).
    """
    values: dict[str, list[str]] = {}
    for type_, value in rules.blocked_values:
        values.setdefault(type_, []).append(value)
    everywhere = values.pop(ANY_TYPE)
    addresses = values.get("email", [])
    values["email"] = [email_sha256(value) for value in (*everywhere, *addresses)]
    if addresses:
        values["address"] = addresses
    conditions = [
        f"lower({{{{ id_value }}}}) in ({_literals(everywhere)})",
        # Of zeros and dashes alone: most values sort behind them, which is told sooner.
        "({{ id_value }} < '1' and replace(replace({{ id_value }}, '0', ''), '-', '') = '')",
        *(
            f"({{{{ id_type }}}} = {portable_literal(type_)} and lower({{{{ id_value }}}}) in ({_literals(own)}))"
            for type_, own in sorted(values.items())
        ),
    ]
    return "(\n        " + "\n        or ".join(conditions) + "\n    )"


def _breaks_a_limit(rules: IdentityRules) -> str:
    """Whether a group of rows has more identifiers of a type than one person may have."""
    counts = [
        f"count(*) filter (where id_type = {portable_literal(type_)}) > {most}" for type_, most in rules.most.items()
    ]
    return "\n    or ".join(counts) or "false"


def _type_rank(rules: IdentityRules) -> str:
    """The place of a type in the order of priority."""
    ranks = " ".join(f"when {portable_literal(type_)} then {rank}" for rank, type_ in enumerate(rules.priority))
    last = len(rules.priority)
    return f"case {{{{ id_type }}}} {ranks} else {last} end" if ranks else str(last)


def _hand_rules(rules: IdentityRules) -> str:
    """The hand rules as a relation: kind (link or cut), left_key, right_key."""
    rows = "\n    ".join(
        f"union all select {portable_literal(kind)}, cast({left} as bigint), cast({right} as bigint)"
        for kind, left, right in hand_keys(rules)
    )
    return f"""(
    select
        cast(null as string) as kind,
        cast(null as bigint) as left_key,
        cast(null as bigint) as right_key
    where false
    {rows}
    )"""


def _limits_json(rules: IdentityRules) -> str:
    """What ``analytics.identity.Limits`` is made of."""
    cuts = [(left, right) for kind, left, right in hand_keys(rules) if kind == "cut"]
    return json.dumps({"most": rules.most, "cuts": cuts}, sort_keys=True)


def _literals(values: Iterable[str]) -> str:
    return ", ".join(map(portable_literal, values))
