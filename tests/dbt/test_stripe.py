"""What Stripe tells: one state of each subscription and one event of each fact, in whatever order it is told."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dbt.builds import Workshop, opened, rows_of
from tests.dbt.generations import GENERATIONS
from tests.dbt.stripes import day

SHAPE = (
    *("plan_id", "plan_name", "price", "currency", "quantity", "billing_cycle", "billing_interval"),
    *("billing_interval_count", "start_date", "renewal_date", "cancelled_at", "status", "stripe_status"),
)


@pytest.fixture
def built(told_by_stripe: tuple[Path, Workshop]) -> Path:
    """The build of all cases."""
    return told_by_stripe[0]


def subscriptions(file: Path, *columns: str) -> dict[str, Any]:
    """Columns of the own live subscriptions by the name of their case; one value where one column is asked for."""
    with opened(file) as connection:
        rows = connection.execute(
            f"select stripe_subscription_id, {', '.join(columns)} from subscription where livemode and account = ''"
        ).fetchall()
    return {row[0].removeprefix("sub_"): row[1] if len(columns) == 1 else row[1:] for row in rows}


def events(file: Path, condition: str, *columns: str) -> list[Any]:
    """Columns of events in the order of time; single values where one column is asked for."""
    with opened(file) as connection:
        rows = connection.execute(
            f"select {', '.join(columns)} from event where {condition} order by occurred_at, event_id"
        ).fetchall()
    return [row[0] for row in rows] if len(columns) == 1 else rows


def test_the_oldest_and_the_newest_shape_give_equal_rows(built: Path) -> None:
    """Whatever moved in the payloads since 2017."""
    found = subscriptions(built, *SHAPE, "is_start_assumed")
    assert found["old"] == found["new"]
    assert found["new"][:7] == ("price_pro", "Pro", 29, "usd", 1, "monthly", "month")
    assert found["new"][SHAPE.index("renewal_date")] == day(31)


_OF_GENERATIONS = (
    f"select stripe_subscription_id, {', '.join(SHAPE)} from subscription",
    (
        "select stripe_subscription_id, valid_from, valid_to, item_id, status, plan_id, currency, quantity, amount,"
        " share_left_forever from subscription_item_period"
    ),
    (
        "select stripe_subscription_id, day, policy, movement, movement.mrr from mrr_movement as movement"
        " inner join subscription using (subscription_id)"
    ),
    "select stripe_subscription_id, started_at, end_at, ended_at, outcome, converted_at from subscription_trial",
    (
        "select stripe_subscription_id, line_id, kind, is_revenue, occurred_at, stripe_customer_id, invoice_id,"
        " charge_id, plan_id, plan_name, product_id, amount, reporting_amount, uncounted_because from revenue"
        " where kind not in ('payment', 'tax')"
    ),
    (  # what paid an invoice stands on it only until 2025
        "select stripe_subscription_id, line_id, kind, is_revenue, occurred_at, stripe_customer_id, invoice_id,"
        " plan_id, plan_name, product_id, amount, reporting_amount, uncounted_because from revenue"
    ),
    "select stripe_subscription_id, total_revenue, reporting_revenue, revenue_unknown_because from subscription",
    (
        "select 'sub_' || regexp_extract(source_id, 'of_20..'), event_type, occurred_at, event_id from event"
        " where event_type <> 'subscription_updated'"
    ),
)


def test_every_generation_of_the_api_tells_the_same_life(built: Path) -> None:
    """Subscription, items, movements, trial and events are equal, but for the names."""
    with opened(built) as connection:
        for sql in _OF_GENERATIONS:
            lives: dict[str, list[str]] = {}
            for name, *row in connection.execute(f"{sql} order by all").fetchall():
                generation = (name or "").removeprefix("sub_")
                if generation in GENERATIONS:
                    lives.setdefault(generation, []).append(str(row).replace(generation, "NAME"))
            assert set(lives) == set(GENERATIONS), sql
            assert all(life == lives["of_2025"] for life in lives.values()), lives
    moved = "select day, mrr_movement.mrr from mrr_movement inner join subscription using (subscription_id)"
    with opened(built) as connection:
        rows = connection.execute(
            f"{moved} where policy = 'gdp' and stripe_subscription_id = 'sub_of_2017' order by 1"
        ).fetchall()
    assert rows == [(day(7).date(), 29), (day(10).date(), Decimal("14.5")), (day(20).date(), Decimal("-43.5"))]


def test_updates_of_one_second_follow_one_another(built: Path) -> None:
    """By what each says was before, from what held before the second; pieces of a broken row by the ids of events."""
    quantities = subscriptions(built, "quantity")
    names = ("chain", "chain_2017", "chain_broken", "chain_fro")
    assert {name: quantities[name] for name in names} == dict(zip(names, (7, 7, 3, 1), strict=True))
    assert subscriptions(built, "status")["chain_pause"] == "active"


def test_what_was_deleted_stays_deleted(built: Path) -> None:
    """A late update does not revive it."""
    assert subscriptions(built, "status", "cancelled_at", "quantity")["dead"] == ("cancelled", day(5), 1)
    assert events(built, "event_id = 'sub_dead:subscription_cancelled'", "occurred_at") == [day(5)]


def test_order_within_a_second(built: Path) -> None:
    """Created, updated, and what the API answered last."""
    found = subscriptions(built, "quantity", "is_start_assumed")
    assert (found["tie"], found["snap"]) == ((2, False), (5, True))
    assert [found[f"twice_{number}"] for number in range(8)] == [(2, True)] * 8
    over = subscriptions(built, "status", "cancelled_at")
    assert {row for name, row in over.items() if name.startswith("over_")} == {("cancelled", day(2))}


def test_modes_and_accounts_stay_apart(built: Path) -> None:
    """W13: equal ids of test mode or of other accounts are other subscriptions, and other events."""
    with opened(built) as connection:
        rows = connection.execute(
            "select account, livemode, quantity from subscription where stripe_subscription_id = 'sub_same' order by 3"
        ).fetchall()
    assert rows == [("", True, 1), ("", False, 2), ("acct_1", True, 3), ("acct_2", True, 4)]
    found = events(built, "event_type = 'purchase_completed' and source_id = 'sub_same'", "event_id", "properties")
    assert {event_id: json.loads(properties)["amount_minor"] for event_id, properties in found} == {
        "sub_same:purchase_completed": 1,
        "test/sub_same:purchase_completed": 2,
        "acct_1/sub_same:purchase_completed": 3,
        "acct_2/sub_same:purchase_completed": 4,
    }
    assert json.loads(events(built, "event_id = 'acct_1/sub_same:purchase_completed'", "metadata")[0]) == {
        "livemode": True,
        "account": "acct_1",
    }


def test_statuses_roll_up(built: Path) -> None:
    """W16: Stripe's own stands beside; one that is not known is null and no guess."""
    found = subscriptions(built, "status")
    assert {name.removeprefix("is_"): status for name, status in found.items() if name.startswith("is_")} == {
        "trialing": "active",
        "past_due": "past_due",
        "unpaid": "past_due",
        "incomplete": None,
        "incomplete_expired": "cancelled",
        "paused": "paused",
        "brand_new": None,
    }
    assert (found["pause"], found["endive"], found["bare"]) == ("paused", "active", None)
    assert events(built, "source_id in ('sub_is_incomplete', 'sub_is_incomplete_expired')", "event_type") == []


