"""What is revenue, worked by hand: each case has a customer, a subscription and the name of the case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.dbt.stripes import (
    at,
    charge,
    dispute,
    event,
    invoice,
    invoice_of_2017,
    invoice_payment,
    refund,
    snapshot,
    subscription,
)

#: Kind, day and amount in major units (a text: why there is none) of each money line.
Lines = list[tuple[str, float, str]]
_UNPAID: dict[str, Any] = {"status": "open", "amount_paid": 0, "status_transitions": {"paid_at": None}}


def paid(name: str, day: float = 1, **changes: Any) -> dict[str, Any]:
    return event("invoice.paid", day, bill(name, day, **changes))


def bill(name: str, day: float = 1, **changes: Any) -> dict[str, Any]:
    return invoice(name, f"sub_{name.split('.')[0]}", day, customer=f"cus_{name.split('.')[0]}", **changes)


def charged(name: str, day: float = 1, **changes: Any) -> dict[str, Any]:
    return charge(name, day, customer=f"cus_{name.split('.')[0]}", **changes)


def ended(name: str) -> dict[str, Any]:
    return event("customer.subscription.deleted", 50, subscription(name, status="canceled", ended_at=at(50)))


def line(amount: int, price: str, product: str, nickname: str | None = None) -> dict[str, Any]:
    details = {"price": price, "product": product}
    old = {"price": {"id": price, "product": product, "nickname": nickname}} if nickname else {}
    return {"amount": amount, "pricing": {"price_details": details}} | old


CASES: dict[str, tuple[list[dict[str, Any]], Lines]] = {
    "m_paid": ([paid("m_paid")], [("payment", 1, "29")]),
    "m_2017": (
        [event("invoice.payment_succeeded", 1, invoice_of_2017("m_2017", "sub_m_2017", 1, customer="cus_m_2017"))],
        [("payment", 1, "29")],
    ),
    # Paid in the second in which it was opened, whatever the ids of the events.
    "m_same_second": (
        [paid("m_same_second"), event("invoice.zzz", 1, bill("m_same_second", **_UNPAID))],
        [("payment", 1, "29")],
    ),
    "m_void": ([event("invoice.voided", 2, bill("m_void", **_UNPAID | {"status": "void"}))], []),
    "m_given_up": (
        [event("invoice.marked_uncollectible", 2, bill("m_given_up", **_UNPAID | {"status": "uncollectible"}))],
        [],
    ),
    "m_late": (
        [
            event("invoice.marked_uncollectible", 2, bill("m_late", **_UNPAID | {"status": "uncollectible"})),
            paid("m_late", 9),
        ],
        [("payment", 9, "29")],
    ),
    "m_nothing": ([paid("m_nothing", amount_paid=0)], []),
    "m_yen": ([paid("m_yen", currency="jpy")], [("payment", 1, "2900")]),
    "m_dinar": ([paid("m_dinar", currency="kwd", amount_paid=29005)], [("payment", 1, "29.005")]),
    "m_capitals": ([paid("m_capitals", currency="USD")], [("payment", 1, "29")]),
    "m_odd": ([paid("m_odd", currency="xyz")], [("payment", 1, "unknown currency")]),
    "m_no_currency": ([paid("m_no_currency", currency=None)], [("payment", 1, "no currency")]),
    "m_no_amount": ([paid("m_no_amount", amount_paid=None)], [("payment", 1, "no amount")]),
    "m_half": ([paid("m_half", amount_paid=29.5)], [("payment", 1, "no amount")]),
    "m_below": ([paid("m_below", amount_paid=-100)], [("payment", 1, "negative amount")]),
    "m_huge": ([paid("m_huge", amount_paid=10**12)], [("payment", 1, "out of range")]),
    "m_partly": (
        [
            paid("m_partly"),
            event("invoice_payment.paid", 1, invoice_payment("m_partly")),
            event("refund.created", 3, refund("m_partly", 3, amount=900)),
        ],
        [("payment", 1, "29"), ("refund", 3, "-9")],
    ),
    "m_back": (
        [
            paid("m_back", charge="ch_m_back"),
            event("charge.refunded", 4, charged("m_back", invoice="in_m_back", amount_refunded=2900)),
            ended("m_back"),
        ],
        [("payment", 1, "29"), ("refund", 4, "-29")],
    ),
    "m_failed": (
        [
            paid("m_failed", charge="ch_m_failed"),
            event("charge.refunded", 4, charged("m_failed", amount_refunded=2900)),
            event("refund.created", 4, refund("m_failed", 4)),
            event("refund.failed", 6, refund("m_failed", 4, status="failed")),
        ],
        [("payment", 1, "29")],
    ),
    "m_waits": (
        [
            paid("m_waits", charge="ch_m_waits"),
            event("refund.created", 4, refund("m_waits", 4, status="requires_action")),
        ],
        [("payment", 1, "29")],
    ),
    # In sum 9, then 20, of which one refund tells 11 by itself.
    "m_sums": (
        [
            paid("m_sums", charge="ch_m_sums"),
            event("charge.refunded", 3, charged("m_sums", amount_refunded=900)),
            event("refund.created", 5, refund("m_sums", 5, amount=1100)),
            event("charge.refunded", 5, charged("m_sums", amount_refunded=2000)),
        ],
        [("payment", 1, "29"), ("refund", 3, "-9"), ("refund", 5, "-11")],
    ),
    "m_guessed": (
        [
            paid("m_guessed"),
            event("charge.succeeded", 1, charged("m_guessed")),
            event("refund.created", 5, refund("m_guessed", 5)),
        ],
        [("payment", 1, "29"), ("refund", 5, "-29")],
    ),
    # Two invoices of one amount on one day, and nothing that says which was paid by the charge.
    "m_unclear": (
        [
            paid("m_unclear"),
            paid("m_unclear.2", 1.5),
            event("charge.succeeded", 1, charged("m_unclear")),
            event("refund.created", 5, refund("m_unclear", 5)),
        ],
        [("payment", 1, "29"), ("payment", 1.5, "29"), ("refund", 5, "payment not told")],
    ),
    "m_alone": (
        [
            paid("m_alone"),
            event("charge.succeeded", 1, charged("m_alone", invoice=None)),
            event("refund.created", 5, refund("m_alone", 5)),
        ],
        [("payment", 1, "29")],
    ),
    "m_lost": (
        [
            paid("m_lost", charge="ch_m_lost"),
            event("charge.dispute.created", 3, dispute("m_lost", 3)),
            event(
                "charge.dispute.closed",
                9,
                dispute("m_lost", 3, status="lost", balance_transactions=[{"fee": 1500, "currency": "usd"}]),
            ),
        ],
        [("payment", 1, "29"), ("dispute_lost", 9, "-29"), ("fee", 3, "-15")],
    ),
    "m_lost_of_api": (
        [paid("m_lost_of_api", charge="ch_m_lost_of_api"), snapshot(dispute("m_lost_of_api", 3, status="lost"), 20)],
        [("payment", 1, "29"), ("dispute_lost", 3, "-29")],
    ),
    "m_won": (
        [paid("m_won", charge="ch_m_won"), event("charge.dispute.closed", 9, dispute("m_won", 3, status="won"))],
        [("payment", 1, "29"), ("dispute_won", 3, "29")],
    ),
    "m_inquiry": (
        [
            paid("m_inquiry", charge="ch_m_inquiry"),
            event("charge.dispute.closed", 9, dispute("m_inquiry", 3, status="warning_closed")),
        ],
        [("payment", 1, "29")],
    ),
    "m_credit": (
        [
            paid("m_credit"),
            event(
                "credit_note.created",
                4,
                {"id": "cn_m_credit", "object": "credit_note", "invoice": "in_m_credit", "created": at(4)}
                | {"currency": "usd", "status": "issued", "out_of_band_amount": 500, "amount": 700},
            ),
        ],
        [("payment", 1, "29"), ("refund", 4, "-5")],
    ),
    "m_tax": (
        [paid("m_tax", total_taxes=[{"amount": 300}, {"amount": 150}])],
        [("payment", 1, "29"), ("tax", 1, "-4.5")],
    ),
    "m_old_tax": ([paid("m_old_tax", tax=450)], [("payment", 1, "29"), ("tax", 1, "-4.5")]),
    "m_fee": (
        [
            paid("m_fee", charge="ch_m_fee"),
            event("charge.succeeded", 1, charged("m_fee", balance_transaction={"fee": 114, "currency": "usd"})),
        ],
        [("payment", 1, "29"), ("fee", 1, "-1.14")],
    ),
    "m_bought": (
        [
            paid(
                "m_bought",
                lines={
                    "data": [
                        line(-500, "price_a", "prod_a"),
                        line(3400, "price_b", "prod_b", "Big"),
                        line(3400, "c", "c"),
                    ]
                },
            )
        ],
        [("payment", 1, "29")],
    ),
    "m_two_of_one": (
        [
            paid("m_two_of_one", charge="ch_m_two_of_one"),
            paid("m_two_of_one.2", 31),
            event("refund.created", 5, refund("m_two_of_one", 5)),
            ended("m_two_of_one"),
        ],
        [("payment", 1, "29"), ("payment", 31, "29"), ("refund", 5, "-29")],
    ),
    "m_euro": (
        [paid("m_euro", 3, currency="eur"), paid("m_euro.2", 12, currency="eur")],
        [("payment", 3, "29"), ("payment", 12, "29")],
    ),
}

#: Of some: what their subscription brought in its currency (a text: why that is not known), and its status.
TOTALS: dict[str, tuple[str, str | None]] = {
    "m_paid": ("29", None),
    "m_back": ("0", "refunded"),
    "m_failed": ("29", None),
    "m_two_of_one": ("29", "cancelled"),
    "m_lost": ("0", None),
    "m_won": ("29", None),
    "m_unclear": ("payment not told", None),
    "m_odd": ("unknown currency", None),
    "m_credit": ("24", None),
    "m_nothing": ("0", None),
    "m_dinar": ("29.005", None),
}


def accounts() -> Iterator[dict[str, Any]]:
    """Equal ids in three accounts and in test mode: other amounts, and money that goes back in two of them."""
    for whose, amount in (
        ({}, 2900),
        ({"account": "acct_1"}, 5000),
        ({"account": "acct_2"}, 700),
        ({"livemode": False}, 9900),
    ):
        yield event("customer.subscription.created", 0, subscription("shared", amount=0), **whose)
        yield event("invoice.paid", 1, bill("shared", amount_paid=amount), **whose)
        yield event("charge.succeeded", 1, charged("shared", amount=amount), **whose)
    # Nothing tells what the charge paid: of its own account there is one invoice of its amount.
    yield event("refund.created", 3, refund("shared", 3, amount=2000), account="acct_1")
    yield event("invoice_payment.paid", 1, invoice_payment("shared"), account="acct_2")
    lost = dispute("shared", 4, status="lost", amount=700)
    yield event("charge.dispute.closed", 9, lost, account="acct_2")


def deliveries() -> list[dict[str, Any]]:
    """All cases, with a subscription of each that costs nothing."""
    told = [*(row for rows, _ in CASES.values() for row in rows), *accounts()]
    return [*told, *(event("customer.subscription.created", 0, subscription(name, amount=0)) for name in CASES)]
