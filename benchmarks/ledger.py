"""The ledger: from a million deliveries of Stripe to subscriptions and movements, and an increment of a thousand.

    python -m benchmarks.ledger [--events 1000000] [--keep FOLDER]

A subscription lives through 21 deliveries: its customer is made, it is created, paid each month (the invoice, the
charge and what joins the two), changes its seats, fails a payment, and one of three ends. Of some, money goes back: one
payment of four subscriptions is refunded, one of twenty contested and lost. Files are landed as ``gdp ingest
stripe`` does it; the build is a whole one, with all tests. The fixed cost of an increment is that of one subscription
more in a project of ten.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from benchmarks.build import MEMORY_AT_MOST_GB, Took, apart, timed, verdict
from ingest.events import land_files
from ingest.options import LandOptions
from pipeline.build import build
from pipeline.project import Project, find_project, init_project

BUILD_AT_MOST_SECONDS = 90
INCREMENT_AT_MOST_SECONDS = 3
INCREMENT_EVENTS = 1_000
START = datetime(2026, 1, 1, tzinfo=timezone.utc)
NOW = datetime(2026, 12, 1, tzinfo=timezone.utc)
_EACH = 21
_MONTHS = 4
_FEW = 10
_TIMES = 2


def main(arguments: Sequence[str] = ()) -> None:
    """Run the benchmark and print its parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="a folder to work in, which stays")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        init_project(folder)
        write(folder / "all.jsonl", range(asked.events // _EACH))
        print(f"land {asked.events:,} deliveries: {apart(land, folder, 'all.jsonl')}", flush=True)
        apart(measure, folder, asked.events)


def write(path: Path, subscriptions: Sequence[int]) -> None:
    """A file of all deliveries of some subscriptions."""
    with path.open("w", encoding="utf-8") as file:
        for number in subscriptions:
            file.writelines(json.dumps(one) + "\n" for one in life(number))


def life(number: int) -> Iterator[dict[str, Any]]:
    """What Stripe tells of one subscription, its customer and their money, in its newest shape."""
    chance = random.Random(number)
    begin = START + timedelta(hours=chance.randrange(24 * 150))
    seats, price = chance.randint(1, 5), chance.choice((1900, 4900, 9900))

    def says(status: str = "active", **changes: Any) -> dict[str, Any]:
        item = {
            "id": f"si_{number}",
            "object": "subscription_item",
            "quantity": seats,
            "price": {
                "id": f"price_{price}",
                "object": "price",
                "currency": "usd",
                "product": "prod_1",
                "recurring": {"interval": "month", "interval_count": 1},
                "unit_amount": price,
            },
        }
        return {
            "id": f"sub_{number}",
            "object": "subscription",
            "customer": f"cus_{number}",
            "status": status,
            "currency": "usd",
            "created": _seconds(begin),
            "start_date": _seconds(begin),
            "items": {"object": "list", "data": [item], "has_more": False},
            "metadata": {},
            **changes,
        }

    yield _event(number, "customer.created", begin, {"id": f"cus_{number}", "object": "customer", "metadata": {}})
    yield _event(number, "customer.subscription.created", begin, says())
    for month in range(_MONTHS):
        yield from _payment(number, month, begin + timedelta(days=30 * month, minutes=1), seats * price)
    month = chance.randrange(_MONTHS)
    yield from _afterwards(number, month, begin + timedelta(days=30 * month, minutes=1), seats * price)
    seats += 1
    yield _event(number, "customer.subscription.updated", begin + timedelta(days=20), says())
    failed_at = begin + timedelta(days=30 * _MONTHS)
    failed = _invoice(number, _MONTHS, failed_at, 0) | {"status": "open"}
    refused = _charge(number, _MONTHS, failed_at, seats * price) | {"status": "failed", "paid": False}
    yield _event(number, "charge.failed", failed_at, refused)
    yield _event(number, "invoice.payment_failed", failed_at, failed)
    yield _event(number, "customer.subscription.updated", failed_at, says("past_due"))
    if number % 3:
        yield _event(number, "customer.subscription.updated", failed_at + timedelta(days=2), says())
    else:
        ended = says("canceled", ended_at=_seconds(failed_at + timedelta(days=9)))
        yield _event(number, "customer.subscription.deleted", failed_at + timedelta(days=9), ended)


def _payment(number: int, month: int, when: datetime, amount: int) -> Iterator[dict[str, Any]]:
    yield _event(number, "charge.succeeded", when, _charge(number, month, when, amount))
    yield _event(number, "invoice.paid", when, _invoice(number, month, when, amount))
    joined = {
        "id": f"inpay_{number}_{month}",
        "object": "invoice_payment",
        "invoice": f"in_{number}_{month}",
        "payment": {"type": "payment_intent", "payment_intent": f"pi_{number}_{month}"},
        "status": "paid",
        "created": _seconds(when),
    }
    yield _event(number, "invoice_payment.paid", when, joined)


def _afterwards(number: int, month: int, paid_at: datetime, amount: int) -> Iterator[dict[str, Any]]:
    """Money that goes back of one payment, else two deliveries of it that change nothing."""
    when = paid_at + timedelta(days=3)
    about: dict[str, Any] = {
        "charge": f"ch_{number}_{month}",
        "payment_intent": f"pi_{number}_{month}",
        "currency": "usd",
    }
    about |= {"created": _seconds(when), "amount": amount}
    charge = _charge(number, month, paid_at, amount)
    if number % 4 == 0:
        refund = {"id": f"re_{number}", "object": "refund", "status": "succeeded", **about}
        yield _event(number, "refund.created", when, refund)
        yield _event(number, "charge.refunded", when, charge | {"amount_refunded": amount, "refunded": True})
    elif number % 20 == 1:
        dispute = {"id": f"dp_{number}", "object": "dispute", "status": "needs_response", **about}
        yield _event(number, "charge.dispute.created", when, dispute)
        yield _event(number, "charge.dispute.closed", when + timedelta(days=20), dispute | {"status": "lost"})
    else:
        yield _event(number, "charge.updated", paid_at, charge)
        yield _event(number, "invoice.updated", paid_at, _invoice(number, month, paid_at, amount))


def _event(number: int, kind: str, when: datetime, carried: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"evt_{number}_{kind}_{_seconds(when)}",
        "object": "event",
        "type": kind,
        "created": _seconds(when),
        "livemode": True,
        "api_version": "2026-09-30.basil",
        "data": {"object": carried},
    }


def _invoice(number: int, month: int, when: datetime, amount: int) -> dict[str, Any]:
    return {
        "id": f"in_{number}_{month}",
        "object": "invoice",
        "customer": f"cus_{number}",
        "currency": "usd",
        "status": "paid",
        "amount_paid": amount,
        "attempt_count": 1,
        "created": _seconds(when),
        "parent": {"type": "subscription_details", "subscription_details": {"subscription": f"sub_{number}"}},
        "status_transitions": {"paid_at": _seconds(when)},
    }


def _charge(number: int, month: int, when: datetime, amount: int) -> dict[str, Any]:
    return {
        "id": f"ch_{number}_{month}",
        "object": "charge",
        "amount": amount,
        "amount_captured": amount,
        "amount_refunded": 0,
        "created": _seconds(when),
        "currency": "usd",
        "customer": f"cus_{number}",
        "paid": True,
        "payment_intent": f"pi_{number}_{month}",
        "status": "succeeded",
    }


def _seconds(when: datetime) -> int:
    return int(when.timestamp())


def land(folder: Path, name: str) -> Took:
    """Land a file of the folder."""
    home, options = find_project(folder).home.ensure(), LandOptions(writer="stripe", threads=2)
    summary, took = timed(lambda: land_files(home, [folder / name], options, now=NOW))
    assert summary.landed == summary.rows_in, summary
    return took


def measure(folder: Path, events: int) -> None:
    """Build from nothing, then after a thousand deliveries more; a project of a few does the same with one."""
    project = find_project(folder)
    full = build_once(project)
    print(f"full build: {full}; at most {BUILD_AT_MOST_SECONDS} s: {verdict(full.wall <= BUILD_AT_MOST_SECONDS)}")
    small = folder / "small"
    init_project(small)
    grown(small, range(_FEW))
    first, fixed, taken = events // _EACH, [], []
    for number in range(_TIMES):
        fixed.append(grown(small, range(_FEW + number, _FEW + number + 1)))
        print(f"increment of one subscription to {_FEW}: {fixed[-1]}", flush=True)
        taken.append(grown(folder, range(first, first + INCREMENT_EVENTS // _EACH)))
        print(f"increment of {INCREMENT_EVENTS:,} deliveries: {taken[-1]}", flush=True)
        first += INCREMENT_EVENTS // _EACH
    beyond = min(took.wall for took in taken) - min(took.wall for took in fixed)
    print(f"beyond the fixed cost: {beyond:.1f} s, at most {INCREMENT_AT_MOST_SECONDS}", end=": ")
    print(verdict(beyond <= INCREMENT_AT_MOST_SECONDS))
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    print(f"peak memory, GB: {memory:.1f} at most {MEMORY_AT_MOST_GB:g}: {verdict(memory <= MEMORY_AT_MOST_GB)}")


def grown(folder: Path, subscriptions: Sequence[int]) -> Took:
    """What it took to build after more subscriptions have landed."""
    name = f"more{subscriptions[0]}.jsonl"
    write(folder / name, subscriptions)
    land(folder, name)
    return build_once(find_project(folder))


def build_once(project: Project) -> Took:
    """One build, published."""
    return timed(lambda: build(project, as_of=NOW, clock=lambda: datetime.now(timezone.utc)))[1]


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
