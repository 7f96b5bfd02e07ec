"""Real payloads of Stripe give what docs/stripe.md says of them."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from models.landing import STRIPE
from tests.dbt.builds import opened
from tests.dbt.definitions import stripe_workshop
from tests.dbt.payloads import AS_OF, FOLDER, deliveries

PAGE = Path(__file__).parent.parent.parent / "docs" / "stripe.md"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the payloads are not at hand")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of all payloads."""
    shop = stripe_workshop(tmp_path_factory.mktemp("payloads"))
    shop.land(deliveries(), STRIPE)
    return shop.build(AS_OF)


def table(heading: str) -> list[list[str]]:
    """The rows of the table below a heading of the page, without marks of code."""
    section = PAGE.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in section.splitlines() if "|" in line
    ]
    return rows[2:]


def shown(value: object) -> str:
    """A value as the page writes it."""
    return "–" if value is None else f"{value:.2f}" if isinstance(value, Decimal) else str(value)


@pytest.mark.slow
def test_subscriptions_are_what_the_page_says(built: Path) -> None:
    """Each of them, and no other."""
    with opened(built) as connection:
        rows = connection.execute(
            "select stripe_subscription_id, status, plan_id, quantity, price, currency, billing_interval,"
            " start_date::date, renewal_date::date, mrr, mrr_unknown_because from subscription order by 1"
        ).fetchall()
    found = [
        [*map(shown, row[:4]), f"{shown(row[4])} {row[5]}", *map(shown, row[6:9]), row[10] or shown(row[9])]
        for row in rows
    ]
    assert found == [[row[0], *row[2:]] for row in table("Subscriptions")]
    assert len(found) > 30


@pytest.mark.slow
def test_events_are_what_the_page_says(built: Path) -> None:
    """Of each object of the table, each once."""
    with opened(built) as connection:
        rows = connection.execute(
            "select source_id, event_type, occurred_at::date from event where source = 'stripe' order by 1, 2"
        ).fetchall()
    expected = table("Events")
    objects = {row[0] for row in expected}
    assert [[*map(shown, row)] for row in rows if row[0] in objects] == expected
    assert len(expected) > 6


def test_the_page_names_objects_and_no_secrets() -> None:
    """Ids, amounts and times alone."""
    assert not re.search(r"(sk|rk|whsec|pk)_|@", PAGE.read_text())
