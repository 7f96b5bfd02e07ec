"""SQL that takes the deliveries of a service apart: envelopes, batches, the shape of each message, its values.

The *shape* of a message is a hash of all its keys, of the types of the values that are read, and of the text that says
what kind of message it is. What is found out for a few messages of a shape (``ingest/bulk.py``) holds for all of
it: what a value itself may do wrong is left to the conditions of the SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime

from ingest.delivery import opened_deliveries
from ingest.jsonsql import TextFacts, key_list, number_doubts, pointer, with_others
from ingest.landing_sql import RawRows
from ingest.times import TimeRange, text_time_sql
from models import limits
from warehouse.sql import quote_identifier, quote_literal

#: The keys from the top of a message down to a value.
Path = tuple[str, ...]


@dataclass
class Reader:
    """Hands out SQL expressions for the values of a message, and notes which values are asked for.

    Besides, ``received_at`` and ``channel`` are what the envelope says of the receipt, or null. ``present`` are the
    values that occur at all, if that is known: no other is looked for.
    """

    present: Set[Path] | None = None
    texts: dict[Path, str] = field(default_factory=dict)
    values: dict[Path, str] = field(default_factory=dict)

    def text(self, *path: str) -> str:
        """The text of a string (of anything else its JSON text); null for null and where there is none."""
        return self._element(self.texts, "x", path)

    def json(self, *path: str) -> str:
        """The canonical JSON text of a value; null where there is none, ``'null'`` for null."""
        return self._element(self.values, "z", path)

    def _element(self, asked: dict[Path, str], name: str, path: Path) -> str:
        if self.present is not None and path not in self.present:
            return "null::varchar"
        return asked.setdefault(path, f"{name}[{len(asked) + 1}]")

    def shared(self, key: str) -> str:
        """The text that a batch says for its messages under one of ``SqlReading.shared_keys``."""
        return quote_identifier(f"shared_{key}")

    def typed(self) -> list[Path]:
        """The values whose types are part of a shape: those that are read as texts, and whatever they stand in."""
        return [*dict.fromkeys(path[:depth] for path in self.texts for depth in range(1, len(path) + 1)), *self.values]

    def handled(self, path: Path) -> set[str]:
        """The keys of an object that are asked for themselves."""
        return {asked[-1] for asked in (*self.texts, *self.values) if asked[:-1] == path and asked}


@dataclass(frozen=True)
class MessageSql:
    """What SQL reads of a message.

    ``columns`` are expressions by field (``landing_sql.RawRows``), ``conditions`` say when they are right; where one is
    not true, the message goes the exact way.
    """

    columns: Mapping[str, str]
    conditions: Sequence[str]


@dataclass(frozen=True)
class BatchForm:
    """What a batch looks like to SQL: the key of its messages, keys of texts for all of them, and keys to leave out."""

    key: str
    shared: Sequence[str]
    secrets: Sequence[str]


@dataclass(frozen=True)
class SqlReading:
    """How SQL reads the messages of a service.

    It need not read them all: where one of its conditions is not true, the message goes the exact way
    (``service.Service.to_event``). But what it does read must come out as there. ``ingest/bulk.py`` compares both on a
    few messages of each shape, so a key or a type that the SQL does not know is found out; what one value does and
    another of its type does not is for the conditions.

    Attributes:
        shared_keys: keys of a batch that SQL reads, where they hold texts; a batch with any other goes the exact way.
        kind: where the text stands that says what kind of message one is.
        opened: the objects of a message (the message itself is ``()``) whose keys are taken apart; those that nothing
            asks for are learnt from the messages.
        columns: makes the expressions. It is given a reader, of which it asks the same values on every call besides the
            learnt ones; for each of ``opened`` the learnt keys; and when deliveries were received that do not say so.
    """

    shared_keys: tuple[str, ...]
    kind: Path
    opened: tuple[Path, ...]
    columns: Callable[[Reader, Mapping[Path, Sequence[str]], datetime | None], MessageSql]

    def asked(self) -> Reader:
        """A reader that has been asked for everything but the keys that are learnt."""
        reader = Reader()
        self.columns(reader, dict.fromkeys(self.opened, ()), None)
        return reader

    def unhandled(self, path: Path, keys: Iterable[str], secrets: Set[str]) -> list[str]:
        """Of the keys of one of the opened objects, those that nothing asks for; a secret is not to be asked for."""
        inner = {opened[-1] for opened in self.opened if opened and opened[:-1] == path}
        passed = self.asked().handled(path) | inner | (secrets if not path else frozenset())
        return [key for key in keys if key not in passed and key.isprintable()]


def object_sql(values: Mapping[str, str]) -> str:
    """A JSON object of canonical texts, keys in order, without those that are null; null if it is empty."""
    keys = sorted(values)
    return f"nullif({with_others(None, keys, [values[key] for key in keys])}, '{{}}')" if keys else "null::varchar"


def messages_sql(texts: str, form: BatchForm, shape: str, times: TimeRange, facts: TextFacts) -> str:
    """The query for the messages of deliveries: id, line, place, text, shape, received_at, channel, shared texts.

    It leaves out deliveries that are not surely JSON, or hold no message, or whose batches hold anything but messages
    and shared texts. ``shape`` is what ``shape_sql`` gave.
    """
    shared = [quote_identifier(f"shared_{key}") for key in form.shared]
    said = "".join(f", {name}" for name in shared)
    texts_of_shared = "".join(
        f", case when is_batch then json_extract_string(body, {quote_literal(pointer_of((key,)))}) end as {name}"
        for key, name in zip(form.shared, shared, strict=True)
    )
    batch = f"json_extract(body, {quote_literal('$.' + quote_identifier(form.key) + '[*]')})::varchar[]"
    return f"""
        select row_number() over () as id, line, place, text, {shape} as shape, received_at, channel{said}
        from (
            select *, case when place is null then body_keys else json_keys(text) end as keys
            from (
                select line, unnest(range(1, len(messages) + 1)) as ordinal, unnest(messages) as text,
                    case when is_batch then ordinal end as place, body_keys, received_at, channel{said}
                from (
                    select row_number as line, received_at, channel, is_batch, body_keys{texts_of_shared},
                        case when is_batch then {batch} else [body] end as messages
                    from ({_opened_sql(texts, form)})
                    where {" and ".join(_plain_delivery(form, times, facts))}
                )
            )
        )
    """


def _opened_sql(texts: str, form: BatchForm) -> str:
    """Deliveries out of their envelopes, their keys, and whether they are batches."""
    has_key = f"list_contains(body_keys, {quote_literal(form.key)})"
    type_ = f"json_type(body, {quote_literal(pointer_of((form.key,)))})"
    return f"""
        select *,
            case when {has_key} then {type_} = 'ARRAY' else false end as is_batch,
            {text_time_sql("received_text")} as received_at
        from (select *, try(json_keys(body)) as body_keys from ({opened_deliveries(texts)}))
    """


def _plain_delivery(form: BatchForm, times: TimeRange, facts: TextFacts) -> Iterator[str]:
    """What holds for a delivery that SQL may take apart."""
    first, last = (f"timestamptz {quote_literal(time.isoformat())}" for time in (times.earliest, times.latest))
    yield "body_keys is not null and starts_with(body, '{')"
    yield f"(received_text is null or received_at between {first} and {last})"
    yield "(received_text is not null or not list_has_all(body_keys, ['received_at', 'body']))"
    allowed = key_list([form.key, *form.shared, *form.secrets])
    yield f"(not is_batch or (len(list_distinct(body_keys)) = len(body_keys) and list_has_all({allowed}, body_keys)))"
    for key in form.shared:
        type_ = f"json_type(body, {quote_literal(pointer_of((key,)))})"
        yield f"(not is_batch or coalesce({type_}, 'NULL') in ('NULL', 'VARCHAR'))"
    for doubt in number_doubts("body", facts):
        yield f"not {doubt}"
    if facts.has_escapes:
        yield "not contains(body, '\\u0000')"


def shape_sql(reader: Reader, kind: Path, facts: TextFacts) -> str:
    """The shape of a message of which ``text`` and ``keys`` are known; null where its text needs a closer look."""
    pointers = key_list([pointer_of(path) for path in reader.typed()])
    parts = (
        "keys",
        "json_keys(text, '$..*')",
        f"json_type(text, {pointers})",
        f"json_extract_string(text, {quote_literal(pointer_of(kind))})",
    )
    return f"case when not ({' or '.join(size_doubts(facts))}) then hash({', '.join(parts)}) end"


def size_doubts(facts: TextFacts) -> list[str]:
    """The conditions under which the ``text`` of a message may hold more, or go deeper, than is allowed."""
    doubts = [f"strlen(text) > {limits.MAX_TEXT_BYTES}"]
    if facts.has_arrays:
        # An array of more elements than are allowed has at least as many commas.
        commas = "strlen(text) - strlen(replace(text, ',', ''))"
        doubts.append(f"(strlen(text) > {2 * limits.MAX_ELEMENTS} and {commas} >= {limits.MAX_ELEMENTS})")
    if facts.depth >= limits.MAX_DEPTH - 2:
        # What moves into the metadata gets one level deeper, or two.
        brackets = "strlen(text) - strlen(replace(replace(text, '{', ''), '[', ''))"
        doubts.append(f"{brackets} >= {limits.MAX_DEPTH - 2}")
    return doubts


def raw_messages(relation: str, reader: Reader, sql: MessageSql, facts: TextFacts) -> RawRows:
    """The fields of the messages in a relation (row_number, text, received_at, shared texts)."""
    texts = key_list([pointer_of(path) for path in reader.texts])
    values = key_list([pointer_of(path) for path in reader.values])
    opened = f"""
        select *, json_extract_string(text, {texts}) as x, json_extract(text, {values})::varchar[] as z
        from {relation}
    """
    return raw_rows(opened, sql, is_plain=facts.is_ascii and not facts.has_escapes)


def raw_rows(query: str, sql: MessageSql, *, is_plain: bool) -> RawRows:
    """The fields of the messages in a query, which has what their expressions name."""
    selected = ", ".join(f"{value} as {quote_identifier(name)}" for name, value in sql.columns.items())
    query = f"select row_number, {selected}, coalesce({' and '.join(sql.conditions)}, false) as ok from ({query})"
    custom = [name.removeprefix("custom:") for name in sql.columns if name.startswith("custom:")]
    fields = [name for name in sql.columns if not name.startswith("custom:")]
    return RawRows(query, fields, custom, is_plain=is_plain)


def pointer_of(path: Path) -> str:
    """A path as a JSON pointer (RFC 6901)."""
    return "".join(f"/{pointer(key)}" for key in path)