def test_what_is_missing_is_null_and_no_guess(built: Path) -> None:
    """W15: without a customer, of one who was deleted, without items; what tells of nothing makes no row."""
    found = subscriptions(built, "stripe_customer_id", "quantity", "mrr", "mrr_unknown_because")
    assert found["bare"] == (None, None, None, "unknown status")
    assert found["orphan"] == ("cus_orphan", 1, Decimal(29), None)
    assert None not in found
    with opened(built) as connection:
        ((rows,),) = connection.execute(
            "select count(*) from subscription where stripe_subscription_id is null"
        ).fetchall()
    assert rows == 0


def test_ends_say_why_and_when(built: Path) -> None:
    """By the reason that was told; one that is asked for lies ahead."""
    found = subscriptions(built, "churn_kind", "cancellation_feedback", "cancels_at")
    assert {name.removeprefix("why_"): of_one for name, of_one in found.items() if name.startswith("why_")} == {
        "None": ("unknown", None, None),
        "cancellation_requested": ("voluntary", "unused", None),
        "payment_failed": ("involuntary", "unused", None),
        "canceled_by_retention_policy": ("retention_policy", "unused", None),
    }
    assert found["is_incomplete_expired"] == ("involuntary", None, None)
    assert (found["leaving"], found["leaving_at"]) == ((None, None, day(31)), (None, None, day(20)))
    assert (found["new"], found["bare"]) == ((None, None, None), (None, None, None))


