"""SQL that takes plain JSON events apart: first what keys and types each text has, then the values.

The first pass gives each text a *shape*: a hash of its keys and of the types of its values. One text of each shape is
judged in Python (``jsonshape``), and what is found holds for all of that shape. The second pass reads the values of
texts with a good shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.fields import JSON_KEYS, KINDS, Kind
from ingest.jsonshape import Plan
from ingest.landing_sql import RawRows
from ingest.strictjson import quote
from ingest.times import epoch_sql, text_time_sql
from models import limits
from warehouse.sql import quote_identifier, quote_literal

# A number whose text DuckDB would change: more than 15 digits, an exponent, below 10^-5, minus zero, NaN, infinity.
_NUMBER = r"(?:-?(?:[\d.]{17}|\d+(?:\.\d+)?[eE]|0\.00000|[nN][aA][nN]|[iI][nN][fF])|-0\s*[,}\]])"
# Each begins with a literal character: RE2 then jumps from one to the next instead of looking at every byte.
_AFTER_COMMA = rf",\s*(?:[}}\]]|{_NUMBER})"
_AFTER_COLON = rf":\s*{_NUMBER}"
_AFTER_BRACKET = rf"\[\s*{_NUMBER}"


@dataclass(frozen=True)
class TextFacts:
    """What is known of all texts of a block; each fact saves a check."""

    is_ascii: bool
    has_escapes: bool
    has_arrays: bool
    has_inner_objects: bool
    depth: int


def shapes_select(relation: str, plan: Plan, facts: TextFacts) -> str:
    """The query for ``row_number`` and ``shape`` of texts; the shape is null where the text needs a closer look."""
    doubts = [f"strlen(text) > {limits.MAX_TEXT_BYTES}", *number_doubts("text", facts)]
    if facts.has_arrays:
        # An array of more elements than are allowed has at least as many commas.
        commas = "strlen(text) - strlen(replace(text, ',', ''))"
        doubts.append(f"(strlen(text) > {2 * limits.MAX_ELEMENTS} and {commas} >= {limits.MAX_ELEMENTS})")
    if facts.has_escapes:
        doubts.append("contains(text, '\\u0000')")
    if facts.depth >= limits.MAX_DEPTH - 1:
        # What moves from the top into the properties gets one level deeper.
        brackets = "strlen(text) - strlen(replace(replace(text, '{', ''), '[', ''))"
        doubts.append(f"{brackets} >= {limits.MAX_DEPTH - 1}")
    parts = [
        f"try(json_keys(text, {key_list(['', *(f'/{pointer(key)}' for key in plan.object_keys)])}))",
        "try(json_type(text, '$.*'))",
    ]
    if plan.identifier_keys:
        parts.append("try(json_type(text, '$.identifiers.*'))")
    if facts.has_inner_objects:
        parts.append("try(json_keys(text, '$..*'))")
    # A text that is no JSON has no keys and no types: all of them share one shape, which is a bad one.
    return f"""
        select row_number, case when not ({" or ".join(doubts)}) then hash({", ".join(parts)}) end as shape
        from {relation}
    """


def number_doubts(text: str, facts: TextFacts, *, has_lone_commas: bool = True) -> list[str]:
    """The conditions under which a JSON text may hold a number that DuckDB writes in another way, or a lone comma.

    Where it is known that no comma stands alone, ``has_lone_commas`` is false.
    """
    in_arrays = [_AFTER_BRACKET] if facts.has_arrays else []
    patterns = [_AFTER_COLON, *([_AFTER_COMMA] if facts.has_arrays or has_lone_commas else []), *in_arrays]
    return [f"regexp_matches({text}, {quote_literal(pattern)})" for pattern in patterns]


def raw_events(relation: str, plan: Plan, facts: TextFacts) -> RawRows:
    """The fields of the JSON texts in ``relation`` (row_number, text), all of a shape that was found good."""
    known = [key for key in plan.keys if key in JSON_KEYS]
    paths = [f"/{pointer(key)}" for key in known]
    paths += [f"/identifiers/{pointer(key)}" for key in plan.identifier_keys]
    values = {key: f"x[{number}]" for number, key in enumerate(known, start=1)}
    inner = {key: f"x[{len(known) + number}]" for number, key in enumerate(plan.identifier_keys, start=1)}
    columns: dict[str, str] = {}
    for name, given in plan.spelled(values, inner).items():
        value = given[0] if len(given) == 1 else f"coalesce({', '.join(given)})"
        columns[name] = _moment(plan, name, value) if KINDS.get(name) is Kind.TIME else value
    checks = [f"({given} is null or {name} is not null)" for name, given in _times(plan, values).items()]
    other_paths = [f"/{pointer(key)}" for key in plan.others]
    if plan.others:
        texts = [f"z[{number}]" for number in range(1, len(plan.others) + 1)]
        columns["properties"] = with_others(columns.get("properties"), plan.others, texts)
    named = "".join(f", {quote_identifier(name)}" for name in columns)
    computed = "".join(f", {value} as {quote_identifier(name)}" for name, value in columns.items())
    # DuckDB computes a value anew for each use of it in a condition: what is used twice is a column of an inner query.
    sql = f"""
        select row_number{named}, {" and ".join(checks) or "true"} as ok
        from (
            select row_number, x{computed}
            from (
                select
                    row_number, text,
                    json_extract_string(text, {key_list(paths)}) as x,
                    {f"json_extract(text, {key_list(other_paths)})::varchar[]" if plan.others else "null"} as z
                from {relation}
            )
        )
    """
    custom = [name.removeprefix("custom:") for name in columns if name.startswith("custom:")]
    fields = [name for name in columns if not name.startswith("custom:")]
    return RawRows(sql, fields, custom, is_plain=facts.is_ascii and not facts.has_escapes)


def pointer(key: str) -> str:
    """A key as part of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def _times(plan: Plan, values: dict[str, str]) -> dict[str, str]:
    """The text of each time that a row may have."""
    return {
        name: f"coalesce({', '.join(values[key] for key in keys)})"
        for name, keys in plan.spellings.items()
        if KINDS.get(name) is Kind.TIME
    }


def _moment(plan: Plan, name: str, value: str) -> str:
    """The time in a value: a text in the form of RFC 3339, or an epoch number; digits in quotes are neither."""
    kinds = plan.time_kinds.get(name, frozenset())
    if kinds == {"text"}:
        return text_time_sql(value)
    if kinds == {"number"}:
        return epoch_sql(value)
    types = [f"json_type(text, {quote_literal('/' + pointer(key))})" for key in plan.spellings[name]]
    return f"case when 'VARCHAR' in ({', '.join(types)}) then {text_time_sql(value)} else {epoch_sql(value)} end"


def with_others(properties: str | None, keys: Sequence[str], values: Sequence[str]) -> str:
    """The properties, and behind them the keys that no field answers to."""
    parts = [f"{quote_literal(quote(key) + ':')} || {value}" for key, value in zip(keys, values, strict=True)]
    if properties:
        parts.insert(0, f"nullif(substring({properties}, 2, length({properties}) - 2), '')")
    return f"'{{' || concat_ws(',', {', '.join(parts)}) || '}}'"


def key_list(paths: list[str]) -> str:
    """JSON pointers as an SQL list."""
    return "[" + ", ".join(map(quote_literal, paths)) + "]::varchar[]"
