"""What invoices brought, in plain Python: the oracle of revenue."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

_DIGITS = {"usd": 2, "eur": 2, "jpy": 0, "kwd": 3}
_FINAL = ("paid", "void", "won", "lost", "failed", "canceled")


@dataclass(frozen=True)
class Telling:
    """What a delivery says of an object, and its place in the order of time."""

    place: tuple[Any, ...]
    moment: datetime
    is_snapshot: bool
    says: dict[str, Any]


@dataclass(frozen=True)
class Line:
    """A money line; ``amount_minor`` is below 0 where money goes out, ``why`` says why it does not count."""

    kind: str
    source_id: str
    moment: datetime
    customer: str | None
    subscription: str | None
    invoice: str | None
    currency: str
    amount_minor: int
    why: str | None


class Till:
    """All that was told of money."""

    def __init__(self, deliveries: Iterable[dict[str, Any]]) -> None:
        self.told: dict[tuple[str, str], list[Telling]] = defaultdict(list)
        for row in deliveries:
            body = json.loads(row["body"])
            is_snapshot = body["object"] != "event"
            says = body if is_snapshot else body["data"]["object"]
            moment = row["fetched_at"] if is_snapshot else _time(body["created"])
            kind = "" if is_snapshot else body["type"]
            rank = 0 if kind.endswith(".created") else 2 if kind.endswith(".deleted") else 1
            for one in (says, *_listed_refunds(says)):
                place = (moment.replace(microsecond=0), is_snapshot, rank, _progress(one), row["delivery_id"], moment)
                told = Telling((*place, row["body_key"]), moment, is_snapshot, one)
                self.told[one["object"], one["id"]].append(told)
        for tellings in self.told.values():
            tellings.sort(key=lambda telling: telling.place)
        self.invoices = dict(self._invoices())
        self.links = self._links()
        self.charges = {name: tellings[-1].says for (kind, name), tellings in self.told.items() if kind == "charge"}
        #: The invoices of which it is told what paid them.
        self.linked = {
            self.links.get(key) for name, says in self.charges.items() for key in (name, says["payment_intent"])
        }

    def lines(self) -> list[Line]:
        """Payments, refunds and lost disputes."""
        return [*self._payments(), *self._reversals()]

    def _invoices(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for (kind, name), tellings in self.told.items():
            paid = [telling for telling in tellings if _is_paid(telling.says)]
            if kind == "invoice" and paid:
                yield name, paid[-1].says

    def _links(self) -> dict[str, str]:
        """Charge or payment intent, and the invoice that it paid, where anything says so."""
        found: dict[str, set[str]] = defaultdict(set)
        for (kind, name), tellings in self.told.items():
            for says in (telling.says for telling in tellings):
                if kind == "invoice":
                    listed = [one["payment"] for one in (says.get("payments") or {"data": []})["data"]]
                    for payment in (says, *listed):
                        for key in (payment.get("charge"), payment.get("payment_intent")):
                            found[key or ""].add(name)
                elif kind == "charge" and says.get("invoice"):
                    for key in (name, says["payment_intent"]):
                        found[key].add(says["invoice"])
                elif kind == "invoice_payment" and says["status"] != "canceled":
                    found[says["payment"]["payment_intent"]].add(says["invoice"])
        return {key: min(names) for key, names in found.items() if key}

    def _payments(self) -> Iterator[Line]:
        for name, says in self.invoices.items():
            if says["amount_paid"]:
                yield Line(
                    *("payment", name, _paid_at(says), says["customer"], _subscription(says), name),
                    *(says["currency"], says["amount_paid"], None),
                )

    def _reversals(self) -> Iterator[Line]:
        for (kind, name), tellings in self.told.items():
            last = tellings[-1].says
            if kind == "refund" and last["status"] in ("succeeded", "pending"):
                yield from self._reversal("refund", name, last, last["amount"], _time(last["created"]))
            elif kind == "dispute" and last["status"] == "lost":
                heard = [one.moment for one in tellings if one.says["status"] == "lost" and not one.is_snapshot]
                moment = min(heard, default=_time(last["created"]))
                yield from self._reversal("dispute_lost", name, last, last["amount"], moment)
            elif kind == "charge":
                for so_far, amount, moment in self._untold(name, tellings):
                    yield from self._reversal("refund", f"{name}:{so_far}", last, amount, moment)
            elif kind == "credit_note" and last["status"] == "issued" and last["out_of_band_amount"]:
                amount, moment = last["out_of_band_amount"], _time(last["created"])
                yield self._line("refund", name, last, amount, moment, last["invoice"], None)

    def _reversal(self, kind: str, name: str, says: dict[str, Any], amount: int, moment: datetime) -> Iterator[Line]:
        charge_id = says["id"] if says["object"] == "charge" else says["charge"]
        charge = self.told.get(("charge", charge_id), [])
        if charge and "invoice" in charge[-1].says and charge[-1].says["invoice"] is None:
            return
        invoice = self._invoice_of(charge_id, says.get("payment_intent"))
        customer = charge[-1].says["customer"] if charge else None
        yield self._line(kind, name, says, amount, moment, invoice, customer)

    def _line(
        self,
        kind: str,
        name: str,
        says: dict[str, Any],
        amount: int,
        moment: datetime,
        invoice: str | None,
        customer: str | None,
    ) -> Line:
        paid = self.invoices.get(invoice or "")
        customer = customer or (paid["customer"] if paid else None)
        subscription = _subscription(paid) if paid else None
        why = None if paid else "payment not told"
        return Line(kind, name, moment, customer, subscription, invoice, says["currency"], -amount, why)

    def _invoice_of(self, charge_id: str, intent_id: str | None) -> str | None:
        charge = self.told.get(("charge", charge_id), [])
        intents = [intent_id, *(telling.says["payment_intent"] for telling in charge[-1:])]
        for key in (charge_id, *intents):
            if key in self.links:
                return self.links[key]
        mine = [name for name in self.invoices if self._may_be(charge_id, name)]
        if len(mine) != 1:
            return None
        others = [name for name in self.charges if self._may_be(name, mine[0])]
        return mine[0] if others == [charge_id] else None

    def _may_be(self, charge_id: str, invoice_id: str) -> bool:
        """Whether they fit, and nothing says what the charge paid, nor what paid the invoice."""
        says, paid = self.charges.get(charge_id), self.invoices[invoice_id]
        if not says or charge_id in self.links or invoice_id in self.linked:
            return False
        if says["payment_intent"] in self.links or says["status"] != "succeeded" or "invoice" in says:
            return False
        since, paid_at = _time(says["created"]), _paid_at(paid)
        return bool(
            (says["customer"], says["currency"], says["amount"])
            == (paid["customer"], paid["currency"], paid["amount_paid"])
            and since - timedelta(hours=1) <= paid_at <= since + timedelta(days=1)
        )

    def _untold(self, charge_id: str, tellings: list[Telling]) -> Iterator[tuple[int, int, datetime]]:
        """What a charge says was given back beyond its refunds: so far, by how much more, and when it was told."""
        refunds = [
            one[-1] for (kind, _), one in self.told.items() if kind == "refund" and one[-1].says["charge"] == charge_id
        ]
        beyond = []
        for telling in tellings:
            known = sum(
                one.says["amount"]
                for one in refunds
                if _time(one.says["created"]) <= telling.moment
                and (one.says["status"] not in ("failed", "canceled") or tellings[-1].moment < one.moment)
            )
            beyond.append(max(telling.says["amount_refunded"] - known, 0))
        given = 0
        for number, telling in enumerate(tellings):
            if (kept := min(beyond[number:])) > given:
                yield kept, kept - given, telling.moment
                given = kept


def major(line: Line) -> Fraction:
    """The amount of a line in major units."""
    return Fraction(line.amount_minor, 10 ** _DIGITS[line.currency])


def _listed_refunds(says: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = says.get("refunds", {"data": []})["data"] if says["object"] == "charge" else []
    return found


def _progress(says: dict[str, Any]) -> int:
    if says["object"] == "charge":
        return int(says["amount_refunded"])
    status = says.get("status") or ("paid" if says.get("paid") else "open")
    order = {"draft": 0, "pending": 0, "requires_action": 0, "succeeded": 2, "uncollectible": 2}
    return 3 if status in _FINAL else order.get(status, 1)


def _is_paid(says: dict[str, Any]) -> bool:
    return bool(says.get("status") == "paid" or ("status" not in says and says.get("paid")))


def _paid_at(says: dict[str, Any]) -> datetime:
    return _time(says["status_transitions"]["paid_at"])


def _subscription(says: dict[str, Any]) -> str | None:
    if "subscription" in says:
        return str(says["subscription"])
    return says["parent"]["subscription_details"]["subscription"] if says["parent"] else None


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
