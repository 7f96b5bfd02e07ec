"""Subscriptions counted by status and plan, against counting the rows of the built sample."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from analytics import get_subscriptions
from tests.pipeline.projects import Studio
from warehouse.reader import open_warehouse

ROWS = """
select stripe_subscription_id, coalesce(status, 'unsettled'), plan_name, currency, mrr, person_id
from subscription where livemode"""


@pytest.fixture
def rows(sample: Studio) -> list[tuple[Any, ...]]:
    """What is to be counted."""
    with open_warehouse(sample.home) as warehouse:
        return warehouse.rows(ROWS)


def test_groups_are_those_of_counting(sample: Studio, rows: list[tuple[Any, ...]]) -> None:
    """Each status, plan and currency, the active ones first."""
    with open_warehouse(sample.home) as warehouse:
        found = get_subscriptions(warehouse)
    counted = Counter((status, plan, currency) for _, status, plan, currency, *_ in rows)
    worth: dict[Any, Decimal] = {}
    for _, status, plan, currency, mrr, _ in rows:
        worth[status, plan, currency] = worth.get((status, plan, currency), Decimal(0)) + (mrr or 0)
    assert {(group.status, group.plan, group.currency): group.subscriptions for group in found.groups} == counted
    assert {(group.status, group.plan, group.currency): group.mrr for group in found.groups} == worth
    assert found.count == len(rows) > 30
    assert found.groups[0].status == "active"
    assert found.subscriptions is None


@pytest.mark.parametrize("status", ["active", "past_due", "paused", "cancelled", "unsettled"])
def test_they_are_listed_one_by_one(sample: Studio, rows: list[tuple[Any, ...]], status: Any) -> None:
    """Of a status, the latest start first."""
    with open_warehouse(sample.home) as warehouse:
        found = get_subscriptions(warehouse, status=status, each=True)
    assert found.subscriptions is not None
    assert sorted(one.stripe_subscription_id for one in found.subscriptions) == sorted(
        row[0] for row in rows if row[1] == status
    )
    starts = [one.start_date for one in found.subscriptions if one.start_date]
    assert starts == sorted(starts, reverse=True)


def test_a_plan_may_be_named(sample: Studio, rows: list[tuple[Any, ...]]) -> None:
    """By its name; none of an unknown one."""
    plan = rows[0][2]
    found = sample.ok("subscriptions", "--plan", plan, "--format", "json").json
    assert found["count"] == sum(row[2] == plan for row in rows) > 0
    assert sample.ok("subscriptions", "--plan", "none of ours", "--format", "json").json["groups"] == []


def test_what_a_person_reads(sample: Studio) -> None:
    """A line of totals, and a table of groups or of subscriptions."""
    shown = sample.ok("subscriptions").out.splitlines()
    assert shown[0] == "Subscriptions"
    assert shown[1].endswith("as of 2026-07-01 00:00 UTC; live mode, MRR by the default policy.")
    assert shown[3].split() == ["status", "plan", "currency", "subscriptions", "unknown", "mrr"]
    assert sample.ok("subscriptions", "--each").out.splitlines()[3].split()[:2] == ["subscription", "status"]
    assert sample.gdp("subscriptions", "--status", "lost").code == 2
