"""SQL that lands rows in bulk: takes those that are plainly in order, and leaves every other row to ``eventcheck``.

The SQL never refuses. A row passes if nothing about it could be wrong or need more than lower-casing, and then it
comes out as ``eventcheck`` would bring it out; the reason why another does not pass is found there, row by row.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ingest.eventcheck import Rules
from ingest.fields import CHOICES, KINDS, REQUIRED, Kind
from ingest.strictjson import quote
from models import limits
from models.landing import BODY_COLUMNS
from warehouse.sql import quote_identifier, quote_literal

CONTENT = tuple(column.name for column in BODY_COLUMNS)
TYPES = {column.name: column.type for column in BODY_COLUMNS}

#: What one row of an input is before its key is computed, and after.
CHECKED: dict[str, str] = {"row_number": "BIGINT", **TYPES, "received_at": "TIMESTAMPTZ"}
KEYED: dict[str, str] = {**CHECKED, "body_key": "BIGINT"}

#: Checks of one value. A text without escapes from a JSON file of plain ASCII holds no control characters.
MACROS = (
    f"""
    create temp macro plain_id(v) as
        strlen(v) between 1 and {limits.MAX_ID_BYTES} and not starts_with(v, ' ') and not ends_with(v, ' ')
    """,
    f"""
    create temp macro any_id(v) as
        strlen(v) between 1 and {limits.MAX_ID_BYTES} and nfc_normalize(v) = v and not contains(v, chr(0))
        and not regexp_matches(v, '^[\\p{{Z}}\\p{{Cc}}]|[\\p{{Z}}\\p{{Cc}}]$')
    """,
    # Python and SQL differ in the lower case of these two letters only (one by its place in the word).
    "create temp macro any_event_type(v) as any_id(v) and not contains(v, 'İ') and not contains(v, 'Σ')",
    f"""
    create temp macro is_address(v) as
        strlen(v) <= {limits.MAX_ID_BYTES} and regexp_full_match(v, '[!-?A-~]+@[!-?A-~]+')
    """,
    "create temp macro is_sha256(v) as regexp_full_match(v, '[0-9a-f]{64}')",
    # What a JSON text is, by its first character: minus (45) to nine (57) begins a number, f (102) is taken for a t.
    """
    create temp macro json_class(v) as
        case when ascii(v) between 45 and 57 then 45 when ascii(v) = 102 then 116 else ascii(v) end
    """,
    f"create temp macro any_text(v) as strlen(v) <= {limits.MAX_TEXT_BYTES} and not contains(v, chr(0))",
)


@dataclass(frozen=True)
class RawRows:
    """A query for rows as they came, with a column for each field that the input has.

    Columns: ``row_number``; ``ok``, false where something else than a field's value is doubtful; one for each of
    ``fields``, by its name: text for identifiers, texts and choices, TIMESTAMPTZ for times, canonical JSON text for
    objects; and ``custom:<name>`` for each of ``custom``. ``is_plain`` says that no text holds anything but printable
    ASCII.
    """

    sql: str
    fields: Collection[str]
    custom: Sequence[str] = ()
    is_plain: bool = False


def landed_select(raw: RawRows, rules: Rules, *, is_trusted: bool = False) -> str:
    """The query for the landed form of those rows that are plainly in order; of all rows, if they are trusted.

    Its columns are those of ``KEYED``.
    """
    conditions = "true" if is_trusted else "\n        and ".join(["ok", *_conditions(raw, rules)])
    content = ",\n        ".join(f"{landed_value(name, raw, rules)} as {name}" for name in CONTENT)
    return f"""
with raw_rows as (
    {raw.sql}
),
plain as (
    select
        row_number,
        {content},
        {_or_null("received_at", raw)} as received_at
    from raw_rows
    where {conditions}
)
{keyed_select("plain", computes_ids="event_id" not in raw.fields, absent=_absent(raw))}
"""


def keyed_select(relation: str, *, computes_ids: bool, absent: Collection[str] = ()) -> str:
    """The query that adds to rows with the columns of ``CHECKED`` what is computed from them: id and key.

    Where ids are computed, each ends in the ordinal 1; ``Duplicates.numbered`` tells equal rows apart.
    """
    if not computes_ids:
        return f"select {', '.join(CHECKED)}, {body_key(absent=absent)} as body_key from {relation}"
    columns = ", ".join("computed_id as event_id" if name == "event_id" else name for name in CHECKED)
    return f"""
