"""What a service is to its ingest: how its deliveries are taken apart, and what event each message is.

A *delivery* is one body as it was sent; it holds one *message*, or a batch of them. ``ingest/messages.py`` does what is
the same for all services: envelopes, batches, counting, quarantine, bulk. To add a service, write a class like
``ingest/segment.py`` and name it in ``ingest/services.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ingest.messagesql import SqlReading


@dataclass(frozen=True)
class Receipt:
    """What is known of the receipt of a delivery besides what it says itself.

    Attributes:
        enveloped_at: when we received it, as its envelope says; no client can have written that.
        otherwise_at: when deliveries were received that do not say so themselves (``--received-at``).
        channel: by which way it came, as its envelope says.
    """

    enveloped_at: datetime | None = None
    otherwise_at: datetime | None = None
    channel: str | None = None


class Service(Protocol):
    """How the messages of one service become events.

    Attributes:
        batch_key: the key of a body whose array holds its messages; a body without it is one message.
        merged_keys: keys of a batch whose objects are merged, key by key, into those of its messages. Any other key of
            a batch holds for the messages that do not have it.
        secret_keys: keys of a body that are kept nowhere.
    """

    batch_key: str
    merged_keys: frozenset[str]
    secret_keys: frozenset[str]

    @property
    def in_sql(self) -> SqlReading:
        """How SQL reads the messages that are plainly in order."""

    def to_event(self, message: dict[str, Any], receipt: Receipt) -> dict[str, Any]:
        """A message as an event of our own, for ``eventcheck.check_event``: the exact and complete rule.

        Args:
            message: what ``strictjson.parse`` gave, with what its batch says for all; without secrets.
            receipt: what is known of its delivery.

        Returns: values by the keys of a JSON event (docs/json.md), times as they came or as datetimes. It names only
        keys that ``fields.JSON_KEYS`` knows: what no field answers to stands in ``metadata``.

        Raises:
            Refused: if it is no message of the service; other faults are for ``check_event`` to find.
        """


def messages_of(body: Any, service: Service) -> Iterator[tuple[int | None, Any]]:
    """The messages of a body, each complete in itself, with its place in the batch (from 1; None outside of one)."""
    body = without_secrets(body, service)
    batch = body.get(service.batch_key) if isinstance(body, dict) else None
    if not isinstance(batch, list):
        yield None, body
        return
    shared = {key: value for key, value in body.items() if key != service.batch_key}
    for place, message in enumerate(batch, start=1):
        yield place, with_shared(without_secrets(message, service), shared, service)


def without_secrets(value: Any, service: Service) -> Any:
    """An object without the service's secrets; anything else as it is."""
    if not isinstance(value, dict):
        return value
    return {key: item for key, item in value.items() if key not in service.secret_keys}


def with_shared(message: Any, shared: dict[str, Any], service: Service) -> Any:
    """A message with what its batch says for all."""
    if not isinstance(message, dict):
        return message
    merged = dict(message)
    for key, value in shared.items():
        own = message.get(key)
        if own is None:
            merged[key] = value
        elif key in service.merged_keys and isinstance(own, dict) and isinstance(value, dict):
            merged[key] = {**value, **own}
    return merged
