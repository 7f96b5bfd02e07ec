"""What counts as recurring revenue by each policy, and which movement it is: cases worked by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.dbt.stripes import at, event, snapshot, subscription, subscription_of_2017

CREATED, UPDATED = "customer.subscription.created", "customer.subscription.updated"
DELETED = "customer.subscription.deleted"


def discount(duration: str, *, end: float | None = None, **off: Any) -> dict[str, Any]:
    coupon = {"id": "c", "duration": duration, "percent_off": None, "amount_off": None, "currency": None}
    start, until = at(0), None if end is None else at(end)
    return {"id": "di_1", "object": "discount", "start": start, "end": until, "coupon": coupon | off}


def priced(name: str, **price: Any) -> dict[str, Any]:
    """A subscription whose price says more."""
    made = subscription(name, quantity=price.pop("quantity", 1))
    recurring = price.pop("recurring", {})
    (item,) = made["items"]["data"]
    item["price"] |= price | {"recurring": item["price"]["recurring"] | recurring}
    if "unit_amount" in price:
        item["price"]["unit_amount_decimal"] = price["unit_amount"] and str(price["unit_amount"])
    return made


def by_id(coupon: str, *, is_old: bool = False) -> dict[str, Any]:
    """A discount that tells the id of its coupon alone."""
    named = {"coupon": coupon} if is_old else {"source": {"type": "coupon", "coupon": coupon}}
    return {"id": f"di_{coupon}", "object": "discount", "start": at(0), "end": None} | named


def with_item_discount(name: str, one: dict[str, Any]) -> dict[str, Any]:
    made = subscription(name)
    made["items"]["data"][0]["discounts"] = [one]
    return made


def coupon(name: str, duration: str = "forever", **off: Any) -> dict[str, Any]:
    terms = {"duration": duration, "percent_off": None, "amount_off": None, "currency": None}
    return {"id": name, "object": "coupon", **terms, **off}


def coupons() -> Iterator[dict[str, Any]]:
    """Coupons that land by themselves; two of them are another mode's and another account's."""
    yield snapshot(coupon("half", percent_off=50), 40)
    yield event("coupon.created", 0, coupon("four_off", amount_off=400, currency="usd"))
    yield event("coupon.deleted", 50, coupon("gone", "once", percent_off=10))
    yield event("coupon.created", 0, coupon("of_test", percent_off=50), livemode=False)
    yield event("coupon.created", 0, coupon("of_others", percent_off=50), account="acct_1")


TIERS = [
    {"up_to": 2, "unit_amount": 500, "flat_amount": 100},
    {"up_to": None, "unit_amount": 300, "flat_amount": None},
]
GAP = [{"up_to": 2, "unit_amount": 500, "flat_amount": 100}, {"up_to": 4, "unit_amount": 300, "flat_amount": None}]
BLANK = [{"up_to": None, "unit_amount": None, "flat_amount": None}]


def without_items(says: dict[str, Any]) -> dict[str, Any]:
    """What was told before subscriptions had items."""
    return {name: value for name, value in says.items() if name != "items"}


def twenty_items() -> dict[str, Any]:
    """A subscription of as many items as one may have."""
    made = subscription("twenty")
    (item,) = made["items"]["data"]
    made["items"]["data"] = [item | {"id": f"si_twenty_{number}"} for number in range(20)]
    return made


#: The subscription of a case, and its MRR by the policies gdp, stripe and chartmogul, or why no policy knows it.
#: W15 (odd items, amounts and currencies) and W16 (intervals and statuses) are cases of the catalogue of bad input.
WORTH: dict[str, tuple[dict[str, Any], tuple[str, str, str] | str]] = {
    "plain": (subscription("plain"), ("29", "29", "29")),
    # W16: each status of Stripe's (what was canceled is among the lives below), and one that it has not yet.
    "trial": (subscription("trial", status="trialing"), ("0", "0", "0")),
    "past_due": (subscription("past_due", status="past_due"), ("29", "29", "29")),
    "unpaid": (subscription("unpaid", status="unpaid"), ("0", "0", "0")),
    "incomplete": (subscription("incomplete", status="incomplete"), ("0", "0", "0")),
    "incomplete_expired": (subscription("incomplete_expired", status="incomplete_expired"), ("0", "0", "0")),
    "brand_new": (subscription("brand_new", status="brand_new"), "unknown status"),
    "paused": (subscription("paused", status="paused"), ("0", "29", "0")),
    "collection": (subscription("collection", pause_collection={"behavior": "void"}), ("0", "29", "0")),
    "forever": (subscription("forever", discounts=[discount("forever", percent_off=50)]), ("14.5", "14.5", "14.5")),
    "repeating": (
        subscription("repeating", discounts=[discount("repeating", end=900, percent_off=50)]),
        ("14.5", "29", "14.5"),
    ),
    "expired": (subscription("expired", discounts=[discount("repeating", end=40, percent_off=50)]), ("29", "29", "29")),
    "once": (subscription("once", discounts=[discount("once", percent_off=50)]), ("29", "29", "14.5")),
    "amount": (
        subscription("amount", discounts=[discount("forever", amount_off=400, currency="usd")]),
        ("25", "25", "25"),
    ),
    "euros_off": (
        subscription("euros_off", discounts=[discount("forever", amount_off=400, currency="eur")]),
        ("29", "29", "29"),
    ),
    "free": (subscription("free", discounts=[discount("forever", percent_off=100)]), ("0", "0", "0")),
    "free_plan": (subscription("free_plan", amount=0), ("0", "0", "0")),
    # Tax on top is no part of the price; one that the price includes is not told apart from it.
    "taxed": (
        subscription("taxed", default_tax_rates=[{"id": "txr_1", "percentage": 19.0, "inclusive": False}]),
        ("29", "29", "29"),
    ),
    "tax_included": (priced("tax_included", tax_behavior="inclusive"), ("29", "29", "29")),
    "id_only": (subscription("id_only", discounts=["di_unknown"]), "discount not told"),
    "coupon_by_id": (
        subscription("coupon_by_id", discounts=[{"id": "di_1", "start": at(0), "source": {"coupon": "c"}}]),
        "discount not told",
    ),
    # What a coupon takes off is told by itself: fetched, by its creation, or by its deletion alone.
    "coupon_fetched": (subscription("coupon_fetched", discounts=[by_id("half")]), ("14.5", "14.5", "14.5")),
    "coupon_and_id": (
        subscription("coupon_and_id", discount=by_id("four_off", is_old=True), discounts=["di_half"]),
        "discount not told",
    ),
    "coupon_on_top": (
        {**subscription("coupon_on_top", discount=by_id("four_off", is_old=True)), "discounts": None},
        ("25", "25", "25"),
    ),
    "coupon_deleted": (
        subscription("coupon_deleted", discounts=[by_id("gone")]),
        ("29", "29", "26.1"),
    ),
    # Told by its id and with a start, of a coupon that nobody told: it has not begun.
    "coupon_later": (
        subscription("coupon_later", discounts=["di_nope"], discount=by_id("nope", is_old=True) | {"start": at(900)}),
        ("29", "29", "29"),
    ),
    "coupon_of_item": (with_item_discount("coupon_of_item", by_id("half")), ("14.5", "14.5", "14.5")),
    "coupon_of_test": (subscription("coupon_of_test", discounts=[by_id("of_test")]), "discount not told"),
    "coupon_of_others": (subscription("coupon_of_others", discounts=[by_id("of_others")]), "discount not told"),
    # W16: intervals.
    "day": (subscription("day", interval="day", amount=1200), ("365", "365", "365")),
    "week": (subscription("week", interval="week", amount=1200), ("52", "52", "52")),
    "quarter": (subscription("quarter", count=3), ("9.666666666666667",) * 3),
    "year": (subscription("year", interval="year", amount=10_000), ("8.333333333333333",) * 3),
    "seats": (subscription("seats", quantity=3), ("87", "87", "87")),
    # W15: currencies without decimals, with three, and unknown ones.
    "yen": (subscription("yen", currency="jpy", amount=500), ("500", "500", "500")),
    "dinar": (subscription("dinar", currency="kwd", amount=500), ("0.5", "0.5", "0.5")),
    "no_currency": (subscription("no_currency", currency=None), "no currency"),
    "odd_currency": (subscription("odd_currency", currency="xyz"), "unknown currency"),
    "its_currency": (priced("its_currency", currency=None) | {"currency": "jpy"}, ("2900", "2900", "2900")),
    "other_currency": (subscription("other_currency") | {"currency": "eur"}, "other currency"),
    "upper_case": (subscription("upper_case", currency="USD"), ("29", "29", "29")),
    # W15: amounts.
    "below": (subscription("below", amount=-500), "negative amount"),
    "no_amount": (subscription("no_amount", amount=None), "no amount"),
    "huge": (subscription("huge", amount=10**11), "out of range"),
    "large": (subscription("large", currency="jpy", amount=99_999_999_999), ("99999999999",) * 3),
    "three_weeks": (
        subscription("three_weeks", interval="week", count=3, amount=7 * 10**9),
        ("101111111.111111111111111",) * 3,
    ),
    # W16: no interval of Stripe's.
    "fortnight": (subscription("fortnight", interval="fortnight"), "no interval"),
    "no_time": (subscription("no_time", count=0), "no interval"),
    "backwards": (subscription("backwards", count=-1), "no interval"),
    "half": (subscription("half", quantity=2.5), "no quantity"),
    "owing": (subscription("owing", quantity=-1), "out of range"),
    # W15: items that are not told, not there, none, or twenty.
    "cut": (
        subscription("cut") | {"items": subscription("cut")["items"] | {"has_more": True}},
        "items missing",
    ),
    "no_items": (without_items(subscription("no_items")), "no items"),
    "empty": (subscription("empty", items={"object": "list", "data": [], "has_more": False}), "no items"),
    "twenty": (twenty_items(), ("580", "580", "580")),
    "plan_alone": (without_items(subscription_of_2017("plan_alone", quantity=2)), ("58", "58", "58")),
    "untold_trial": (subscription("untold_trial", status="trialing", amount=None), ("0", "0", "0")),
    "no_items_yet": (without_items(subscription("no_items_yet", status="incomplete")), ("0", "0", "0")),
    "metered": (priced("metered", recurring={"usage_type": "metered"}), ("0", "0", "0")),
    # W15: prices in tiers, told and not.
    "untold": (priced("untold", billing_scheme="tiered", tiers_mode="volume", unit_amount=None), "tiers not told"),
    "gap": (
        priced("gap", billing_scheme="tiered", tiers_mode="graduated", tiers=GAP, unit_amount=None, quantity=5),
        "tiers not told",
    ),
    "blank": (
        priced("blank", billing_scheme="tiered", tiers_mode="graduated", tiers=BLANK, unit_amount=None),
        "tiers not told",
    ),
    "volume": (
        priced("volume", billing_scheme="tiered", tiers_mode="volume", tiers=TIERS, unit_amount=None, quantity=5),
        ("15", "15", "15"),
    ),
    "graduated": (
        priced("graduated", billing_scheme="tiered", tiers_mode="graduated", tiers=TIERS, unit_amount=None, quantity=5),
        ("20", "20", "20"),
    ),
    "packs": (priced("packs", transform_quantity={"divide_by": 4, "round": "up"}, quantity=5), ("58", "58", "58")),
}


_CUT = subscription("completed")["items"] | {"has_more": True}


def lives() -> Iterator[dict[str, Any]]:
    """Lives that move, each of a customer of its own; all cost 29 a unit and month."""
    yield event(CREATED, 1, subscription("back"))
    yield event(DELETED, 5, subscription("back", status="canceled", ended_at=at(5)))
    yield event(CREATED, 9, subscription("back2", customer="cus_back"))
    # An item is replaced by a dearer one of another plan, and the other way round.
    yield event(CREATED, 1, subscription("switch"))
    dearer = subscription("switch", plan_id="price_studio", amount=4900)
    dearer["items"]["data"][0]["id"] = "si_other"
    yield event(UPDATED, 5, dearer)
    yield event(UPDATED, 8, subscription("switch"))
    # One of two subscriptions ends, then the other.
    yield event(CREATED, 1, subscription("two"))
    yield event(CREATED, 3, subscription("second", customer="cus_two"))
    yield event(DELETED, 5, subscription("two", status="canceled", ended_at=at(5)))
    yield event(DELETED, 7, subscription("second", customer="cus_two", status="canceled", ended_at=at(7)))
    # What comes and goes within a day moves nothing, and is no first payment.
    yield event(CREATED, 1.1, subscription("brief"))
    yield event(DELETED, 1.6, subscription("brief", status="canceled", ended_at=at(1.6)))
    yield event(CREATED, 4, subscription("brief2", customer="cus_brief"))
    # It ended before that was told, and its end is when it ended.
    yield event(CREATED, 1, subscription("ended"))
    yield snapshot(subscription("ended", status="canceled", ended_at=at(6)), 20)
    # A snapshot is the first that is heard of it.
    yield snapshot(subscription("found", start_date=at(2), trial_start=at(2), trial_end=at(9)), 20)
    # A discount ends by itself.
    yield event(CREATED, 1, subscription("runs", discounts=[discount("repeating", end=8, percent_off=50)]))
    # A discount is told in full once, by then or later, else by its id alone.
    whole = discount("forever", percent_off=50)
    yield event(CREATED, 1, subscription("resolved", discounts=["di_1"]))
    yield event(UPDATED, 3, subscription("resolved", discounts=[whole]))
    yield event(UPDATED, 5, subscription("resolved", discounts=["di_1"], quantity=2))
    # A discount tells the id of its coupon once, else it is told by its own id alone.
    yield event(CREATED, 1, subscription("half_off", discounts=["di_half"]))
    yield event(UPDATED, 3, subscription("half_off", discounts=[by_id("half")]))
    # Its items are cut off, and completed.
    yield event(CREATED, 1, subscription("completed") | {"items": _CUT})
    yield snapshot(subscription("completed"), 4)
    # From one currency to another.
    yield event(CREATED, 1, subscription("moves"))
    yield event(UPDATED, 4, subscription("moves", currency="eur"))
    # A trial, and its conversion.
    yield event(CREATED, 1, subscription("tries", status="trialing"))
    yield event(UPDATED, 8, subscription("tries"))
    # Asked to end with its period, and ended with it.
    yield event(CREATED, 1, subscription("leaves"))
    yield event(UPDATED, 5, subscription("leaves", cancel_at_period_end=True, canceled_at=at(5)))
    yield event(DELETED, 31, subscription("leaves", status="canceled", canceled_at=at(5), ended_at=at(31)))
    # Come and gone within a month, and back after a long time.
    yield event(CREATED, 2, subscription("short"))
    yield event(DELETED, 20, subscription("short", status="canceled", ended_at=at(20)))
    yield event(CREATED, 52, subscription("short2", customer="cus_short"))
    # Dunned until Stripe gives up, and paid in the end.
    yield event(CREATED, 1, subscription("dunned"))
    yield event(UPDATED, 10, subscription("dunned", status="past_due"))
    yield event(UPDATED, 20, subscription("dunned", status="unpaid"))
    yield event(UPDATED, 25, subscription("dunned"))
    # Paused in both meanings, and resumed.
    for name, pause in (("rests", {"status": "paused"}), ("holds", {"pause_collection": {"behavior": "void"}})):
        yield event(CREATED, 1, subscription(name))
        yield event(UPDATED, 5, subscription(name, **pause))
        yield event(UPDATED, 10, subscription(name))
    # A discount that counts once, for as long as it stands.
    yield event(CREATED, 1, subscription("once_off", discounts=[discount("once", percent_off=50)]))
    yield event(UPDATED, 31, subscription("once_off"))
    # A payment is given back, and the subscription goes on.
    yield event(CREATED, 1, subscription("refunded"))
    charge = {"id": "ch_refunded", "object": "charge", "customer": "cus_refunded", "currency": "usd", "amount": 2900}
    yield event("charge.refunded", 9, charge | {"amount_refunded": 2900, "refunded": True, "refunds": {"data": []}})
    # From a paid plan to one that costs nothing, and on.
    yield event(CREATED, 1, subscription("downgrades"))
    yield event(UPDATED, 6, subscription("downgrades", plan_id="price_free", amount=0))
    yield event(UPDATED, 9, subscription("downgrades"))
    # Equal ids in other accounts are other subscriptions.
    yield event(CREATED, 1, subscription("shared"))
    yield event(CREATED, 3, subscription("shared", quantity=2), account="acct_1")
    yield event(UPDATED, 8, subscription("shared", quantity=1), account="acct_1")
    yield event(CREATED, 2, subscription("shared"), account="acct_2")
    yield event(DELETED, 5, subscription("shared", status="canceled", ended_at=at(5)), account="acct_2")
    # Equal ids in test mode are somebody else's.
    yield event(CREATED, 1, subscription("tried"), livemode=False)
    yield event(CREATED, 3, subscription("tried"))


#: Day, movement and MRR in major units, by policy gdp.
MOVED = {
    "back": [(1, "new", 29), (5, "churn", -29), (9, "reactivation", 29)],
    "switch": [
        *((1, "new", 29), (5, "expansion", -29), (5, "expansion", 49)),
        *((8, "contraction", -49), (8, "contraction", 29)),
    ],
    "two": [(1, "new", 29), (3, "expansion", 29), (5, "contraction", -29), (7, "churn", -29)],
    "brief": [(4, "new", 29)],
    "ended": [(1, "new", 29), (6, "churn", -29)],
    "found": [(9, "new", 29)],
    "resolved": [(1, "new", 14.5), (5, "expansion", 14.5)],
    "half_off": [(1, "new", 14.5)],
    "completed": [(4, "new", 29)],
    "runs": [(1, "new", 14.5), (8, "expansion", 14.5)],
    "tries": [(8, "new", 29)],
    "leaves": [(1, "new", 29), (31, "churn", -29)],
    "short": [(2, "new", 29), (20, "churn", -29), (52, "reactivation", 29)],
    "dunned": [(1, "new", 29), (20, "churn", -29), (25, "reactivation", 29)],
    "rests": [(1, "new", 29), (5, "churn", -29), (10, "reactivation", 29)],
    "holds": [(1, "new", 29), (5, "churn", -29), (10, "reactivation", 29)],
    "once_off": [(1, "new", 29)],
    "refunded": [(1, "new", 29)],
    "downgrades": [(1, "new", 29), (6, "churn", -29), (9, "reactivation", 29)],
    "moves": [(1, "new", 29), (4, "contraction", -29), (4, "expansion", 29)],
}


#: Where another policy sees it otherwise.
MOVED_OTHERWISE = {
    ("runs", "stripe"): [(1, "new", 29)],
    ("rests", "stripe"): [(1, "new", 29)],
    ("holds", "stripe"): [(1, "new", 29)],
    ("once_off", "chartmogul"): [(1, "new", 14.5), (31, "expansion", 14.5)],
}


def deliveries() -> list[dict[str, Any]]:
    """All cases."""
    return [*(event(CREATED, 1, says) for says, _ in WORTH.values()), *lives(), *coupons()]
