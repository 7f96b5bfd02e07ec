"""Usage churn: who was active before and has stopped."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import churn, get_churned_users
from analytics.duration import Duration
from analytics.spec import make_spec
from models.errors import UsageError
from tests.analytics.builders import DAY_0, Event, TinyWarehouse, event, journey, person_id, when
from tests.analytics.oracles import usage_churn


def test_churned_retained_and_newly_active() -> None:
    """As of day 100 with a window of 30 days and 60 before it, three people are three things."""
    events = [
        *journey("ada", render=("d20", "d50")),
        *journey("bob", render=("d20", "d80")),
        *journey("cy", render="d90"),
        *journey("dan", render="d5"),
    ]
    warehouse = TinyWarehouse(events, as_of="d100")
    result = get_churned_users(warehouse, window="30d", min_activity_before="60d")
    assert result.to_json() == {
        "count": 1,
        "activeBefore": 2,
        "retained": 1,
        "newlyActive": 1,
        "rate": 0.5,
        "low": pytest.approx(0.0945, abs=1e-4),
        "high": pytest.approx(0.9055, abs=1e-4),
        "window": "30d",
        "minActivityBefore": "60d",
        "beforeFrom": "2026-01-11T00:00:00Z",
        "windowFrom": "2026-03-12T00:00:00Z",
        "asOf": "2026-04-11T00:00:00Z",
        "users": [
            {
                "personId": person_id("ada"),
                "email": "ada@example.org",
                "lastCoreActionAt": "2026-02-20T00:00:00Z",
                "coreActionsBefore": 2,
            }
        ],
    }


@pytest.mark.parametrize(
    ("at", "is_churned"), [("d9 23:59:59", False), ("d10", True), ("d69 23:59:59", True), ("d70", False)]
)
def test_the_spans_are_half_open(at: str, is_churned: bool) -> None:
    """[as_of − 90 d, as_of − 30 d) of activity: its first moment counts, its end does not."""
    warehouse = TinyWarehouse(journey("ada", render=at), as_of="d100")
    assert get_churned_users(warehouse).count == int(is_churned)


def test_an_action_now_is_not_yet_in_the_window() -> None:
    """The window ends before as_of itself."""
    warehouse = TinyWarehouse(journey("ada", render=("d50", "d100")), as_of="d100")
    assert get_churned_users(warehouse).count == 1


def test_only_core_actions_count() -> None:
    """A mail that was sent, or an action that is not core, neither makes nor prevents churn."""
    events = [
        *journey("ada", render="d50"),
        event("ada", "retention_email_sent", "d90", category="retention", is_action=False),
        event("ada", "invite_sent", "d95", category="referral"),
        event("bob", "page_viewed", "d50", is_action=False),
    ]
    result = get_churned_users(TinyWarehouse(events, as_of="d100"))
    assert [user.person_id for user in result.users] == [person_id("ada")]
    assert result.active_before == 1


def test_nobody_was_active() -> None:
    """No denominator, no rate."""
    result = get_churned_users(TinyWarehouse(as_of="d100"))
    assert (result.count, result.active_before, result.rate, result.low) == (0, 0, None, None)
    result.table()


def test_those_who_did_most_come_first() -> None:
    """The order of the list is fixed: most core actions, then the latest."""
    events = [
        *journey("ada", render="d50"),
        *journey("bob", render=("d40", "d41")),
        *journey("cy", render="d60"),
    ]
    result = get_churned_users(TinyWarehouse(events, as_of="d100"))
    assert [user.person_id for user in result.users] == [person_id(name) for name in ("bob", "cy", "ada")]


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"window": "0d"}, "'0d' is not a length of time"),
        ({"min_activity_before": "60"}, "'60' is not a length of time"),
        ({"start": when("d0")}, "churn has no --from and --to"),
        ({"as_of": when("d101")}, "is after the build's"),
    ],
)
def test_a_question_that_cannot_be_asked(question: dict[str, Any], message: str) -> None:
    """One line that says what would be accepted."""
    with pytest.raises(UsageError) as error:
        churn.run(TinyWarehouse(as_of="d100"), make_spec(churn.ChurnSpec, **question))
    assert message in str(error.value)


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([None, "ada", "bob", "cy", "dan"]),
            st.integers(0, 30),
            st.sampled_from(["core_value", "referral"]),
            st.booleans(),
        ),
        max_size=25,
    ),
    as_of=st.integers(0, 30),
    window=st.sampled_from(["2h", "5h", "1d"]),
    before=st.sampled_from(["1h", "6h", "1m"]),
)
@settings(max_examples=80)
def test_churn_equals_its_oracle(
    rows: list[tuple[str | None, int, str, bool]], as_of: int, window: str, before: str
) -> None:
    """Lists, counts and denominators on random histories whose events sit on the edges of the spans."""
    events: list[Event] = [
        event(person, "x", DAY_0 + timedelta(hours=hour), category=category, is_action=is_action)
        for person, hour, category, is_action in rows
    ]
    now: datetime = DAY_0 + timedelta(hours=as_of)
    warehouse = TinyWarehouse(events, as_of=now)
    result = get_churned_users(warehouse, window=window, min_activity_before=before)
    warehouse.close()
    window_from = Duration.parse(window).before(now)
    oracle = usage_churn(
        events, as_of=now, window_from=window_from, before_from=Duration.parse(before).before(window_from)
    )
    assert {user.person_id: (user.core_actions_before, user.last_core_action_at) for user in result.users} == {
        person_id(name): found for name, found in oracle.churned.items()
    }
    assert (result.retained, result.newly_active) == (len(oracle.retained), len(oracle.newly_active))
    assert result.active_before == len(oracle.churned) + len(oracle.retained)
