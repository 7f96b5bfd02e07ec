"""What an object of Stripe says that anybody relies on, told alike by every version of the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Facts = dict[str, Any]
Value = Mapping[str, Any]


def differing(landed: Value, fetched: Value) -> tuple[str, ...]:
    """The names of the facts of which two tellings of one object say different things.

    What one of the two does not tell, as an older version of the API may not, is no difference.
    """
    reader = _READERS[fetched["object"]]
    before, now = reader(landed), reader(fetched)
    return tuple(name for name in now if name in before and before[name] != now[name])


def _told(value: Value, *names: str) -> Facts:
    return {name: value[name] for name in names if name in value}


def _customer(value: Value) -> Facts:
    facts = _told(value, "email", "name", "phone", "metadata", "balance", "delinquent")
    return facts | {"deleted": value.get("deleted") is True}


def _invoice(value: Value) -> Facts:
    amounts = ("total", "amount_due", "amount_paid", "amount_remaining")
    return _told(value, "status", *amounts, "currency", "attempt_count", "due_date", "status_transitions", "metadata")


def _subscription(value: Value) -> Facts:
    times = ("cancel_at", "canceled_at", "ended_at", "trial_start", "trial_end", "cancel_at_period_end")
    facts = _told(value, "status", *times, "metadata")
    facts |= {name: _id_of(value[name]) for name in ("customer", "latest_invoice") if name in value}
    if "pause_collection" in value:
        pause = _object(value["pause_collection"])
        facts["pause_collection"] = (pause.get("behavior"), pause.get("resumes_at"))
    items = [_object(item) for item in _list(_object(value.get("items")).get("data"))]
    if "items" in value:
        priced = (
            (item.get("id"), _id_of(item.get("price") or item.get("plan")), item.get("quantity")) for item in items
        )
        facts["items"] = sorted(priced, key=str)
    ends = [each.get("current_period_end") for each in (value, *items)]
    if told := [end for end in ends if isinstance(end, int)]:
        facts["current_period_end"] = max(told)
    if "discounts" in value or "discount" in value:
        found = map(_id_of, (*_list(value.get("discounts")), value.get("discount")))
        facts["discounts"] = sorted({each for each in found if isinstance(each, str)})
    return facts


def _object(value: Any) -> Value:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _id_of(value: Any) -> Any:
    """The id of an object, which may stand there itself."""
    return value.get("id") if isinstance(value, Mapping) else value


_READERS: dict[str, Callable[[Value], Facts]] = {
    "customer": _customer,
    "invoice": _invoice,
    "subscription": _subscription,
}
