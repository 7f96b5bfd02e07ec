"""What SQL reads of a Segment message: the plain ones of ``ingest/segment.py``, which alone is complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ingest.messagesql import MessageSql, Path, Reader, object_sql
from ingest.strictjson import quote
from ingest.times import text_time_sql
from warehouse.sql import quote_literal

#: The six calls, and the event type of each; a track call is called by its event.
EVENT_TYPES: dict[str, str | None] = {
    "identify": "identify",
    "track": None,
    "page": "page_view",
    "screen": "screen_view",
    "group": "group",
    "alias": "alias",
}
#: The keys of a campaign.
UTM = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "name",
    "utm_content": "content",
    "utm_term": "term",
}
_CONTEXT = "context"


def segment_sql(reader: Reader, others: Mapping[Path, Sequence[str]], received_at: datetime | None) -> MessageSql:
    """The fields of a message (``Service.sql``); alias calls and whatever is rare go the exact way."""
    text, json = reader.text, reader.json
    call, is_named, is_group = text("type"), f"{text('type')} in ('page', 'screen')", f"{text('type')} = 'group'"
    group, email, traits = _unless(text("groupId"), ""), _email(reader, is_group), _traits(reader, is_group)
    original, sent = text("originalTimestamp"), f"coalesce({text('sentAt')}, {reader.shared('sentAt')})"
    times = {
        "occurred_at": f"coalesce({original}, {text('timestamp')})",
        "sent_at": sent,
        "received_at": text("receivedAt"),
    }
    moments = {name: text_time_sql(value) for name, value in times.items()}
    otherwise = "" if received_at is None else f", timestamptz {quote_literal(received_at.isoformat())}"
    columns = {
        "event_type": _event_type(reader),
        "event_id": text("messageId"),
        "user_id": _unless(text("userId"), ""),
        "anonymous_id": _unless(text("anonymousId"), ""),
        "account_id": f"coalesce({group}, {_unless(text(_CONTEXT, 'groupId'), '')})",
        "session_id": f"coalesce({_unless(text('sessionId'), '')}, {_unless(text(_CONTEXT, 'sessionId'), '')})",
        "device_id": _unless(text(_CONTEXT, "device", "id"), ""),
        "email": f"case when is_address({email}) then {email} end",
        "ip_address": text(_CONTEXT, "ip"),
        "user_agent": text(_CONTEXT, "userAgent"),
        **{name: text(_CONTEXT, "campaign", key) for name, key in UTM.items()},
        **moments,
        "received_at": f"coalesce(received_at, {moments['received_at']}{otherwise})",
        "properties": _properties(reader, call, is_named),
        "traits": traits,
    }
    context = {key: json(_CONTEXT, key) for key in others[_CONTEXT,]}
    context["groupId"] = f"case when {group} is not null then {json(_CONTEXT, 'groupId')} end"
    context["traits"] = f"case when {is_group} then {json(_CONTEXT, 'traits')} end"
    metadata = {key: json(key) for key in others[()]}
    metadata["event"] = f"case when {call} <> 'track' then {json('event')} end"
    metadata["timestamp"] = f"case when {original} is not null then {json('timestamp')} end"
    metadata["receivedAt"] = f"case when received_at is not null then {json('receivedAt')} end"
    metadata |= {key: f"case when not {is_named} then {json(key)} end" for key in ("name", "category")}
    metadata = {key: _unless(value, "null") for key, value in metadata.items()}
    columns["metadata"] = object_sql({**metadata, _CONTEXT: object_sql(context)})
    conditions = [
        f"{call} in ({', '.join(quote_literal(name) for name in EVENT_TYPES if name != 'alias')})",
        f"({call} <> 'group' or {group} is not null)",
        f"({text('previousId')} is null)",
        f"({text('sessionId')} is null or {text(_CONTEXT, 'sessionId')} is null)",
        f"({email} is null or is_address({email}) or not contains({email}, '@'))",
        f"({is_group} or {_object(json('traits'))} is null or {_object(json(_CONTEXT, 'traits'))} is null)",
        *(f"({value} is null or {moments[name]} is not null)" for name, value in times.items()),
        *(
            f"(not {is_named} or {json('properties', key)} is null or {json(key)} is null"
            f" or {json('properties', key)} = {json(key)})"
            for key in ("name", "category")
        ),
    ]
    return MessageSql(columns, conditions)


def _event_type(reader: Reader) -> str:
    cases = " ".join(
        f"when {quote_literal(call)} then {quote_literal(name) if name else reader.text('event')}"
        for call, name in EVENT_TYPES.items()
    )
    return f"case {reader.text('type')} {cases} end"


def _email(reader: Reader, is_group: str) -> str:
    known = reader.text(_CONTEXT, "traits", "email")
    return f"case when {is_group} then {known} else coalesce({reader.text('traits', 'email')}, {known}) end"


def _traits(reader: Reader, is_group: str) -> str:
    said, known = _object(reader.json("traits")), _object(reader.json(_CONTEXT, "traits"))
    return f"case when {is_group} then {said} else coalesce({said}, {known}) end"


def _properties(reader: Reader, call: str, is_named: str) -> str:
    """The properties, and behind them the name, the category and the address that they lack."""
    inside = _object(reader.json("properties"))
    added = {
        "category": (is_named, reader.json("category")),
        "name": (is_named, reader.json("name")),
        "url": (f"{call} = 'page'", reader.json(_CONTEXT, "page", "url")),
    }
    parts = [f"{inside}[2:-2]"]
    for key, (when, value) in added.items():
        is_missing = f"{when} and {reader.json('properties', key)} is null"
        parts.append(f"case when {is_missing} then {quote_literal(quote(key) + ':')} || {_unless(value, 'null')} end")
    return f"'{{' || concat_ws(',', {', '.join(parts)}) || '}}'"


def _object(json: str) -> str:
    """An object's text; null where there is none or it is empty."""
    return f"nullif(nullif({json}, 'null'), '{{}}')"


def _unless(value: str, nothing: str) -> str:
    return f"nullif({value}, {quote_literal(nothing)})"
