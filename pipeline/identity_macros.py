"""The identity rules as dbt macros: what the models ask of them, as portable SQL."""

from __future__ import annotations

from collections.abc import Iterable

from models.identity import ANY_TYPE, IdentityRules
from models.keys import email_sha256
from warehouse.sql import portable_literal

_HEADER = "{# The identity rules; a build replaces this file. #}\n"


def identity_macros(rules: IdentityRules) -> str:
    """The text of macros/generated/identity_rules.sql."""
    return _HEADER + _is_blocked(rules)


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
        "replace(replace({{ id_value }}, '0', ''), '-', '') = ''",
        *(
            f"({{{{ id_type }}}} = {portable_literal(type_)} and lower({{{{ id_value }}}}) in ({_literals(own)}))"
            for type_, own in sorted(values.items())
        ),
    ]
    body = "\n        or ".join(conditions)
    return f"{{% macro is_blocked(id_type, id_value) -%}}\n    (\n        {body}\n    )\n{{%- endmacro %}}\n"


def _literals(values: Iterable[str]) -> str:
    return ", ".join(map(portable_literal, values))
