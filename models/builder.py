"""A fluent way to make events in an application's own code; needs pydantic and nothing else of ours."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Self

from pydantic import JsonValue

from models.catalog import Category
from models.event import Source, UnifiedEvent


class EventBuilder:
    """Collects the parts of one event and checks them when it is built.

    >>> from datetime import datetime, timezone
    >>> event = (
    ...     EventBuilder("video_rendered")
    ...     .person("user-1")
    ...     .at(datetime(2026, 1, 30, tzinfo=timezone.utc))
    ...     .property("seconds", 12)
    ...     .utm(source="newsletter")
    ...     .build()
    ... )
    >>> event.event_type, event.properties
    ('video_rendered', {'seconds': 12})
    """

    def __init__(self, event_type: str) -> None:
        self._fields: dict[str, Any] = {"event_type": event_type}
        self._properties: dict[str, JsonValue] = {}
        self._traits: dict[str, JsonValue] = {}
        self._identifiers: dict[str, str] = {}

    def event_id(self, event_id: str) -> Self:
        """Name the event; without it each build makes a new random UUID."""
        self._fields["event_id"] = event_id
        return self

    def person(self, user_id: str) -> Self:
        """Say whose event it is, by the application's own id of its user."""
        self._fields["user_id"] = user_id
        return self

    def anonymous(self, anonymous_id: str) -> Self:
        """Say which visitor it was before anybody signed in."""
        self._fields["anonymous_id"] = anonymous_id
        return self

    def identifier(self, id_type: str, value: str) -> Self:
        """Add an identifier of another type, such as ``github_id`` or one of your own."""
        self._identifiers[id_type] = value
        return self

    def at(self, moment: datetime) -> Self:
        """Say when it happened (with a time zone); without it, the moment of the build."""
        self._fields["timestamp"] = moment
        return self

    def category(self, category: Category) -> Self:
        """Say what the event is for; the catalog's word is the one that counts."""
        self._fields["category"] = category
        return self

    def source(self, source: Source, source_id: str | None = None) -> Self:
        """Say which system it comes from, and its id there."""
        self._fields["source"] = source
        self._fields["source_id"] = source_id
        return self

    def session(self, session_id: str) -> Self:
        """Say in which visit it happened."""
        self._fields["session_id"] = session_id
        return self

    def account(self, account_id: str) -> Self:
        """Say for which account (group, workspace) it happened."""
        self._fields["account_id"] = account_id
        return self

    def device(
        self, device_id: str | None = None, *, ip_address: str | None = None, user_agent: str | None = None
    ) -> Self:
        """Say on which device it happened."""
        self._fields.update(device_id=device_id, ip_address=ip_address, user_agent=user_agent)
        return self

    def utm(
        self,
        *,
        source: str | None = None,
        medium: str | None = None,
        campaign: str | None = None,
        content: str | None = None,
        term: str | None = None,
    ) -> Self:
        """Say which campaign led to it."""
        self._fields.update(
            utm_source=source, utm_medium=medium, utm_campaign=campaign, utm_content=content, utm_term=term
        )
        return self

    def property(self, name: str, value: JsonValue) -> Self:
        """Add one detail."""
        self._properties[name] = value
        return self

    def properties(self, details: Mapping[str, JsonValue]) -> Self:
        """Add several details."""
        self._properties.update(details)
        return self

    def trait(self, name: str, value: JsonValue) -> Self:
        """Say what is known of the person from now on."""
        self._traits[name] = value
        return self

    def metadata(self, metadata: Mapping[str, JsonValue]) -> Self:
        """Add notes about the event that no report reads."""
        self._fields["metadata"] = dict(metadata)
        return self

    def build(self) -> UnifiedEvent:
        """Make the event.

        Raises:
            pydantic.ValidationError: if a part is missing or not acceptable; the message names it.
        """
        fields = {"event_id": str(uuid.uuid4()), "timestamp": datetime.now(timezone.utc), **self._fields}
        return UnifiedEvent.model_validate(
            {
                **fields,
                "properties": dict(self._properties),
                "traits": dict(self._traits) or None,
                "identifiers": dict(self._identifiers),
            }
        )
