"""What Segment's clients send, and RudderStack's: the six calls of the Segment specification.

docs/sources.md says how each field is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.eventcheck import is_address
from ingest.messagesql import SqlReading
from ingest.reasons import Reason, Refused
from ingest.segment_sql import EVENT_TYPES, UTM, segment_sql
from ingest.service import Receipt
from ingest.strictjson import shown, write
from models import limits
from models.keys import normalise_email

#: Keys of a message that are not written in camelCase everywhere.
SPELLINGS = {
    "user_id": "userId",
    "anonymous_id": "anonymousId",
    "message_id": "messageId",
    "group_id": "groupId",
    "previous_id": "previousId",
}
#: The first of these keys says which call a message without a type is.
_TELLING = (("event", "track"), ("previousId", "alias"), ("groupId", "group"), ("traits", "identify"), ("name", "page"))
#: One of these every call has, for it is somebody's; an event of our own says its type.
_WHOSE = ("userId", "anonymousId", "previousId")
_OURS = ("eventType", "event_type")
#: Clients write an empty text where they know no id.
_IDS = ("userId", "anonymousId", "groupId", "previousId")


class Segment:
    """Deliveries of Segment's HTTP API (``/v1/track`` to ``/v1/batch``) and archived messages."""

    batch_key = "batch"
    merged_keys = frozenset({"context", "integrations"})
    secret_keys = frozenset({"writeKey"})
    in_sql = SqlReading(shared_keys=("sentAt",), kind=("type",), opened=((), ("context",)), columns=segment_sql)

    def to_event(self, message: dict[str, Any], receipt: Receipt) -> dict[str, Any]:
        """See ``Service``."""
        rest = _spelled(message)
        call = _call(rest, receipt.channel)
        context = _object("context", rest.pop("context", None))
        event: dict[str, Any] = {
            "event_type": EVENT_TYPES[call] or _needed("event", rest, call),
            "event_id": rest.pop("messageId", None),
            "user_id": rest.pop("userId", None),
            "account_id": _needed("groupId", rest, call) if call == "group" else rest.pop("groupId", None),
            "session_id": _session(rest, context),
            "properties": _properties(rest, context, call),
            **_people(rest, context, call),
            **_surroundings(context),
            **_times(rest, receipt),
        }
        if event["account_id"] is None:
            event["account_id"] = _unless_empty(context.pop("groupId", None))
        if context:
            rest["context"] = dict(sorted(context.items()))
        event["metadata"] = dict(sorted(rest.items())) or None
        return event


def _spelled(message: Mapping[str, Any]) -> dict[str, Any]:
    """The message with one spelling of each key, without what is null and without empty ids."""
    found: dict[str, Any] = {}
    for key, value in message.items():
        if value is None:
            continue
        name = SPELLINGS.get(key, key)
        if name in found:
            raise Refused(Reason.DUPLICATE_KEY, f"{shown(key)} and its other spelling are the same field")
        found[name] = value
    return {key: value for key, value in found.items() if not (key in _IDS and value == "")}


def _call(rest: dict[str, Any], channel: str | None) -> str:
    """Which call a message is: it says so itself, its path did, or it has a key that only one call has."""
    call = rest.pop("type", channel if channel in EVENT_TYPES else None)
    if call is None and rest.get("action") in tuple(EVENT_TYPES):
        call = rest.pop("action")
    if call is None and not rest.keys().isdisjoint(_WHOSE) and rest.keys().isdisjoint(_OURS):
        call = next((name for key, name in _TELLING if key in rest), None)
    if call is None:
        raise Refused(Reason.MISSING_FIELD, "type is missing")
    if not isinstance(call, str) or call not in EVENT_TYPES:
        given = shown(call) if isinstance(call, str) else "type"
        raise Refused(Reason.UNKNOWN_VALUE, f"{given} is not one of {', '.join(EVENT_TYPES)}")
    return call


