"""The truth can be told from the deliveries alone: each table against a plain reading of the files."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from ingest.simulator.catalog import KINDS
from tests.ingest.simulator.worlds import app_events, calls, deliveries, truth

MONTH = timedelta(days=30)
END = datetime(2026, 7, 28, tzinfo=timezone.utc)
FOREVER = datetime.max.replace(tzinfo=timezone.utc)
ACTIONS = {kind.event_type for kind in KINDS if kind.is_action}


def person_number(user_id: str) -> int:
    return int(user_id.removeprefix("user-"))


def moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, tz=timezone.utc)


@cache
def told(folder: Path) -> list[tuple[str, int, datetime]]:
    """The type, person and corrected time of what application and Segment told of users, each event once."""
    found: dict[str, tuple[str, int, datetime]] = {}
    for event in app_events(folder):
        at = corrected(event, event)
        found.setdefault(event["eventId"], (event["eventType"], person_number(event["personId"]), at))
    for delivery in deliveries(folder, "segment"):
        body = delivery["body"]
        for call in body.get("batch", [body]):
            if call["type"] == "track" and call.get("userId"):
                said = {"timestamp": call.get("timestamp") or call["originalTimestamp"]}
                at = corrected(said, body | delivery)
                found.setdefault(call["messageId"], (call["event"], person_number(call["userId"]), at))
    return list(found.values())


def happened(folder: Path, *event_types: str) -> dict[int, list[datetime]]:
    """When events of some types happened, by person."""
    by_person: dict[int, list[datetime]] = defaultdict(list)
    for event_type, person, at in told(folder):
        if event_type in event_types:
            by_person[person].append(at)
    return {person: sorted(times) for person, times in by_person.items()}


def corrected(said: dict[str, Any], delivered: dict[str, Any]) -> datetime:
    received = datetime.fromisoformat(delivered.get("received_at") or delivered["receivedAt"])
    return received - (datetime.fromisoformat(delivered["sentAt"]) - datetime.fromisoformat(said["timestamp"]))


def webhooks(folder: Path, prefix: str) -> list[dict[str, Any]]:
    """Stripe's events of some types, each once, in the order in which they were made."""
    events = {one["body"]["id"]: one["body"] for one in deliveries(folder, "stripe")}
    chosen = [event for event in events.values() if event["type"].startswith(prefix)]
    return sorted(chosen, key=lambda event: event["created"])


def users_by_customer(folder: Path) -> dict[str, int]:
    return dict(truth(folder, "select value, person from identifier where type = 'stripe_id'"))


def subscription_states(folder: Path) -> dict[str, list[tuple[datetime, dict[str, Any]]]]:
    """By subscription: from when on it was what."""
    states: dict[str, list[tuple[datetime, dict[str, Any]]]] = defaultdict(list)
    for event in webhooks(folder, "customer.subscription."):
        states[event["data"]["object"]["id"]].append((moment(event["created"]), event["data"]["object"]))
    return states


def mrr(state: dict[str, Any], at: datetime) -> Decimal:
    """By the default policy: what is active or past due and not paused, less the discounts that go on."""
    if state["status"] not in ("active", "past_due") or state["pause_collection"]:
        return Decimal(0)
    (item,) = state["items"]["data"]
    price = item["price"]
    monthly = Decimal(price["unit_amount"] * item["quantity"]) / (12 if price["recurring"]["interval"] == "year" else 1)
    for discount in state.get("discounts") or [state.get("discount")]:
        coupon = discount and (discount.get("coupon") or discount["source"]["coupon"])
        if coupon and coupon["duration"] != "once" and (discount["end"] is None or at < moment(discount["end"])):
            monthly *= 1 - Decimal(coupon["percent_off"]) / 100
    return monthly / 100


def test_a_subscription_is_at_the_end_of_a_day_what_its_last_webhook_said(folder: Path) -> None:
    """Status, quantity, currency and MRR of each day; money adds up by day and currency."""
    states, statuses = subscription_states(folder), set()
    rows = truth(folder, "select subscription_id, day, status, quantity, currency, mrr from subscription_day")
    for subscription_id, day, status, quantity, currency, monthly in rows:
        last_second = datetime.combine(day, datetime.max.time(), timezone.utc)
        state = [state for at, state in states[subscription_id] if at <= last_second][-1]
        (item,) = state["items"]["data"]
        assert (state["status"], item["quantity"], item["price"]["currency"]) == (status, quantity, currency)
        assert mrr(state, last_second) == monthly
        statuses.add(status)
    assert {subscription_id for subscription_id, *_ in rows} == states.keys()
    assert statuses >= {"trialing", "active", "past_due", "canceled", "paused"}
    assert truth(folder, "from mrr_day order by all") == truth(
        folder, "select day, currency, sum(mrr)::decimal(18, 6) from subscription_day group by all order by all"
    )


def stays_of(folder: Path, segment: str) -> dict[int, list[tuple[datetime, datetime]]]:
    stays: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    sql = f"select person, entered_at, exited_at from segment_stay where segment_id = '{segment}' order by all"
    for person, entered_at, exited_at in truth(folder, sql):
        stays[person].append((entered_at, exited_at or FOREVER))
    return stays


def assert_holds(stays: list[tuple[datetime, datetime]], holds: Any, moments: Iterable[datetime]) -> None:
    """Stays are in order and apart, and cover exactly those of the moments at which a rule holds."""
    assert all(first[1] < second[0] for first, second in pairwise(stays))
    for at in moments:
        assert any(since <= at < until for since, until in stays) == holds(at), at


def around(times: Iterable[datetime]) -> list[datetime]:
    """The moments at which a rule about the last 30 days may change, and those just before."""
    edges = [edge for at in times for edge in (at, at + MONTH)]
    return [moment for edge in edges for moment in (edge - timedelta(milliseconds=1), edge)]


