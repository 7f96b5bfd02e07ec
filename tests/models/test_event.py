"""The unified event: what is accepted, as what, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from models import EventBuilder, UnifiedEvent

NOON = datetime(2026, 1, 30, 12, tzinfo=timezone.utc)


def event(**changes: Any) -> dict[str, Any]:
    """A smallest event, with changes; a change to None leaves the key out."""
    fields = {"eventId": "e1", "personId": "ada", "timestamp": "2026-01-30T12:00:00Z", "eventType": "video_rendered"}
    return {key: value for key, value in {**fields, **changes}.items() if value is not None}


def test_camel_case_and_snake_case_say_the_same() -> None:
    """The product requirements write personId, Python writes user_id."""
    camel = UnifiedEvent.model_validate(event(utmSource="x", sessionId="s"))
    snake = UnifiedEvent.model_validate(
        {
            "event_id": "e1",
            "user_id": "ada",
            "occurred_at": "2026-01-30T13:00:00+01:00",
            "event_type": " Video_Rendered ",
            "utm_source": "x",
            "session_id": "s",
        }
    )
    assert camel == snake
    assert (camel.user_id, camel.timestamp, camel.event_type) == ("ada", NOON, "video_rendered")


def test_keys_that_no_field_answers_to_become_properties() -> None:
    """Nothing that was sent is lost."""
    found = UnifiedEvent.model_validate(event(seconds=12, properties={"codec": "av1"}))
    assert found.properties == {"codec": "av1", "seconds": 12}


def test_a_key_with_two_values_is_refused() -> None:
    """One in the event and another in its properties: which one holds cannot be known."""
    with pytest.raises(ValidationError, match="'seconds' stands in the event"):
        UnifiedEvent.model_validate(event(seconds=12, properties={"seconds": 13}))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"eventId": "  "}, "is empty"),
        ({"eventId": "x" * 257}, "longer than 256 bytes"),
        ({"eventId": 7}, "valid string"),
        ({"eventType": ""}, "is empty"),
        ({"personId": "a\x00b"}, "NUL"),
        ({"personId": "\ud800"}, "surrogate"),
        ({"timestamp": "2026-01-30T12:00:00"}, "timezone"),
        ({"timestamp": "yesterday"}, "valid datetime"),
        ({"category": "fun"}, "acquisition"),
        ({"source": "fax"}, "app"),
        ({"properties": []}, "valid dictionary"),
        ({"properties": {"x": float("nan")}}, "not finite"),
        ({"properties": {"k" * 257: 1}}, "longer than 256"),
        ({"properties": {"x": list(range(1001))}}, "more than 1000 elements"),
        ({"properties": {f"k{n}": n for n in range(1001)}}, "more than 1000 keys"),
        ({"properties": {"x": "y" * 32_769}}, "longer than 32768"),
    ],
)
def test_what_is_refused_says_why(changes: dict[str, Any], reason: str) -> None:
    """Each refusal names what is wrong."""
    with pytest.raises(ValidationError) as refusal:
        UnifiedEvent.model_validate(event(**changes))
    assert reason in str(refusal.value)


def test_depth_is_limited_to_32_levels() -> None:
    """The event is level 1, properties level 2."""
    nested: Any = {}
    for _ in range(30):
        nested = {"x": nested}
    UnifiedEvent.model_validate(event(properties=nested))
    with pytest.raises(ValidationError, match="deeper than 32"):
        UnifiedEvent.model_validate(event(properties={"x": nested}))


def test_the_builder_makes_the_event_that_was_described() -> None:
    """Each call adds one part; the parts come out in the event."""
    built = (
        EventBuilder("video_rendered")
        .event_id("e1")
        .person("ada")
        .anonymous("anon-1")
        .identifier("github_id", "42")
        .at(NOON)
        .category("core_value")
        .source("app", "job-7")
        .session("s1")
        .account("acme")
        .device("d1", ip_address="192.0.2.1", user_agent="ua")
        .utm(source="google", medium="cpc")
        .property("seconds", 12)
        .properties({"codec": "av1"})
        .trait("name", "Ada")
        .metadata({"build": 3})
        .build()
    )
    assert built == UnifiedEvent(
        event_id="e1",
        user_id="ada",
        anonymous_id="anon-1",
        identifiers={"github_id": "42"},
        timestamp=NOON,
        event_type="video_rendered",
        category="core_value",
        source="app",
        source_id="job-7",
        session_id="s1",
        account_id="acme",
        device_id="d1",
        ip_address="192.0.2.1",
        user_agent="ua",
        utm_source="google",
        utm_medium="cpc",
        properties={"seconds": 12, "codec": "av1"},
        traits={"name": "Ada"},
        metadata={"build": 3},
    )


def test_an_event_without_further_identifiers_says_nothing_of_them() -> None:
    """The README's way of writing an event as JSON."""
    event = EventBuilder("x").event_id("e1").person("ada").at(NOON)
    plain = {"eventId": "e1", "userId": "ada", "timestamp": "2026-01-30T12:00:00Z", "eventType": "x"}
    written = json.loads(event.build().model_dump_json(by_alias=True, exclude_none=True))
    assert written == {**plain, "properties": {}, "source": "app"}
    assert "identifiers" in event.identifier("github_id", "42").build().model_dump()


def test_the_builder_names_and_dates_an_event_by_itself() -> None:
    """Without an id and a time: a new id each time, and now."""
    builder = EventBuilder("x").person("ada")
    first, second = builder.build(), builder.build()
    assert first.event_id != second.event_id
    assert abs(datetime.now(timezone.utc) - first.timestamp) < timedelta(minutes=1)


def test_the_builder_refuses_what_the_event_refuses() -> None:
    """A mistake shows where the event is made, not when it lands."""
    with pytest.raises(ValidationError, match="timezone"):
        EventBuilder("x").at(datetime(2026, 1, 1)).build()  # noqa: DTZ001


def test_events_can_be_made_without_a_database_in_the_process() -> None:
    """An application's own code does not want our dependencies."""
    code = (
        "import sys; from models import EventBuilder; EventBuilder('x').person('a').build();"
        "assert not {'duckdb', 'pyarrow', 'dbt'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