def test_a_trial_that_will_end_is_told_once(built: Path) -> None:
    """However often Stripe says so of one end."""
    assert events(built, "source_id = 'sub_trying' and event_type like 'trial%'", "event_type", "occurred_at") == [
        ("trial_started", day(0)),
        ("trial_will_end", day(4)),
    ]


def test_a_failed_payment_makes_past_due(built: Path) -> None:
    """Until a later payment, or until Stripe says what the subscription is."""
    found = subscriptions(built, "status", "stripe_status", "updated_at")
    assert [found[name] for name in ("due", "later_paid", "later_told", "told_at_once")] == [
        ("past_due", "active", day(5)),
        ("active", "active", day(1)),
        ("active", "active", day(6)),
        ("active", "active", day(5)),
    ]


def test_prices_and_periods(built: Path) -> None:
    """In major units of their currency; tiers have no one price."""
    found = subscriptions(built, "price", "billing_cycle")
    assert [found[name] for name in ("year", "quarter", "yen", "tiers", "bare")] == [
        (290, "annual"),
        (29, "monthly"),
        (2900, "monthly"),
        (None, "monthly"),
        (None, None),
    ]
    assert str(found["dinar"][0]) == "2.900000000000000"


def test_pauses_in_both_meanings(built: Path) -> None:
    """Of the collection, and of the subscription, which two events tell."""
    assert events(built, "source_id = 'sub_pause' and event_type <> 'subscription_started'", "event_type") == [
        "subscription_paused",
        "subscription_resumed",
        "subscription_paused",
    ]
    assert events(built, "source_id = 'sub_endive' and event_type <> 'subscription_started'", "event_type") == [
        "subscription_paused",
        "subscription_resumed",
    ]


def test_only_plan_and_quantity_make_an_update(built: Path) -> None:
    """A renewal is none."""
    found = events(built, "event_type = 'subscription_updated' and source_id not like '%chain%'", "source_id")
    assert sorted(found) == ["sub_seats", "sub_switch"]


def test_a_payment_is_one_event_whoever_tells_it(built: Path) -> None:
    """Its facts are the same in all tellings; the first above 0 is the purchase."""
    ids = "'in_1', 'in_2', 'in_3', 'in_o2'"
    assert events(built, f"event_type = 'payment_succeeded' and source_id in ({ids})", "event_id") == [
        *("in_1:payment_succeeded", "in_2:payment_succeeded", "in_o2:payment_succeeded", "in_3:payment_succeeded"),
    ]
    (properties,) = events(built, "event_id = 'in_2:payment_succeeded'", "properties")
    assert json.loads(properties) == {
        "invoice_id": "in_2",
        "subscription_id": "sub_pay",
        "currency": "usd",
        "billing_reason": "subscription_cycle",
        "amount_minor": 2900,
    }
    assert events(
        built, "event_type = 'purchase_completed' and source_id in ('sub_pay', 'sub_opay')", "event_id", "occurred_at"
    ) == [
        ("sub_opay:purchase_completed", day(3)),
        ("sub_pay:purchase_completed", day(3)),
    ]
    assert events(built, "event_id = 'sub_many:purchase_completed'", "occurred_at", "properties like '%in_m5%'") == [
        (day(5), True)
    ]
    assert rows_of(built, "event_conflict", ["event_id"]) == []


