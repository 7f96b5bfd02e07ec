"""What is built of a simulated studio's deliveries of Stripe agrees with what is true of it."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.ingest.simulator.worlds import raw_lines, truth, world
from tests.pipeline.projects import Studio

DAYS = 240
FIRST = date(2025, 10, 1)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A world, and the warehouse of its deliveries: half of the months built first, then the rest as an increment."""
    folder = world(tmp_path_factory.mktemp("world") / "world", 1_000, days=DAYS)
    studio = Studio.make(tmp_path_factory.mktemp("studio"))
    months = sorted((folder / "stripe").iterdir())
    counted = {"rows_in": 0, "landed": 0, "duplicate": 0, "quarantined": 0}
    for files in (months[::2], months[1::2]):
        summary = studio.ok("ingest", "stripe", *files, "--format", "json").json
        counted = {name: count + summary[name] for name, count in counted.items()}
        studio.ok("build", "--as-of", "2026-06-01")
    ((lines, events, duplicates, malformed),) = truth(
        folder, "select lines, events, duplicates, malformed from delivery_count where kind = 'stripe'"
    )
    assert lines == len(raw_lines(folder, "stripe"))
    assert counted == {"rows_in": lines, "landed": events, "duplicate": duplicates, "quarantined": malformed}
    copy = tmp_path_factory.mktemp("copy") / "warehouse.duckdb"
    shutil.copyfile((studio.home.root / "warehouse.duckdb").resolve(), copy)
    copy.chmod(0o600)
    return folder, copy


@pytest.mark.slow
def test_subscriptions_are_what_they_were_on_every_day(studio: tuple[Path, Path]) -> None:
    """Status, quantity, currency and interval at the end of each tenth day; who is not in the truth has ended."""
    folder, warehouse = studio
    compared = 0
    for number in range(10, DAYS, 10):
        day = FIRST + timedelta(days=number)
        true = set(
            truth(
                folder,
                "select subscription_id, status, quantity, currency, billing_interval"
                f" from subscription_day where day = date '{day}'",
            )
        )
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(
                "update build_info set as_of = $next::timestamptz - interval 1 microsecond",
                {"next": f"{day + timedelta(days=1)} 00:00:00+00"},
            )
            built = {
                row[:5]: row[5]
                for row in connection.execute(
                    "select stripe_subscription_id, stripe_status, quantity, currency, billing_interval,"
                    " cancelled_at is not null from subscription"
                ).fetchall()
            }
        assert true <= set(built), day
        assert all(
            has_ended or row[1] == "incomplete_expired" for row, has_ended in built.items() if row not in true
        ), day
        compared += len(true)
    assert compared > 500


@pytest.mark.slow
def test_revenue_is_what_was_paid_and_went_back(studio: tuple[Path, Path]) -> None:
    """Each line, of the invoice that it is of though half of the charges do not say so, and all totals."""
    folder, warehouse = studio
    names = "kind, source_id, occurred_at, currency, amount_minor, invoice_id"
    true = truth(folder, f"select {names}, subscription_id from money_line order by all")
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("update build_info set as_of = timestamptz '2026-06-01 00:00:00+00'")
        built = connection.execute(
            f"select {names}, stripe_subscription_id from revenue where is_revenue order by all"
        ).fetchall()
        totals = dict(connection.execute("select stripe_subscription_id, total_revenue from subscription").fetchall())
    assert built == true
    assert {"payment", "refund"} <= {kind for kind, *_ in true}
    brought: dict[str, Decimal] = dict.fromkeys(totals, Decimal(0))
    for *_, amount, _, subscription_id in true:
        brought[subscription_id] += Decimal(amount) / 100
    assert totals == brought


@pytest.mark.slow
def test_recurring_revenue_is_what_it_was_on_every_day(studio: tuple[Path, Path]) -> None:
    """By currency at the end of each day, to the last digit that the truth has."""
    folder, warehouse = studio
    true = truth(folder, "select day, currency, mrr from mrr_day order by day")
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("update build_info set as_of = timestamptz '2026-06-01 00:00:00+00'")
        moved = connection.execute(
            "select day, currency, sum(arr) from mrr_movement where policy = 'gdp' group by all order by day"
        ).fetchall()
    built: dict[tuple[date, str], Decimal] = {}
    totals: dict[str, Decimal] = {}
    by_day = {(day, currency): arr for day, currency, arr in moved}
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        for currency in ("usd", "eur"):
            totals[currency] = totals.get(currency, Decimal(0)) + by_day.get((day, currency), 0)
            built[day, currency] = totals[currency] / 12
    wrong = [(day, currency, mrr, built[day, currency]) for day, currency, mrr in true if built[day, currency] != mrr]
    assert wrong == []
    assert len(true) > DAYS
