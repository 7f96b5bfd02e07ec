"""Segment definitions: the product requirements' shapes are taken as they are, mistakes are named."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from models import SegmentAutomation, SegmentDefinition, SegmentRule
from models.errors import UsageError
from models.operators import Operand
from models.segment import operand_of
from models.segment_graph import in_order

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
TRIAL_TO_PAID = {
    "segmentId": "trial_to_paid",
    "name": "Trial to Paid Converters",
    "description": "Pays since a week at most.",
    "rules": [
        {"condition": "property", "property": "status", "operator": "equals", "value": "paid"},
        {"condition": "event", "eventType": "purchase_completed", "eventWindow": "7d"},
    ],
    "createdAt": "2026-01-30T12:00:00.000Z",
    "updatedAt": "2026-01-30T12:00:00.000Z",
}


def test_the_requirements_examples_are_accepted() -> None:
    """camelCase as written there, times as a program writes them; the id comes from the name unless it is given."""
    assert SegmentDefinition.model_validate(TRIAL_TO_PAID).segment_id == "trial_to_paid"
    assert SegmentDefinition.model_validate(POWER_USERS).segment_id == "power_users"
    assert SegmentDefinition.model_validate(CHURN_RISK).segment_id == "churn_risk_30_days_inactive"


def test_a_rule_without_condition_is_understood_from_its_keys() -> None:
    """createSegment of the requirements leaves the condition out."""
    found = SegmentDefinition.model_validate(
        {"name": "x", "rules": [{"eventType": "video_rendered"}, {"cohortId": "2026-01-05"}]}
    )
    assert [rule.condition for rule in found.rules] == ["event", "cohort"]


def _nested(levels: int) -> dict[str, Any]:
    return {"eventType": "x"} if levels == 1 else {"not": _nested(levels - 1)}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rules": []}, "at least 1 item"),
        ({"rules": [{"eventType": "x"}] * 501}, "at most 500 items"),
        ({"rules": [{"any": [{"eventType": "x"}] * 501}]}, "at most 500 items"),
        ({"rules": [{"eventType": "x", "eventCount": {"gte": 2**63}}]}, "less than or equal to 1000000000"),
        ({"rules": [{"eventType": "x", "eventWindow": "10000d"}]}, "pattern"),
        ({"rules": [{"eventType": "x", "eventWindow": "-1d"}]}, "pattern"),
        ({"rules": [{"property": "plan"}]}, "needs 'operator'"),
        ({"rules": [{"condition": "property", "operator": "equals", "value": 1}]}, "needs 'property'"),
        ({"name": "x" * 300}, "at most 200 characters"),
        ({"rules": [{"condition": "event"}]}, "needs 'eventType'"),
        ({"rules": [{"condition": "moon", "eventType": "x"}]}, "'event', 'property', 'cohort', 'sequence'"),
        ({"rules": [{"eventType": "x", "eventCount": {}}]}, "needs gte, lte or both"),
        ({"rules": [{"eventType": "x", "eventCount": {"gte": 3, "lte": 2}}]}, "at least 3 and at most 2"),
        ({"rules": [{"eventType": "x", "eventCount": {"gte": -1}}]}, "greater than or equal to 0"),
        ({"rules": [{"eventType": "x", "eventCount": {"gte": 1.5}}]}, "valid integer"),
        ({"rules": [{"eventType": "x", "eventWindow": "7x"}]}, "pattern"),
        ({"rules": [{"eventType": "x", "eventWindow": "0d"}]}, "pattern"),
        ({"rules": [{"eventType": "x", "cohortId": "y"}]}, "cannot have a 'cohortId'"),
        ({"rules": [{"eventType": ""}]}, "an event type is empty"),
        ({"rules": [{"not": {"eventTyp": "x"}}]}, "unknown key 'eventTyp' (did you mean 'eventType'"),
        ({"rules": [{"value": 3}]}, "what does the rule ask for"),
        ({"rules": [{"sequence": [{"eventType": "x"}, {"eventType": "y"}]}]}, "needs 'within'"),
        ({"rules": [{"list": [{"id": "4711", "from": "2026-01-01"}]}]}, "is no type of identifier"),
        ({"rules": [{"list": [{"id": "email:a@b.c", "from": "yesterday"}]}]}, "is not a date like"),
        ({"rules": [{"list": [{"id": "email:a@b.c", "from": "2026-02-01", "until": "2026-02-01"}]}]}, "later than"),
        ({"rules": [{"holdout": {"percent": 0, "salt": "x"}}]}, "greater than 0"),
        ({"rules": [{"holdout": {"percent": 10, "salt": ""}}]}, "at least 1 character"),
        ({"rules": [{"eventType": "x", "where": [{"property": "a", "operator": "gt", "value": "now"}]}]}, "no 'now'"),
        ({"rules": [{"eventType": "x", "where": [{"property": "$.a", "operator": "exists"}]}]}, "not the name of"),
        ({"rules": [_nested(32)]}, "more than 30 levels deep"),
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


@pytest.mark.parametrize(
    ("name", "operator", "value", "reason"),
    [
        ("plan", "resembles", 1, "unknown operator 'resembles' (known: after, before"),
        ("plan", "equal", "pro", "did you mean 'equals'"),
        ("plan", "equals", None, "'equals' takes a text or a number or a boolean; given: None"),
        ("plan", "equals", ["pro"], "given: ['pro']"),
        ("plan", "in", "pro", "'in' takes a list; given: 'pro'"),
        ("plan", "in", [], "takes 1 to 10,000 values; given: 0"),
        ("plan", "in", ["x"] * 10_001, "given: 10,001"),
        ("plan", "in", ["9", 10], "values of one kind; given: number and text"),
        ("plan", "in", [True], "takes a text or a number, not a boolean"),
        ("plan", "contains", 9, "takes a text, not a number"),
        ("plan", "contains", "", "a text that is not empty"),
        ("plan", "equals", "a\x00", "NUL"),
        ("plan", "equals", "x" * 1001, "more than 1000 characters"),
        ("seats", "gte", "many", "is not a date like 2026-01-31"),
        ("seats", "gte", 2**63, "too large a number"),
        ("seats", "between", [1], "takes two values; given: 1"),
        ("seats", "between", [2, 1], "smaller value first"),
        ("seats", "exists", "yes", "takes true, false or no value"),
        ("lastActionDate", "equals", "now - 30d", "lastActionDate is a time"),
        ("lastActionDate", "gte", 5, "compares it with a number; operators for a time: gte, lte"),
        ("status", "gte", 5, "status is a text"),
        ("total_events", "equals", "5", "total_events is a number"),
        (
            "segment",
            "equals",
            "x",
            "'segment' follows from the segments, so no rule can ask for it: write a rule with cohortId",
        ),
        ("totalSpent", "equals", "x", "totalSpent is a number"),
        ("updatedAt", "gte", 5, "has no history"),
        ("personId", "equals", "x", "write a static list"),
        *(
            (name, "exists", None, "is not the name of a property")
            for name in ("*", "$", "$.x", "/a", 'a"b', "a'b", "a\\b", "{{x}}", "a\nb", "\x00", "9a", "é", "a" * 64)
        ),
        ("seats", "gte", float("nan"), "nan is too large a number"),
        ("seats", "gte", float("inf"), "inf is too large a number"),
        ("", "exists", None, "is not the name of a property"),
        *(
            ("lastActionDate", "lte", text, "is not an expression of now")
            for text in (
                "now - 0d",
                "now - -1d",
                "now - 30 parsecs",
                "now - 30D",
                "now - 1000000000d",
                "now 30d",
                "now -",
            )
        ),
    ],
)
def test_a_value_fits_its_property_and_operator(name: str, operator: str, value: Any, reason: str) -> None:
    """What is compared, how and with what must go together; nothing is taken for something else."""
    rule = {"property": name, "operator": operator, "value": value}
    with pytest.raises(ValidationError) as refusal:
        SegmentDefinition.model_validate({"name": "x", "rules": [rule]})
    assert reason in str(refusal.value)


def test_a_text_that_reads_like_now_is_a_text_where_texts_are_compared() -> None:
    """A property may really say 'now - 30d'."""
    rule = SegmentRule.model_validate({"property": "note", "operator": "equals", "value": "now - 30d"})
    assert operand_of(rule) == Operand("text", ("now - 30d",))


def test_segments_follow_those_that_they_ask_for() -> None:
    """Weeks of signup are no segments."""
    assert in_order([_asks("a", "b", "2026-01-05"), _asks("c"), _asks("b", "c")]) == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("asks", "reason"),
    [
        ({"a": ["b"], "b": ["c"], "c": ["b"]}, "there/c.yml: segments that ask for each other: b -> c -> b"),
        ({"a": ["a"]}, "there/a.yml: segments that ask for each other: a -> a"),
        ({"power": ["powr"], "powe": []}, "there/power.yml: cohort 'powr' is neither a segment nor the Monday"),
        ({"a": ["2026-01-06"]}, "there/a.yml: cohort '2026-01-06' is neither"),
    ],
)
def test_a_circle_or_an_unknown_cohort_is_refused(asks: dict[str, list[str]], reason: str) -> None:
    """The message names the file that asks."""
    with pytest.raises(UsageError, match=re.escape(reason)):
        in_order(
            [_asks(name, *cohorts) for name, cohorts in asks.items()], lambda asking, _asked: f"there/{asking}.yml"
        )


def _asks(segment_id: str, *cohorts: str) -> SegmentDefinition:
    rules = [{"not": {"any": [{"cohortId": cohort}]}} for cohort in cohorts] or [{"eventType": "x"}]
    return SegmentDefinition.model_validate({"segmentId": segment_id, "name": segment_id, "rules": rules})


def test_an_automation_holds_the_settings_of_its_own_action() -> None:
    """An e-mail action with a webhook's settings would do nothing."""
    shape = {"automationId": "a", "segmentId": "power_users", "trigger": "enter", "action": "email"}
    good = SegmentAutomation.model_validate({**shape, "actionConfig": {"email": {"templateId": "hello"}}})
    assert good.action_config.email is not None
    with pytest.raises(ValidationError, match="exactly 'email'"):
        SegmentAutomation.model_validate({**shape, "actionConfig": {"tag": {"tagName": "x"}}})
