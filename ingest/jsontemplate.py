"""The shortest way for plain JSON events: texts that are, byte for byte, what a template makes of their values.

Most files are written by one program: the same keys in the same order, with the same white space. If a text is found
again by putting its values into such a template, then it holds nothing else: no key twice, no key unknown, no value of
another type, no number that reads differently. Texts that are not go the longer way (``jsonsql``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.fields import JSON_KEYS, KINDS, Kind
from ingest.jsonshape import MAX_PLANNED_KEYS
from ingest.jsonsql import TextFacts, key_list, number_doubts, pointer, with_others
from ingest.landing_sql import RawRows
from ingest.strictjson import quote
from ingest.times import epoch_sql, text_time_sql
from models import limits
from warehouse.sql import quote_identifier, quote_literal

_OBJECTS = ("properties", "traits", "metadata")


@dataclass(frozen=True)
class Template:
    """The keys of a file's events in their order.

    ``quoted`` are those whose values are texts; ``optional`` those that are not in every event; ``is_spaced`` whether
    a space follows each comma and colon.
    """

    keys: tuple[str, ...]
    quoted: frozenset[str]
    optional: frozenset[str]
    is_spaced: bool

    @property
    def others(self) -> tuple[str, ...]:
        """The keys that no field answers to, as they stand in the properties."""
        return tuple(sorted(key for key in self.keys if key not in JSON_KEYS))


def template_of(texts: Sequence[str]) -> Template | None:
    """A template for texts like these, or None if they have too little in common."""
    events = [event for event in map(_plain_event, texts) if event]
    if len(events) < 0.9 * len(texts) or not events:
        return None
    order = merged_order(events)
    quoted = frozenset(key for key in order if _is_quoted(key, events))
    fields = [JSON_KEYS[key] for key in order if key in JSON_KEYS]
    first = order[0]
    if len(set(fields)) < len(fields) or len(order) > MAX_PLANNED_KEYS or not all(first in event for event in events):
        return None
    return Template(
        keys=tuple(order),
        quoted=quoted,
        optional=frozenset(key for key in order if not all(key in event for event in events)),
        is_spaced='": ' in texts[0],
    )


def merged_order(objects: Iterable[Mapping[str, Any]]) -> list[str]:
    """All keys of some objects, in an order that each of them keeps, if there is one."""
    order: list[str] = []
    for found in objects:
        place = 0
        for key in found:
            if key not in order:
                order.insert(place, key)
            place = order.index(key) + 1
    return order


def _plain_event(text: str) -> dict[str, Any] | None:
    try:
        event = json.loads(text)
    except ValueError:
        return None
    if not isinstance(event, dict) or "identifiers" in event or not all(map(str.isprintable, event)):
        return None
    return event


def _is_quoted(key: str, events: Sequence[dict[str, Any]]) -> bool:
    kind = KINDS.get(JSON_KEYS.get(key, ""))
    if kind is Kind.TIME:
        return any(isinstance(event.get(key), str) for event in events)
    return kind not in (None, Kind.OBJECT)


def templated_events(relation: str, template: Template, facts: TextFacts, shapes: Sequence[int] | None) -> RawRows:
    """The fields of the texts in ``relation`` (row_number, text) that the template finds again.

    ``shapes`` are those of objects that are known to hold no key twice; without them ``ok`` does not look at shapes.
    Column ``shape`` tells the shape.
    """
    known = [key for key in template.keys if key in JSON_KEYS]
    values = {key: f"value_{number}" for number, key in enumerate(known, start=1)}
    texts = {key: f"other_{number}" for number, key in enumerate(template.others, start=1)}
    columns: dict[str, str] = {}
    checks = [f"strlen(text) <= {limits.MAX_TEXT_BYTES}", f"{_made(template, values | texts)} = text"]
    for key, value in values.items():
        name = JSON_KEYS[key]
        columns[name] = value
        if KINDS[name] is Kind.TIME:
            columns[name] = text_time_sql(value) if key in template.quoted else epoch_sql(value)
            checks.append(f"({value} is null or {quote_identifier(name)} is not null)")
    if texts:
        columns["properties"] = with_others(columns.get("properties"), list(texts), list(texts.values()))
    objects = [f"coalesce({name}, '{{}}')" for name in _OBJECTS if name in columns]
    for value in objects:
        checks += [f"not ({' or '.join(number_doubts(value, facts))})", f"not contains(substring({value}, 2), '{{')"]
        if facts.has_escapes:
            checks.append(f"not contains({value}, '\\u0000')")
        if facts.has_arrays:
            checks.append(f"strlen({value}) <= {2 * limits.MAX_ELEMENTS}")
    shape = f"hash({', '.join(f'try(json_keys({value}))' for value in objects)})" if objects else "0::ubigint"
    if shapes is not None:
        checks.append(f"{shape} in ({', '.join(map(str, shapes))})" if shapes else "false")
    elements = ["row_number", "text", *_unpacked("x", values.values()), *_unpacked("z", texts.values())]
    # DuckDB computes a value anew for each use of it in a condition: what is used twice is a column of an inner query.
    sql = f"""
        select
            row_number, {", ".join(map(quote_identifier, columns))},
            coalesce({" and ".join(checks)}, false) as ok{f", {shape} as shape" if shapes is None else ""}
        from (
            select *, {", ".join(f"{value} as {quote_identifier(name)}" for name, value in columns.items())}
            from (
                select {", ".join(elements)}
                from (
                    select
                        row_number, text,
                        try(json_extract_string(text, {key_list([f"/{pointer(key)}" for key in known])})) as x,
                        {_json_texts(template.others)} as z
                    from {relation}
                )
            )
        )
    """
    # A text that is found again holds no escapes, but for those inside objects.
    return RawRows(sql, list(columns), is_plain=facts.is_ascii)


def _unpacked(values: str, names: Iterable[str]) -> list[str]:
    """The elements of a list as columns."""
    return [f"{values}[{number}] as {name}" for number, name in enumerate(names, start=1)]


def _json_texts(keys: Sequence[str]) -> str:
    paths = key_list([f"/{pointer(key)}" for key in keys])
    return f"try(json_extract(text, {paths}))::varchar[]" if keys else "null::varchar[]"


def _made(template: Template, values: dict[str, str]) -> str:
    """The text that the template makes of the values."""
    parts: list[str] = []
    text = "{"
    space = " " if template.is_spaced else ""
    for number, key in enumerate(template.keys):
        mark = '"' if key in template.quoted else ""
        head = ("," + space if number else "") + f"{quote(key)}:{space}{mark}"
        value = values[key] if mark or not template.is_spaced else spaced(values[key])
        if key in template.optional:
            member = f"coalesce({quote_literal(head)} || {value} || {quote_literal(mark)}, '')"
            parts += [quote_literal(text), member]
            text = ""
        else:
            parts += [quote_literal(text + head), value]
            text = mark
    return f"concat({', '.join([*parts, quote_literal(text + '}')])})"


def spaced(value: str) -> str:
    """A canonical JSON text with a space behind each colon, and each comma before a quote, as Python writes it.

    It may also change a value, or leave out a space in an array; then the text is not found again.
    """
    return f"replace(replace({value}, '\":', '\": '), ',\"', ', \"')"