def test_power_users_rendered_ten_times_in_thirty_days(folder: Path) -> None:
    """At every moment at which the count changes."""
    renders, stays = happened(folder, "video_rendered"), stays_of(folder, "power_users")
    assert 0 < len(stays) < len(renders)
    for person, times in renders.items():

        def holds(now: datetime, times: list[datetime] = times) -> bool:
            return sum(at <= now < at + MONTH for at in times) >= 10

        assert_holds(stays.get(person, []), holds, around(times))


def test_churn_risk_is_a_subscriber_without_an_action_for_thirty_days(folder: Path) -> None:
    """While a subscription is neither over nor yet to begin; later stays than the end are not told."""
    actions, stays = happened(folder, *ACTIONS), stays_of(folder, "churn_risk")
    people, billed = users_by_customer(folder), defaultdict(list)
    for states in subscription_states(folder).values():
        ends = [at for at, _ in states[1:]]
        for (since, state), until in zip(states, [*ends, FOREVER], strict=True):
            if state["status"] in ("trialing", "active", "past_due", "unpaid", "paused"):
                billed[people[state["customer"]]].append((since, until))
    assert stays
    assert stays.keys() <= billed.keys()
    for person, spans in billed.items():

        def holds(now: datetime, times: list[datetime] = actions[person], spans: Any = spans) -> bool:
            idle = max((at for at in times if at <= now), default=FOREVER - MONTH) + MONTH <= now
            return idle and any(since <= now < until for since, until in spans)

        edges = [edge for span in spans for edge in span if edge != FOREVER]
        assert_holds(stays.get(person, []), holds, [at for at in around([*actions[person], *edges]) if at < END])


def test_trial_to_paid_begins_with_the_first_payment(folder: Path) -> None:
    """A signup comes before every payment."""
    paid: dict[int, datetime] = {}
    people = users_by_customer(folder)
    for event in webhooks(folder, "invoice.paid"):
        if event["data"]["object"]["amount_paid"] > 0:
            paid.setdefault(people[event["data"]["object"]["customer"]], moment(event["created"]))
    assert paid
    assert stays_of(folder, "trial_to_paid") == {person: [(at, FOREVER)] for person, at in paid.items()}


def test_cohorts_count_who_acted_on_the_day(folder: Path) -> None:
    """Of each week of signups on calendar day 7 and 30 after; nothing for a cohort that is too young."""
    signups = {person: times[0].date() for person, times in happened(folder, "signup_completed").items()}
    days = {person: {at.date() for at in times} for person, times in happened(folder, *ACTIONS).items()}
    weeks: dict[date, list[int]] = defaultdict(list)
    for person, day in signups.items():
        weeks[day - timedelta(days=day.weekday())].append(person)
    rows = truth(folder, "from cohort order by week")
    assert rows == [
        (week, len(members), *(_on_day(number, members, signups, days) for number in (7, 30)))
        for week, members in sorted(weeks.items())
    ]
    assert rows[0][2] is not None
    assert rows[-1][2] is None


def _on_day(number: int, members: list[int], signups: dict[int, date], days: dict[int, set[date]]) -> int | None:
    after = timedelta(days=number)
    if max(signups[person] for person in members) + after >= END.date():
        return None
    return sum(signups[person] + after in days[person] for person in members)


def test_one_person_is_one_component(folder: Path) -> None:
    """What the files say together joins all identifiers of each person, and persons only by a shared device."""
    parent: dict[tuple[str, str], tuple[str, str]] = {}

    def root(node: tuple[str, str]) -> tuple[str, str]:
        parent.setdefault(node, node)
        while parent[node] != node:
            node = parent[node]
        return node

    shared = set(truth(folder, "select type, value from identifier where is_shared"))
    assert shared
    for nodes in _edges(folder):
        known = [node for node in nodes if node[1] and node not in shared]
        for node in known:
            parent[root(node)] = root(known[0])
    owned = truth(folder, "select person, type, value from identifier where not is_shared")
    roots: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for person, id_type, value in owned:
        assert (id_type, value) in parent
        roots[person].add(root((id_type, value)))
    assert all(len(several) == 1 for several in roots.values())
    assert len({one for several in roots.values() for one in several}) == len(roots)
    assert parent.keys() == {(id_type, value) for _, id_type, value in owned}


_EMAILS = "select value from identifier where type = 'email'"


def _edges(folder: Path) -> Iterable[list[tuple[str, str]]]:
    for event in app_events(folder):
        ids = {"user_id": event["personId"], "email": event.get("email"), "anonymous_id": event.get("anonymousId")}
        yield list((ids | {"device_id": event["deviceId"]} | event.get("identifiers", {})).items())
    for call in calls(folder):
        ids = {"user_id": call.get("userId"), "anonymous_id": call.get("anonymousId") or call.get("previousId")}
        ids |= {"device_id": call["context"].get("device", {}).get("id"), "email": call.get("traits", {}).get("email")}
        yield list(ids.items())
    hashes = {hashlib.sha256(email.encode()).hexdigest(): email for (email,) in truth(folder, _EMAILS)}
    for delivery in deliveries(folder, "meta"):
        user = delivery["body"]["data"][0]["user_data"]
        (email,), (user_id,) = user.get("em", [None]), user.get("external_id", [None])
        yield [("custom:fbp", user.get("fbp")), ("email", email and hashes[email]), ("user_id", user_id)]
    for event in webhooks(folder, "customer.created"):
        customer = event["data"]["object"]
        ids = {"stripe_id": customer["id"], "email": customer["email"], "user_id": customer["metadata"].get("user_id")}
        yield list(ids.items())
