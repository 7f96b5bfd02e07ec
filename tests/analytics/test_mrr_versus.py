"""Two revenue policies side by side: who differs, by how much, and by which switch."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from analytics.mrr_versus import versus
from models.errors import UsageError
from tests.analytics.builders import Asked
from tests.pipeline.projects import Studio
from warehouse.reader import open_warehouse

TABLES = """
    create table revenue_policy as from (values
        ('gdp', true, 'active past_due', 'forever repeating'),
        ('stripe', false, 'active past_due paused', 'forever'),
        ('chartmogul', false, 'active past_due', 'forever repeating once')
    ) as shipped(policy, is_default, statuses, discount_durations);
    create table mrr_movement (
        payer varchar, item_id varchar, policy varchar, arr decimal(38, 15), currency varchar default 'usd',
        livemode boolean default true, account varchar default '', subscription_id varchar default 's'
    );
    create table subscription_item_period (
        item_id varchar, status varchar, is_collection_paused boolean,
        share_left_forever decimal(9, 6), share_left_repeating decimal(9, 6), share_left_once decimal(9, 6),
        amount_off_forever decimal(9, 2) default 0, amount_off_repeating decimal(9, 2) default 0,
        amount_off_once decimal(9, 2) default 0,
        subscription_id varchar default 's', valid_from timestamptz default '2026-01-01', valid_to timestamptz
    )
"""
#: Payer, item, what holds of it, and its worth in a year by each policy.
ITEMS: list[tuple[str, str, tuple[Any, ...], tuple[int, int, int]]] = [
    ("plain", "i1", ("active", False, 1, 1, 1), (120, 120, 120)),
    ("paused", "i2", ("paused", False, 1, 1, 1), (0, 240, 0)),
    ("held", "i3", ("active", True, 1, 1, 1), (0, 360, 0)),
    ("both", "i4", ("active", False, 1, 0.5, 1), (60, 120, 60)),
    ("both", "i5", ("active", False, 1, 1, 0.5), (120, 120, 60)),
    ("forever", "i6", ("active", False, 0.5, 1, 1), (60, 60, 60)),
]


class Ledger(Asked):
    """An open warehouse with these items."""

    as_of = datetime(2026, 5, 10, tzinfo=timezone.utc)

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": "1"})
        self.connection.execute("set TimeZone = 'UTC'")
        self.connection.execute(TABLES)
        for payer, item, holds, worth in ITEMS:
            marks = ", ".join("?" * (len(holds) + 1))
            names = "item_id, status, is_collection_paused, share_left_forever, share_left_repeating, share_left_once"
            self.connection.execute(f"insert into subscription_item_period ({names}) values ({marks})", [item, *holds])
            for policy, arr in zip(("gdp", "stripe", "chartmogul"), worth, strict=True):
                self.connection.execute(
                    "insert into mrr_movement (payer, item_id, policy, arr) values (?, ?, ?, ?)",
                    [payer, item, policy, arr],
                )


@pytest.mark.parametrize(
    ("policy", "other", "customers"),
    [
        (
            None,
            "stripe",
            [
                ("held", 0, 30, ("a paused collection counts by stripe only",)),
                ("paused", 0, 20, ("status paused counts by stripe only",)),
                ("both", 15, 20, ("a discount repeating is taken off by gdp only",)),
            ],
        ),
        ("gdp", "chartmogul", [("both", 15, 10, ("a discount once is taken off by chartmogul only",))]),
        (
            "stripe",
            "chartmogul",
            [
                ("held", 30, 0, ("a paused collection counts by stripe only",)),
                ("paused", 20, 0, ("status paused counts by stripe only",)),
                (
                    *("both", 20, 10),
                    (
                        "a discount repeating is taken off by chartmogul only",
                        "a discount once is taken off by chartmogul only",
                    ),
                ),
            ],
        ),
    ],
)
def test_each_switch_is_named(policy: str | None, other: str, customers: list[tuple[Any, ...]]) -> None:
    """Of every customer whose items differ, the largest difference first; the others are in the totals alone."""
    found = versus(Ledger(), policy, other)
    assert [(one.payer, one.mrr, one.versus_mrr, one.because) for one in found.customers] == customers
    [total] = found.totals
    assert total.difference == sum(one.difference for one in found.customers) != 0
    assert total.mrr == sum(mrr for _, mrr, _, _ in customers) + total.versus_mrr - sum(
        mrr for _, _, mrr, _ in customers
    )


@pytest.mark.parametrize("other", ["stripe", "chartmogul"])
def test_the_differences_of_the_sample_are_all_explained(sample: Studio, other: str) -> None:
    """Each customer whose movements add up to another sum, with a reason, and no other."""
    with open_warehouse(sample.home) as warehouse:
        found = versus(warehouse, "gdp", other)
        moved = warehouse.rows("select policy, payer, currency, arr from mrr_movement where livemode")
    worth: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for policy, payer, currency, arr in moved:
        worth[payer, currency][policy] += arr
    differ = {whose for whose, by in worth.items() if by["gdp"] != by[other]}
    assert {(one.payer, one.currency) for one in found.customers} == differ
    assert all(one.because for one in found.customers)
    assert len(worth) > 30
    assert (other == "stripe") == bool(differ)


def test_the_totals_are_those_of_both_reports(sample: Studio) -> None:
    """As gdp mrr ends by each policy."""
    found = sample.ok("mrr", "--versus", "stripe", "--format", "json").json
    for policy, name in (("gdp", "mrr"), ("stripe", "versusMrr")):
        rows = sample.ok("mrr", "--policy", policy, "--format", "json").json["rows"]
        last = {row["currency"]: row["end"] for row in sorted(rows, key=lambda row: row["intervalStart"])}
        assert {total["currency"]: total[name] for total in found["totals"]} == last


@pytest.mark.parametrize(
    ("policy", "other", "says"),
    [
        (None, "stripx", r"no revenue policy 'stripx' \(did you mean 'stripe'"),
        ("gpd", "stripe", "no revenue policy 'gpd'"),
        (None, "gdp", "--versus gdp: that is the policy itself"),
    ],
)
def test_policies_must_be_two_that_are_known(policy: str | None, other: str, says: str) -> None:
    """One line says which."""
    with pytest.raises(UsageError, match=says):
        versus(Ledger(), policy, other)


def test_what_a_person_reads(sample: Studio) -> None:
    """Totals and customers; what would be passed over is refused, for the comparison is of customers and of now."""
    shown = sample.ok("mrr", "--versus", "stripe").out
    assert shown.startswith("MRR by gdp and by stripe\nAs of 2026-07-01 00:00 UTC; live mode. They disagree on ")
    assert "Customers" in shown
    for others in ("--as-of", "2026-05-01"), ("--by", "plan"), ("--interval", "month"), ("--tz", "UTC"), ("--steps",):
        refused = sample.gdp("mrr", "--versus", "stripe", *others)
        assert (refused.code, refused.err) == (
            2,
            f"gdp: --versus compares customers at the build's now: leave out {others[0]}\n",
        )
