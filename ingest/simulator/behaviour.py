"""What people do: they visit, sign up, work in sessions while they are keen, fall silent, and some come back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ingest.simulator.acts import Acts, merged, ordinals
from ingest.simulator.catalog import NUMBER
from ingest.simulator.chance import Bools, Chance, Floats, Ints
from ingest.simulator.people import DEVICES, NEVER, PHONE, SECOND, WORK, People
from ingest.simulator.season import DAY, MINUTE, Season
from ingest.simulator.season import SECOND as ONE_SECOND


class Habit(NamedTuple):
    """How often an act happens in a session of somebody who is not keen at all, and of the keenest."""

    event_type: str
    least: float
    most: float


_HABITS = (
    Habit("page_view", 1.6, 2.2),
    Habit("project_created", 0.3, 0.35),
    Habit("template_used", 0.15, 0.2),
    Habit("video_rendered", 0.35, 2.4),
    Habit("render_failed", 0.03, 0.08),
    Habit("batch_render_completed", 0.0, 0.12),
    Habit("video_exported", 0.1, 0.7),
    Habit("support_ticket_opened", 0.012, 0.012),
    Habit("invite_sent", 0.01, 0.05),
    Habit("pricing_viewed", 0.05, 0.08),
)
#: Sessions a day while somebody is with us: of the least keen, and how much more of the keenest.
_SESSIONS_A_DAY = (0.05, 0.55)
_PAGES_OF_A_BOT = 60


def draw_acts(chance: Chance, season: Season, people: People) -> Acts:
    """All acts before the end, in the order of persons and times."""
    sessions = _sessions(chance, season, people)
    acts = merged((*_visits(chance, people), *_signups(chance, people, season), *_work(chance, people, sessions)))
    acts = acts.at_positions(acts.at < season.end)
    return merged((acts, _first_videos(acts)))


def _visits(chance: Chance, people: People) -> Iterator[Acts]:
    """The anonymous pages before signup; a second browser is used only by who later logs in there."""
    visit = ordinals(people.visits)
    person = np.repeat(np.arange(people.count), people.visits)
    until = np.where(people.signed_up, people.signup_at, people.first_at + people.visits * 3 * DAY)
    free = np.maximum(until - people.first_at - 10 * MINUTE, 0)[person]
    place = (visit + chance.uniform("visit", len(person))) / people.visits[person]
    at = people.first_at[person] + np.where(visit == 0, 0, (free * place).astype(np.int64))
    elsewhere = chance.happens("visit elsewhere", len(person), 0.2) & (people.has_second & ~people.shares)[person]
    device = people.device[person, np.where(elsewhere & people.signed_up[person], SECOND, WORK)]
    pages = 1 + chance.counts("pages", np.where(people.is_bot, _PAGES_OF_A_BOT, 1.6)[person])
    visits = Acts(person, at, np.zeros(len(person), dtype=np.int64), device, visit, np.zeros(len(person), dtype=bool))
    wait = np.where(people.is_bot[person], 2 * ONE_SECOND, 80 * ONE_SECOND)
    seen = visits.at_positions(np.repeat(np.arange(len(person)), pages)).with_kind(NUMBER["page_view"])
    yield seen.moved(ordinals(pages) * np.repeat(wait, pages))
    prices = chance.happens("prices", len(person), 0.3) & ~people.is_bot[person]
    yield visits.at_positions(prices).with_kind(NUMBER["pricing_viewed"]).moved(np.full(prices.sum(), 45 * ONE_SECOND))


def _signups(chance: Chance, people: People, season: Season) -> Iterator[Acts]:
    """The account, and the calls by which browsers tell whose they are."""
    person = np.flatnonzero(people.signed_up)
    count = len(person)
    signup = Acts(
        person,
        people.signup_at[person],
        np.full(count, NUMBER["signup_completed"]),
        people.device[person, WORK],
        people.visits[person] - 1,
        np.ones(count, dtype=bool),
    )
    yield signup
    soon = np.full(count, 2 * ONE_SECOND)
    yield signup.with_kind(NUMBER["identify"]).moved(soon)
    member = people.company[person] != NEVER
    yield signup.at_positions(member).with_kind(NUMBER["group"]).moved(soon[member] * 2)
    invited = chance.happens("invited", people.count, 0.4)[person] & member
    yield signup.at_positions(invited).with_kind(NUMBER["invite_accepted"]).moved(soon[invited] * 3)
    aliased = chance.happens("alias", people.count, 0.06)[person]
    yield signup.at_positions(aliased).with_kind(NUMBER["alias"]).moved(soon[aliased] * 4)
    # Whoever has a second browser logs in there too, so that what it saw before becomes theirs.
    second = (people.has_second & ~people.shares)[person]
    wait = chance.uniform("second login", people.count)[person] * np.minimum(3 * DAY, season.end - signup.at - 1)
    login = replace(signup.with_kind(NUMBER["identify"]), device=people.device[person, SECOND])
    yield login.at_positions(second).moved(wait[second].astype(np.int64))


@dataclass(frozen=True)
class _Sessions:
    start: Acts
    length: Ints
    keen: Floats


def _sessions(chance: Chance, season: Season, people: People) -> _Sessions:
    """When people sit down to work: in their first life with us, and some in a second one."""
    stays = chance.happens("activates", people.count, 0.82) & people.signed_up
    begin = np.where(stays, people.signup_at + 5 * MINUTE, season.end)
    end = begin + chance.waits("silent", (10 + 170 * people.keen) * DAY, people.count).astype(np.int64)
    again = end + (chance.uniform("gap", people.count, 32, 130) * DAY).astype(np.int64)
    returns = chance.happens("returns", people.count, 0.22) & stays
    again = np.where(returns, again, season.end)
    gone = again + chance.waits("silent again", 45.0 * DAY, people.count).astype(np.int64)
    lives = [
        _life(chance, season, people, name, *life) for name, *life in (("first", begin, end), ("second", again, gone))
    ]
    person, at = (np.concatenate(column) for column in zip(*lives, strict=True))
    order = np.lexsort((at, person))
    person, at = person[order], at[order]
    count = len(person)
    session = people.visits[person] + ordinals(np.bincount(person, minlength=people.count))
    wish = chance.uniform("device", count)
    ordinal = np.where(people.has_second[person] & (wish < 0.2), SECOND, WORK)
    ordinal = np.where(people.has_phone[person] & (wish > 0.82), PHONE, ordinal)
    start = Acts(
        person, at, np.zeros(count, dtype=np.int64), people.device[person, ordinal], session, np.ones(count, dtype=bool)
    )
    length = chance.uniform("length", count, 3, 75) * MINUTE
    return _Sessions(start, length.astype(np.int64), people.keen[person])


def _life(chance: Chance, season: Season, people: People, name: str, begin: Ints, end: Ints) -> tuple[Ints, Ints]:
    """The sessions between two times of each person, those beyond the end of time left out."""
    first, last = season.effective(np.minimum(begin, season.end)), season.effective(np.minimum(end, season.end))
    least, more = _SESSIONS_A_DAY
    counts = chance.counts(f"{name} sessions", (last - first) / 24 * (least + more * people.keen))
    person = np.repeat(np.arange(people.count), counts)
    share = chance.uniform(f"{name} session", len(person))
    return person, season.at(first[person] + share * (last - first)[person])


def _work(chance: Chance, people: People, sessions: _Sessions) -> Iterator[Acts]:
    """What happens in a session: some of each habit, on a phone screens instead of pages."""
    start, count = sessions.start, sessions.start.count
    on_phone = start.device % DEVICES == PHONE
    for habit in _HABITS:
        number = chance.counts(habit.event_type, habit.least + (habit.most - habit.least) * sessions.keen)
        which = np.repeat(np.arange(count), number)
        offset = chance.uniform(f"{habit.event_type} at", len(which), 0.02, 0.98) * sessions.length[which]
        acts = start.at_positions(which).with_kind(NUMBER[habit.event_type]).moved(offset.astype(np.int64))
        if habit.event_type == "page_view":
            acts = _screens_on_phones(acts, on_phone[which])
        yield acts
    shared = people.shared_device[start.device]
    logs_in = shared | chance.happens("logs in", count, 0.15)
    yield start.at_positions(logs_in).with_kind(NUMBER["logged_in"])
    yield start.at_positions(shared).with_kind(NUMBER["logged_out"]).moved(sessions.length[shared])


def _screens_on_phones(acts: Acts, on_phone: Bools) -> Acts:
    return replace(acts, kind=np.where(on_phone, NUMBER["screen_view"], acts.kind))


def _first_videos(acts: Acts) -> Acts:
    """An act of its own beside the first render of each person."""
    rendered = np.flatnonzero(acts.kind == NUMBER["video_rendered"])
    _, first = np.unique(acts.person[rendered], return_index=True)
    return acts.at_positions(rendered[first]).with_kind(NUMBER["first_video_created"])