def _needed(key: str, rest: dict[str, Any], call: str) -> Any:
    value = rest.pop(key, None)
    if value is None:
        raise Refused(Reason.MISSING_FIELD, f"{key} is missing, which a {call} call needs")
    return value


def _unless_empty(value: Any) -> Any:
    return None if value == "" else value


def _object(name: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused(Reason.TYPE_MISMATCH, f"{name} is no JSON object")
    return dict(value)


def _session(rest: dict[str, Any], context: dict[str, Any]) -> Any:
    """The client's session; RudderStack numbers sessions by their start in milliseconds."""
    for place in (rest, context):
        value = _unless_empty(place.pop("sessionId", None))
        if value is not None:
            is_whole = isinstance(value, int) and not isinstance(value, bool)
            return str(value) if is_whole else value
    return None


def _properties(rest: dict[str, Any], context: Mapping[str, Any], call: str) -> dict[str, Any]:
    """The properties; a page and a screen have their name and category among them, a page its address."""
    properties = _object("properties", rest.pop("properties", None))
    if call not in ("page", "screen"):
        return properties
    named = {key: rest[key] for key in ("category", "name") if rest.get(key) is not None}
    page = context.get("page")
    if call == "page" and isinstance(page, dict) and page.get("url") is not None and "url" not in properties:
        named["url"] = page["url"]
    for key, value in named.items():
        if key == "url" or key not in properties or write(properties[key]) == write(value):
            properties[key] = value
            rest.pop(key, None)
    return properties


def _people(rest: dict[str, Any], context: dict[str, Any], call: str) -> dict[str, Any]:
    """Who it was: traits, the e-mail address among them, and the anonymous id.

    The traits of a group call are the account's, so its person is only in the context's. An alias call joins its user
    to ``previousId``: an e-mail address, or else the id that the person had before it was known.
    """
    said, known = _object("traits", rest.pop("traits", None)), _object("context.traits", context.get("traits"))
    traits = said if call == "group" else {**known, **said}
    if call != "group":
        context.pop("traits", None)
    email = _address((known if call == "group" else traits).get("email"))
    people: dict[str, Any] = {"traits": traits or None, "email": email}
    if call == "alias":
        previous = _needed("previousId", rest, call)
        if email is None and (address := _address(previous)):
            people["email"] = address
        else:
            people["anonymous_id"] = previous
    if people.setdefault("anonymous_id", rest.get("anonymousId")) == rest.get("anonymousId"):
        rest.pop("anonymousId", None)
    return people


def _address(value: Any) -> str | None:
    """An e-mail address that identifies somebody; anything else is a trait like any other."""
    if not isinstance(value, str) or len(value.encode()) > limits.MAX_ID_BYTES:
        return None
    return value if is_address(normalise_email(value)) else None


def _surroundings(context: dict[str, Any]) -> dict[str, Any]:
    """Where it happened and which campaign led to it."""
    agent = "userAgent" if "userAgent" in context else "user_agent"
    campaign, device = (value if isinstance(value, dict) else {} for value in map(context.get, ("campaign", "device")))
    return {
        "ip_address": context.pop("ip", None),
        "user_agent": context.pop(agent, None),
        "device_id": _unless_empty(device.get("id")),
        **{field: campaign.get(key) for field, key in UTM.items()},
    }


def _times(rest: dict[str, Any], receipt: Receipt) -> dict[str, Any]:
    """When it happened and was sent by the client's clock, and when it was received by ours.

    A message without a time of its own happened when it was sent. What a client says of our clock counts only where no
    envelope says it.
    """
    received_at = receipt.enveloped_at or rest.pop("receivedAt", None) or receipt.otherwise_at
    sent_at = rest.pop("sentAt", None)
    own = next((rest.pop(key) for key in ("originalTimestamp", "timestamp") if key in rest), sent_at or received_at)
    if own is None:
        detail = "timestamp is missing, and nothing says when the message was received (--received-at)"
        raise Refused(Reason.MISSING_FIELD, detail)
    return {"occurred_at": own, "sent_at": sent_at, "received_at": received_at}
