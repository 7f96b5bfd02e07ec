"""The ledger of subscriptions: items and what they are worth, against an oracle, in whatever order it is told."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics.mrr import monthly
from analytics.mrr_versus import versus
from models.fx import FxRate, FxRates
from models.landing import STRIPE
from tests.analytics.builders import Asked
from tests.dbt.billing import billing, moments_of
from tests.dbt.builds import Workshop, hashes, opened, rows_of
from tests.dbt.definitions import stripe_workshop
from tests.dbt.ledger import (
    DURATIONS,
    PERIODS_PER_YEAR,
    POLICIES,
    ItemState,
    arr,
    attempts_of,
    items_at,
    movements,
    tellings,
    worth_at,
)
from tests.dbt.ledger_cases import MOVED, MOVED_OTHERWISE, WORTH, deliveries
from tests.dbt.sales import Sales, moments
from tests.dbt.stripes import NOW, day
from tests.dbt.trial_cases import TRIALS, trial_lives, trials_of

#: Currency, day from which it holds, and rate; kwd has one too late, jpy none.
RATES = (
    *(("eur", 0, "1.1"), ("eur", 4, "1.123456789012"), ("eur", 20, "1.05"), ("eur", 55, "1.3")),
    *(("kwd", 3, "3.25"), ("xyz", 0, "5")),
)
PERIOD = (
    *("item_id", "plan_id", "currency", "status", "is_collection_paused", "is_assumed"),
    *("amount", "billing_interval", "billing_interval_count"),
    *(f"share_left_{duration}" for duration in DURATIONS),
    *(f"amount_off_{duration}" for duration in DURATIONS),
)


@pytest.fixture(scope="module")
def sales() -> list[dict[str, Any]]:
    return Sales(seed=5, subscriptions=150, customers=60).deliveries()


@pytest.fixture(scope="module")
def folded(sales: list[dict[str, Any]]) -> Any:
    """What was told of each subscription in its order, and the attempts to collect."""
    return tellings(sales), attempts_of(sales)


@pytest.fixture(scope="module", params=[1, pytest.param(3, marks=pytest.mark.slow)], ids="{} builds".format)
def ledger(
    request: pytest.FixtureRequest, sales: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Workshop]:
    """Cases and random lives, landed in any order and built in one step or in three."""
    shop = stripe_workshop(tmp_path_factory.mktemp("ledger"))
    shop.fx = FxRates(
        rates=tuple(
            FxRate(day=day(number).date(), currency=currency, rate=Decimal(rate)) for currency, number, rate in RATES
        )
    )
    told = [*deliveries(), *trial_lives(), *sales]
    for part in range(request.param):
        shop.land(told[part :: request.param], STRIPE)
        file = shop.build(NOW)
    return file, shop


@pytest.fixture
def built(ledger: tuple[Path, Workshop]) -> Path:
    return ledger[0]


@pytest.mark.slow
@pytest.mark.parametrize("ledger", [3], ids="{} builds".format, indirect=True)
def test_increments_equal_a_build_from_nothing(ledger: tuple[Path, Workshop]) -> None:
    """Every table."""
    file, shop = ledger
    assert hashes(file) == hashes(shop.build(NOW, full=True))


def test_items_are_what_was_told_at_every_time(built: Path, folded: Any) -> None:
    """Price, quantity, tiers, discounts, pauses and failed payments: the fold of what was told, at any time."""
    told, attempts = folded
    rows = rows_of(built, "subscription_item_period", ("stripe_subscription_id", "valid_from", "valid_to", *PERIOD))
    compared = 0
    for moment in moments(1, 40):
        expected = {
            (name, item.item_id): _rounded(item)
            for name, of_one in told.items()
            for item in items_at(moment, of_one, attempts.get(name, ())).values()
        }
        found = {
            (row["stripe_subscription_id"], row["item_id"]): _rounded(_state(row))
            for row in rows
            if row["stripe_subscription_id"] in told
            and row["valid_from"] <= moment
            and (row["valid_to"] is None or moment < row["valid_to"])
        }
        assert found == expected, moment
        compared += len(found)
    assert compared > 3_000


def test_a_period_ends_where_something_changes(built: Path) -> None:
    """Two that follow each other differ in more than their times."""
    names = ("stripe_subscription_id", "item_id", "valid_from", "valid_to", "told_by")
    with opened(built) as connection:
        rows = connection.execute(
            f"select * exclude ({', '.join(names)}), valid_from, valid_to, stripe_subscription_id, item_id"
            " from subscription_item_period order by stripe_subscription_id, item_id, valid_from"
        ).fetchall()
    followed = [(one, other) for one, other in pairwise(rows) if one[-2:] == other[-2:] and one[-3] == other[-4]]
    assert len(followed) > 100
    assert [one for one, other in followed if one[:-4] == other[:-4]] == []


@pytest.mark.parametrize("policy", POLICIES)
def test_movements_are_what_the_days_say(built: Path, folded: Any, policy: str) -> None:
    """New, reactivation, expansion, contraction and churn of each item, by the customer and the day."""
    with opened(built) as connection:
        rows = connection.execute(
            "select datediff('day', date '2026-01-01', day), movement, stripe_subscription_id, item_id,"
            " mrr_movement.plan_id, mrr_movement.currency, mrr_movement.arr"
            " from mrr_movement inner join subscription using (subscription_id) where policy = $policy"
            " and regexp_matches(item_id, '^si_r[0-9]+_')",
            {"policy": policy},
        ).fetchall()
    expected = {(day, kind, *whose): float(moved) for day, kind, whose, moved in movements(*folded, policy, days=100)}
    assert {row[:6]: float(row[6]) for row in rows} == pytest.approx(expected, abs=1e-3)
    assert {row[1] for row in rows} == {"new", "reactivation", "expansion", "contraction", "churn"}
    assert len(rows) > 350


@pytest.mark.parametrize("as_of", [20.5, 33.25, 50])
def test_an_earlier_reader_sees_the_movements_until_then(
    built: Path, folded: Any, as_of: float, tmp_path: Path
) -> None:
    """What is worth something at as_of is what moved until then, and what lies ahead has not moved yet."""
    earlier = tmp_path / "earlier.duckdb"
    shutil.copyfile(built, earlier)
    earlier.chmod(0o600)
    moment = day(as_of)
    with duckdb.connect(str(earlier)) as connection:
        connection.execute("update build_info set as_of = $as_of", {"as_of": moment})
    with opened(earlier) as connection:
        rows = connection.execute(
            "select movement.currency, sum(movement.arr) from mrr_movement as movement"
            " where policy = 'gdp' and regexp_matches(item_id, '^si_r[0-9]+_')"
            " group by 1 order by 1"
        ).fetchall()
        last = connection.execute("select max(day) from mrr_movement").fetchall()[0][0]
    worth: dict[str, Fraction] = {}
    for (_, whose), value in worth_at(moment, *folded, "gdp").items():
        worth[whose[3]] = worth.get(whose[3], Fraction(0)) + value
    assert {currency: float(total) for currency, total in rows} == pytest.approx(
        {currency: float(total) for currency, total in worth.items()}, abs=1e-2
    )
    assert last <= moment.date()


def test_each_policy_counts_what_it_says(built: Path) -> None:
    """Statuses, pauses, discounts, intervals, tiers and currencies; exact to 15 digits."""
    with opened(built) as connection:
        rows = connection.execute(
            "select subscription.stripe_subscription_id, policy, sum(movement.arr) / 12, min(subscription.mrr)"
            " from mrr_movement as movement inner join subscription using (subscription_id) group by all"
        ).fetchall()
        own = {
            name: (mrr, because)
            for name, *(mrr, because) in connection.execute(
                "select stripe_subscription_id, mrr, mrr_unknown_because from subscription"
            ).fetchall()
        }
    found = {(name, policy): mrr for name, policy, mrr, _ in rows}
    for name, (_, worth) in WORTH.items():
        by_policy = [found.get((f"sub_{name}", policy), 0) for policy in ("gdp", "stripe", "chartmogul")]
        known = ("0", "0", "0") if isinstance(worth, str) else worth
        assert by_policy == pytest.approx([float(mrr) for mrr in known], rel=1e-14), name
        assert own[f"sub_{name}"] == ((None, worth) if isinstance(worth, str) else (Decimal(worth[0]), None)), name


def test_what_is_not_known_says_why(built: Path) -> None:
    """A subscription that counts without a worth is told with its reason, by each policy that would count it."""
    with opened(built) as connection:
        rows = connection.execute(
            "select stripe_subscription_id, reason, list(policy order by policy) from mrr_unknown group by all"
        ).fetchall()
    told = {name: (reason, policies) for name, reason, policies in rows if not re.match("sub_r[0-9]+$", name)}
    every = sorted(POLICIES)
    assert told == {f"sub_{name}": (why, every) for name, (_, why) in WORTH.items() if isinstance(why, str)}


def test_what_has_no_price_says_why(built: Path) -> None:
    """Nothing is taken for nothing in silence; usage that is metered has no price, which is known."""
    with opened(built) as connection:
        rows = connection.execute(
            "select item_id, unpriced_because from subscription_item_period"
            " where unpriced_because is not null and not regexp_matches(item_id, '^si_r[0-9]+_')"
        ).fetchall()
        unpriced = connection.execute(
            "select count(*) from subscription_item_period where (amount is null) <> (unpriced_because is not null)"
        ).fetchall()
    no_prices = {"discount not told", "items missing", "no items", "unknown status"}
    expected = {f"si_{name}": why for name, (_, why) in WORTH.items() if isinstance(why, str) and why not in no_prices}
    assert dict(rows) == expected | {"si_metered": "metered", "si_untold_trial": "no amount"}
    assert unpriced == [(0,)]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", MOVED)
def test_movements_follow_the_payer(built: Path, name: str, policy: str) -> None:
    """One kind for each day of a person, whatever subscriptions and items moved."""
    with opened(built) as connection:
        rows = connection.execute(
            "select movement.day, movement, movement.mrr from mrr_movement as movement"
            " inner join subscription using (subscription_id)"
            " where policy = $policy and stripe_customer_id = $customer order by 1, 2, 3",
            {"customer": f"cus_{name}", "policy": policy},
        ).fetchall()
    moves = MOVED_OTHERWISE.get((name, policy), MOVED[name])
    assert rows == sorted((day(number).date(), kind, Decimal(str(moved))) for number, kind, moved in moves)


def test_accounts_stay_apart(built: Path) -> None:
    """Each has its own subscriptions, movements and days, though ids, and the person, are the same."""
    with opened(built) as connection:
        rows = connection.execute(
            "select account, movement.day, movement, movement.mrr from mrr_movement as movement"
            " where policy = 'gdp' and item_id = 'si_shared' order by 1, 2"
        ).fetchall()
        worth = connection.execute(
            "select account, mrr, status from subscription where stripe_subscription_id = 'sub_shared' order by 1"
        ).fetchall()
        days = connection.execute(
            "select account, day, end_mrr from mrr_daily where policy = 'gdp' and account <> '' order by 1, 2"
        ).fetchall()
    assert rows == [
        ("", day(1).date(), "new", 29),
        ("acct_1", day(3).date(), "new", 58),
        ("acct_1", day(8).date(), "contraction", -29),
        ("acct_2", day(2).date(), "new", 29),
        ("acct_2", day(5).date(), "churn", -29),
    ]
    assert worth == [("", 29, "active"), ("acct_1", 29, "active"), ("acct_2", 0, "cancelled")]
    assert days == [
        ("acct_1", day(3).date(), 58),
        ("acct_1", day(8).date(), 29),
        ("acct_2", day(2).date(), 29),
        ("acct_2", day(5).date(), 0),
    ]


def test_modes_stay_apart(built: Path) -> None:
    """Who paid in test mode has never paid."""
    with opened(built) as connection:
        rows = connection.execute(
            "select livemode, movement.movement from mrr_movement as movement"
            " where policy = 'gdp' and item_id = 'si_tried' order by 1"
        ).fetchall()
    assert rows == [(False, "new"), (True, "new")]


def test_days_add_up(built: Path) -> None:
    """Start and movements are the end, and the end is the next start."""
    with opened(built) as connection:
        rows = connection.execute(
            "select start_arr + new_arr + reactivation_arr + expansion_arr + contraction_arr + churn_arr = end_arr,"
            " start_arr = lag(end_arr, 1, 0::decimal(38, 15)) over (partition by policy, account, livemode, currency,"
            " product_id, plan_id, plan_name order by day) from mrr_daily"
        ).fetchall()
    assert len(rows) > 40
    assert set(rows) == {(True, True)}


def _state(row: dict[str, Any]) -> ItemState:
    year = Fraction(PERIODS_PER_YEAR[row["billing_interval"]], row["billing_interval_count"])
    return ItemState(
        *(row[name] for name in PERIOD[:6]),
        list_arr=None if row["amount"] is None else Fraction(row["amount"]) * year,
        shares=tuple(Fraction(row[f"share_left_{duration}"]) for duration in DURATIONS),
        offs=tuple(Fraction(row[f"amount_off_{duration}"]) * year for duration in DURATIONS),
    )


def _rounded(item: ItemState) -> tuple[Any, ...]:
    numbers = [item.list_arr, *item.shares, *item.offs]
    texts = (item.item_id, item.plan_id, item.currency, item.status, item.is_collection_paused, item.is_assumed)
    return *texts, *(None if number is None else round(float(number), 2) for number in numbers)


_BILLING = """
select link.id_value, property.property, property.value, property.valid_from, property.valid_to
from person_property as property
inner join identity_link as link on property.person_key = link.person_key and link.id_type = 'stripe_id'
where property.property in ('billing_status', 'billing_plan', 'mrr', 'status')
"""


def test_persons_have_the_billing_that_their_subscriptions_say(
    built: Path, sales: list[dict[str, Any]], folded: Any
) -> None:
    """Status, plan and MRR at every time at which something changes, from the first event on."""
    with opened(built) as connection:
        rows = connection.execute(_BILLING).fetchall()
        first_seen = dict(
            connection.execute(
                "select id_value, min(occurred_at) from event inner join identity_link using (person_key)"
                " where id_type = 'stripe_id' group by all"
            ).fetchall()
        )
    held: dict[str, list[tuple[Any, ...]]] = {}
    for customer, *row in rows:
        held.setdefault(customer, []).append(tuple(row))
    (told, attempts), times = folded, moments_of(sales)
    seen: Counter[str] = Counter()
    for customer in {of_one[-1].says["customer"] for of_one in told.values()}:
        mine = {name: of_one for name, of_one in told.items() if of_one[-1].says["customer"] == customer}
        for moment, expected in billing(mine, attempts, times):
            if expected is None or moment < first_seen[customer]:
                continue
            found = {
                name: value
                for name, value, since, until in held[customer]
                if since <= moment and (until is None or moment < until)
            }
            assert (found["billing_status"], found.get("billing_plan")) == (expected.status, expected.plan), moment
            # None of them acts, so without billing they are inactive.
            assert found["status"] == {"past_due": "paid", "none": "inactive"}.get(expected.status, expected.status)
            if expected.is_clear:
                assert _is_about(found.get("mrr"), expected.mrr), (customer, moment)
            seen[expected.status] += 1
    assert set(seen) == {"past_due", "paid", "trial", "churned", "none"}
    assert min(seen.values()) > 40


def _is_about(text: str | None, value: Fraction | None) -> bool:
    """Whether it is the same to 9 digits behind the point, in which a share of a discount may differ."""
    if text is None or value is None:
        return text is value
    return abs(Fraction(text) - value) < Fraction(1, 10**9)


def test_what_is_not_known_is_no_mrr_of_a_person(built: Path) -> None:
    """A rule on it matches nobody then; a trial is worth 0."""
    with opened(built) as connection:
        found = {
            (customer, name): value
            for customer, name, value, since, until in connection.execute(_BILLING).fetchall()
            if since <= NOW and (until is None or until > NOW)
        }
    persons = [name for name in WORTH if (f"cus_{name}", "billing_status") in found]
    assert len(persons) > 40
    for name in persons:
        worth = WORTH[name][1]
        assert found.get((f"cus_{name}", "mrr")) == (None if isinstance(worth, str) else worth[0]), name
    assert found["cus_trial", "billing_status"] == "trial"
    assert found["cus_past_due", "billing_status"] == "past_due"
    assert found["cus_plain", "billing_status"] == "paid"


@pytest.mark.parametrize("name", TRIALS)
def test_trials_are_what_became_of_them(built: Path, name: str) -> None:
    """When each began, was to end and ended, and whether something was paid for what came after it."""
    with opened(built) as connection:
        rows = connection.execute(
            "select started_at, first_end_at, end_at, ended_at, is_extended, outcome, converted_at"
            " from subscription_trial where stripe_subscription_id = $name order by started_at",
            {"name": f"sub_try_{name}"},
        ).fetchall()
    times = (0, 1, 2, 3, 6)
    expected = [
        tuple(value if place not in times or value is None else day(value) for place, value in enumerate(trial))
        for trial in TRIALS[name]
    ]
    assert rows == expected


def test_trials_of_random_lives_go_as_the_words_say(built: Path, sales: list[dict[str, Any]], folded: Any) -> None:
    """Each against the rule in plain Python."""
    (told, attempts), times = folded, moments_of(sales)
    with opened(built) as connection:
        rows = connection.execute(
            "select stripe_subscription_id, started_at, ended_at, outcome, converted_at from subscription_trial"
            " where regexp_matches(stripe_subscription_id, '^sub_r[0-9]+$')"
        ).fetchall()
    expected = {
        (name, *trial)
        for name, of_one in told.items()
        for trial in trials_of(of_one, attempts.get(name, ()), times, NOW)
    }
    assert set(rows) == expected
    assert {row[3] for row in rows} >= {"running", "converted", "churned", "unpaid"}


def test_days_add_up_in_the_reporting_currency(built: Path) -> None:
    """Each day against fractions: movements at its rate, what a rate moves by itself; without a rate nothing."""
    kinds = ("new", "reactivation", "expansion", "contraction", "churn")
    names = ", ".join(f"{kind}_arr, {kind}_reporting_arr" for kind in kinds)
    with opened(built) as connection:
        rows = connection.execute(
            "select policy, currency, product_id, plan_id, plan_name, livemode,"
            " datediff('day', date '2026-01-01', day), unreported_because, start_arr, end_arr,"
            f" start_reporting_arr, fx_reporting_arr, end_reporting_arr, {names} from mrr_daily"
            " where account = ''"
            " order by 1, 2, 3, 4, 5, 6, 7"
        ).fetchall()
    seen: Counter[str] = Counter()
    ended: dict[tuple[Any, ...], Any] = {}
    for row in rows:
        key, (number, because, start, end, start_reported, fx, end_reported), moved = row[:6], row[6:13], row[13:]
        known = [(since, Fraction(rate)) for of, since, rate in RATES if of == key[1] and since <= number]
        rates = [(0, Fraction(1))] if key[1] == "usd" else known
        if key[1] in ("jpy", "kwd"):
            assert (because, start_reported, fx, end_reported, set(moved[1::2])) == (
                "no rate",
                None,
                None,
                None,
                {None},
            )
            seen[because] += 1
            continue
        now, before = rates[-1][1], (rates[-2] if len(rates) > 1 and rates[-1][0] == number else rates[-1])[1]
        assert because is None
        assert float(end_reported) == pytest.approx(float(Fraction(end) * now), abs=1e-9)
        assert float(fx) == pytest.approx(float(Fraction(start) * (now - before)), abs=1e-9)
        for own, reported in zip(moved[::2], moved[1::2], strict=True):
            assert float(reported) == pytest.approx(float(Fraction(own) * now), abs=1e-9)
        assert start_reported + fx + sum(moved[1::2]) == end_reported
        assert start_reported == ended.get(key, 0)
        ended[key] = end_reported
        seen["fx" if fx else "no fx"] += 1
    assert min(seen["fx"], seen["no fx"], seen["no rate"]) > 5


class Opened(Asked):
    """A generation as a report sees it."""

    as_of = NOW

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection


_ITEMS_NOW = f"""
select payer.payer, period.currency, {", ".join("period." + name for name in PERIOD)}
from subscription_item_period as period
inner join intermediate.int_mrr__payer as payer using (subscription_key)
where period.livemode and unpriced_because is null and unknown_discounts = 0 and not has_more_items
    and valid_from <= $now and (valid_to is null or valid_to > $now)"""


@pytest.mark.parametrize(("policy", "other"), [("gdp", "stripe"), ("gdp", "chartmogul"), ("chartmogul", "stripe")])
def test_the_switches_that_are_named_explain_all_of_a_difference(
    built: Path, policy: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one policy with those of the other for what is named gives each customer the other's MRR."""
    with opened(built) as connection:
        engine = Opened(connection)
        found = versus(engine, policy, other)
        items: dict[tuple[str, str], list[ItemState]] = {}
        for row in engine.dicts(_ITEMS_NOW, {"now": NOW}):
            items.setdefault((row["payer"], row["currency"]), []).append(_state(row))
    switches: Counter[str] = Counter()
    for one in found.customers:
        assert one.because, one
        statuses, counts_paused, durations = (
            set(part) if isinstance(part, tuple) else part for part in POLICIES[policy]
        )
        for reason in one.because:
            what, by = re.fullmatch(r"(.*) (?:counts|is taken off) by (\w+) only", reason).groups()  # type: ignore[union-attr]
            if what == "a paused collection":
                counts_paused = by == other
            else:
                changed = durations if what.startswith("a discount") else statuses
                (changed.add if by == other else changed.discard)(what.split()[-1])
            switches[what] += 1
        monkeypatch.setitem(POLICIES, "applied", (tuple(statuses), counts_paused, tuple(durations)))
        mine = items[one.payer, one.currency]
        for name, mrr in (("applied", one.versus_mrr), (other, one.versus_mrr), (policy, one.mrr)):
            worth = sum((arr(item, name) for item in mine), Fraction(0))
            assert monthly(Decimal(worth.numerator) / worth.denominator, one.currency) == mrr, (one, name)
    assert len(found.customers) > 3
    assert len(switches) > (0 if "stripe" not in (policy, other) else 2)