#: Neither of another generation of the API, nor of test_revenue.py.
_TOLD_ABOVE = "not regexp_matches(source_id, '^[a-z]+_(f_|m_|shared|t[0-9]+x)|of_20')"


def test_failures_refunds_disputes_checkouts(built: Path) -> None:
    """Each attempt, each refund and each dispute once, with the customer where any telling knows it."""
    kinds = "'payment_failed', 'refund_created', 'dispute_created', 'checkout_completed'"
    condition = f"event_type in ({kinds}) and {_TOLD_ABOVE}"
    assert events(built, condition, "event_id", "occurred_at", "person_key is not null") == [
        ("cs_1:checkout_completed", day(1), True),
        ("re_1:refund_created", day(8), True),
        ("dp_1:dispute_created", day(9), True),
        ("in_4:payment_failed:1", day(63), True),
        ("in_4:payment_failed:2", day(65), True),
    ]
    assert not any(events(built, "source = 'stripe'", "is_action"))


def test_invoices_that_are_given_up_are_told(built: Path) -> None:
    """Each once, with the customer."""
    condition = f"event_type in ('invoice_voided', 'invoice_uncollectible') and {_TOLD_ABOVE}"
    assert events(built, condition, "event_type", "source_id", "occurred_at", "person_key is not null") == [
        ("invoice_voided", "in_v", day(71), True),
        ("invoice_uncollectible", "in_u", day(72), True),
    ]


def test_customers_are_persons(built: Path) -> None:
    """By e-mail, by the user in the metadata, and by the reference of a checkout."""
    with opened(built) as connection:
        known = dict(
            connection.execute(
                "select identifier.id_type || ' ' || coalesce(identifier.email, identifier.id_value), owner.person_key"
                " from intermediate.int_identity__identifier as identifier"
                " inner join intermediate.int_identity__owner as owner using (identifier_key)"
            ).fetchall()
        )
        assert known["stripe_id cus_m"] == known["user_id u-ada"]
        assert known["stripe_id cus_m"] == known["email old@example.com"] == known["email new@example.com"]
        assert known["stripe_id cus_pay"] == known["user_id ada"] != known["user_id u-ada"]
        names = connection.execute(
            "select name, email, metadata from person where person_key = $key", {"key": known["user_id u-ada"]}
        ).fetchall()
    assert names == [("Ada L", "new@example.com", '{"country":"DE"}')]
    assert events(built, "source_id = 'cus_m'", "event_type", "occurred_at") == [
        ("customer_created", day(0)),
        ("customer_updated", day(5)),
        ("customer_updated", day(9)),
    ]


def test_as_of_cuts_what_was_told_later(built: Path, tmp_path: Path) -> None:
    """A reader of an earlier day sees the subscriptions as they were told by then."""
    earlier = tmp_path / "earlier.duckdb"
    shutil.copyfile(built, earlier)
    earlier.chmod(0o600)
    with duckdb.connect(str(earlier)) as connection:
        connection.execute("update build_info set as_of = $as_of", {"as_of": day(4.5)})
    found = subscriptions(earlier, "status", "quantity")
    assert (found["pause"], "dead" in found, "endive" in found) == (("paused", 1), False, False)
    with duckdb.connect(str(earlier)) as connection:
        connection.execute("update build_info set as_of = $as_of", {"as_of": day(3.5)})
    found = subscriptions(earlier, "status", "quantity")
    assert (found["pause"], found["tie"], "year" in found) == (("active", 1), ("active", 2), False)
    with duckdb.connect(str(earlier)) as connection:
        connection.execute("update build_info set as_of = $as_of", {"as_of": day(5.5)})
    found = subscriptions(earlier, "status")
    assert (found["later_paid"], found["later_told"]) == ("past_due", "past_due")