select {columns}, {body_key("computed_id", absent)} as body_key
from (select *, {computed_event_id()} as computed_id from {relation})
"""


def body_key(event_id: str = "event_id", absent: Collection[str] = ()) -> str:
    """The hash of a body: the lowest 60 bits of an MD5 over its columns, in their order, joined by NUL, read backwards.

    It tells equal bodies from different ones; it is no defence against somebody who makes two bodies with one key.
    """
    return f"(md5_number({body_text(event_id, absent)}) & {(1 << 60) - 1}::uhugeint)::bigint"


def body_text(event_id: str = "event_id", absent: Collection[str] = ()) -> str:
    """All of a body's columns as one text; an empty text cannot occur, so null may stand for it.

    Columns that are known to be null in all rows (``absent``) need not be looked at.
    """
    parts: list[str] = []
    separators = 0
    for name in CONTENT:
        value = event_id if name == "event_id" else name
        if name not in absent:
            if separators:
                parts.append(f"repeat(chr(0), {separators})")
            moment = f"epoch_us({value})"
            if name == "occurred_at" and "sent_at" not in absent:
                # Corrected by the time of receipt, it differs between deliveries; ``given`` has the client's own time.
                moment = f"case when coalesce(sent_at = received_at, true) then {moment} end"
            parts.append(moment if TYPES[name] == "TIMESTAMPTZ" else value)
            separators = 0
        separators += 1
    return f"concat({', '.join([*parts, f'repeat(chr(0), {separators - 1})'])})"


def computed_event_id(received_at: str = "received_at") -> str:
    """An id made of the row itself, for rows that have none; the ordinal among equal rows of the input follows."""
    text = f"concat({body_text(chr(39) * 2)}, chr(0), epoch_us({received_at}))"
    return f"substr(sha256({text}), 1, 32) || '-1'"


def landed_value(name: str, raw: RawRows, rules: Rules) -> str:
    """The expression for the landed form of one column."""
    match name:
        case "custom_ids":
            return _custom_ids(raw.custom)
        case "given":
            return _given(raw)
        case "occurred_at" if "occurred_at" in raw.fields:
            return _corrected_time(raw)
        case "source":
            default = quote_literal(rules.source)
            return f"coalesce(source, {default})" if "source" in raw.fields else default
        case "properties" if "properties" in raw.fields:
            return "coalesce(properties, '{}')"
        case "properties":
            return "'{}'"
    if name not in raw.fields:
        return f"null::{TYPES[name].lower()}"
    match KINDS[name]:
        case Kind.EVENT_TYPE | Kind.EMAIL:
            return f"lower({name})"
        case Kind.TEXT:
            return f"nullif({name}, '')"
        case _:
            return name


def _absent(raw: RawRows) -> set[str]:
    """The columns that no row has; those that are always filled, or computed, are not among them."""
    filled = {*raw.fields, "event_id", "source", "properties", "given", *(["custom_ids"] if raw.custom else [])}
    return {name for name in CONTENT if name not in filled}


def _or_null(name: str, raw: RawRows) -> str:
    return name if name in raw.fields else "null::timestamptz"


def _has_skew(raw: RawRows) -> bool:
    return {"sent_at", "received_at"} <= set(raw.fields)


def _corrected_time(raw: RawRows) -> str:
    return "coalesce(received_at - (sent_at - occurred_at), occurred_at)" if _has_skew(raw) else "occurred_at"


def _conditions(raw: RawRows, rules: Rules) -> list[str]:
    if not set(REQUIRED) <= set(raw.fields):
        return ["false"]
    found = []
    for name in raw.fields:
        check = _check(name, KINDS[name], is_plain=raw.is_plain)
        needed = name in REQUIRED or name == "event_id"
        if needed:
            found.append(f"{name} is not null")
        if check:
            found.append(check if needed else f"({name} is null or {check})")
    check_id = "plain_id" if raw.is_plain else "any_id"
    for custom in raw.custom:
        column = quote_identifier(f"custom:{custom}")
        found.append(f"({column} is null or {check_id}({column}))")
    first, last = (
        f"timestamptz {quote_literal(time.isoformat())}" for time in (rules.times.earliest, rules.times.latest)
    )
    if _has_skew(raw):
        # A client whose clock was off by decades is for the exact arithmetic of eventcheck.
        found.append("(sent_at is null or received_at is null or abs(epoch(sent_at) - epoch(received_at)) < 1e9)")
    found.append(f"{_corrected_time(raw)} between {first} and {last}")
    if "received_at" in raw.fields:
        found.append(f"(received_at is null or received_at between {first} and {last})")
    return found


def _check(name: str, kind: Kind, *, is_plain: bool) -> str:
    match kind:
        case Kind.IDENTIFIER:
            return f"plain_id({name})" if is_plain else f"any_id({name})"
        case Kind.EVENT_TYPE:
            return f"plain_id({name})" if is_plain else f"any_event_type({name})"
        case Kind.EMAIL:
            return f"is_address({name})"
        case Kind.EMAIL_SHA256:
            return f"is_sha256({name})"
        case Kind.CHOICE:
            return f"{name} in ({', '.join(map(quote_literal, CHOICES[name]))})"
        case Kind.TEXT:
            return "" if is_plain else f"any_text({name})"
        case _:
            return ""


def _custom_ids(names: Sequence[str]) -> str:
    if not names:
        return "null::varchar"
    parts = [
        f"{quote_literal(quote(name) + ':')} || to_json({quote_identifier(f'custom:{name}')})" for name in sorted(names)
    ]
    return f"nullif('{{' || concat_ws(',', {', '.join(parts)}) || '}}', '{{}}')"


def _given(raw: RawRows) -> str:
    """The original spelling of what the landed form changes, as a JSON object; null if nothing changed."""
    parts = []
    for name in ("event_type", "occurred_at", "email"):
        if name == "occurred_at" and _has_skew(raw):
            original = "strftime(occurred_at at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
            parts.append(f"case when sent_at <> received_at then '\"occurred_at\":\"' || {original} || '\"' end")
        elif name != "occurred_at" and name in raw.fields:
            parts.append(f"case when lower({name}) <> {name} then '\"{name}\":' || to_json({name}) end")
    return f"nullif('{{' || concat_ws(',', {', '.join(parts)}) || '}}', '{{}}')" if parts else "null::varchar"
