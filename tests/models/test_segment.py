"""Segment definitions: the product requirements' shapes are taken as they are, mistakes are named."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from models import SegmentAutomation, SegmentDefinition

POWER_USERS = {
    "name": "Power Users",
    "rules": [
        {"condition": "event", "eventType": "video_rendered", "eventCount": {"gte": 10}, "eventWindow": "30d"},
        {"condition": "event", "eventType": "batch_render_completed", "eventCount": {"gte": 1}, "eventWindow": "30d"},
    ],
}
CHURN_RISK = {
    "name": "Churn Risk (30 days inactive)",
    "rules": [
        {"condition": "property", "property": "lastActionDate", "operator": "lte", "value": "now - 30d"},
        {"condition": "property", "property": "status", "operator": "equals", "value": "active"},
    ],
}


def test_the_requirements_examples_are_accepted() -> None:
    """camelCase as written there; the id comes from the name."""
    assert SegmentDefinition.model_validate(POWER_USERS).segment_id == "power_users"
    assert SegmentDefinition.model_validate(CHURN_RISK).segment_id == "churn_risk_30_days_inactive"


def test_a_rule_without_condition_is_understood_from_its_keys() -> None:
    """createSegment of the requirements leaves the condition out."""
    found = SegmentDefinition.model_validate(
        {"name": "x", "rules": [{"eventType": "video_rendered"}, {"cohortId": "2026-01-05"}]}
    )
    assert [rule.condition for rule in found.rules] == ["event", "cohort"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rules": []}, "at least 1 item"),
        ({"rules": [{"condition": "event"}]}, "needs 'event_type'"),
        ({"rules": [{"condition": "moon", "eventType": "x"}]}, "'event', 'property' or 'cohort'"),
        ({"rules": [{"eventType": "x", "eventCount": {}}]}, "needs gte, lte or both"),
        ({"rules": [{"eventType": "x", "eventCount": {"gte": 3, "lte": 2}}]}, "at least 3 and at most 2"),
        ({"rules": [{"eventType": "x", "eventCount": {"gte": -1}}]}, "greater than or equal to 0"),
        ({"rules": [{"eventType": "x", "eventCount": {"gte": 1.5}}]}, "valid integer"),
        ({"rules": [{"eventType": "x", "eventWindow": "7x"}]}, "pattern"),
        ({"rules": [{"eventType": "x", "eventWindow": "0d"}]}, "pattern"),
        ({"rules": [{"eventType": "x", "cohortId": "y"}]}, "cannot have a 'cohort_id'"),
        ({"rules": [{"property": "plan", "operator": "resembles", "value": 1}]}, "equals"),
        ({"name": ""}, "give the segment a name"),
        ({"segmentId": "../x"}, "pattern"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_a_mistake_is_named(changes: dict[str, Any], reason: str) -> None:
    """Each refusal says what is wrong."""
    with pytest.raises(ValidationError) as refusal:
        SegmentDefinition.model_validate({**POWER_USERS, **changes})
    assert reason in str(refusal.value)


def test_an_automation_holds_the_settings_of_its_own_action() -> None:
    """An e-mail action with a webhook's settings would do nothing."""
    shape = {"automationId": "a", "segmentId": "power_users", "trigger": "enter", "action": "email"}
    good = SegmentAutomation.model_validate({**shape, "actionConfig": {"email": {"templateId": "hello"}}})
    assert good.action_config.email is not None
    with pytest.raises(ValidationError, match="exactly 'email'"):
        SegmentAutomation.model_validate({**shape, "actionConfig": {"tag": {"tagName": "x"}}})
