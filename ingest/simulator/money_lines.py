"""The truth about money: each payment, refund and lost dispute."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from ingest.simulator.billing import Billing
from ingest.simulator.ledger import Dispute, Invoice, Refund, Told
from ingest.simulator.season import SECOND, Season

SCHEMA = pa.schema(
    [
        ("kind", pa.string()),
        ("source_id", pa.string()),
        ("occurred_at", pa.timestamp("ms", tz="UTC")),
        ("person", pa.int64()),
        ("customer_id", pa.string()),
        ("subscription_id", pa.string()),
        ("invoice_id", pa.string()),
        ("currency", pa.string()),
        ("amount_minor", pa.int64()),
    ]
)


def money_lines(season: Season, billing: Billing) -> pa.Table:
    """One row per line; what goes back is below 0."""
    rows = [
        line
        for told in billing.told.values()
        for one in told
        if one.created * SECOND < season.end
        for line in _lines(one)
    ]
    columns = list(zip(*rows, strict=True)) or [()] * len(SCHEMA)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], SCHEMA)


def _lines(told: Told) -> Iterator[tuple[object, ...]]:
    match told.what:
        case Invoice(total=total) as paid if told.type == "invoice.paid" and total > 0:
            yield _line("payment", paid.invoice_id, told.created, paid, total)
        case Refund() as refund if told.type == "refund.created":
            yield _line("refund", refund.refund_id, refund.created, refund.charge.invoice, -refund.amount)
        case Dispute(status="lost") as dispute:
            invoice = dispute.charge.invoice
            yield _line("dispute_lost", dispute.dispute_id, told.created, invoice, -invoice.total)


def _line(kind: str, source_id: str, at: int, invoice: Invoice, amount: int) -> tuple[object, ...]:
    owner = invoice.subscription
    return (
        *(kind, source_id, at * SECOND, owner.customer.person, owner.customer.customer_id),
        *(owner.subscription_id, invoice.invoice_id, owner.price.currency, amount),
    )
