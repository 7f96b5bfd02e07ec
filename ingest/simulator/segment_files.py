"""What Segment's clients send: one HTTP body a line, a single call or a batch, in its envelope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ingest.simulator.acts import Acts, ordinals
from ingest.simulator.app_files import account_id, traits_of
from ingest.simulator.breakage import broken_lines, envelope_breakages
from ingest.simulator.catalog import KINDS, NUMBER, Kind, Via, numbers_via
from ingest.simulator.chance import Bools, Chance, Ints
from ingest.simulator.deliveries import Run, Tally, arrivals, run_of
from ingest.simulator.devices import segment_contexts
from ingest.simulator.people import DEVICES, NEVER, PHONE, People
from ingest.simulator.properties import PROPERTY_TEXTS, property_positions
from ingest.simulator.season import Season
from ingest.simulator.texts import Texts, dumps, iso_times, joined, joined_in_groups, picked, uuids, where
from ingest.simulator.vocabulary import CAMPAIGNS, PAGES, SITE

_CLIENT, _ALIAS, _SERVER = range(3)
_LARGEST_BATCH = 20
_BROWSERS_THAT_BATCH = 3  # every third
_WRITE_KEY = '"writeKey":"wk_studio_web"}}\n'
_SERVER_CONTEXT = '"context":{"library":{"name":"analytics-python","version":"2.4.0"}}'
#: In the order of the property sets of page_view, which stand first of all.
_PAGE_PARTS = [
    f'"page":{{"path":"{path}","title":{dumps(title)},"url":"{SITE}{path}","referrer":""}},' for path, title in PAGES
]
_CAMPAIGN_PARTS = [
    f'"campaign":{dumps({"source": one.source, "medium": one.medium, "name": one.name})},' if one.source else ""
    for one in CAMPAIGNS
]
_BREAKAGES = envelope_breakages(
    '{"type":"track","event":"project_created","userId":"broken","messageId":"b-1"}',
    '{"type":"track","userId":"broken","messageId":"b-2"}',
)


def segment_acts(acts: Acts) -> Acts:
    """The acts that are told through Segment."""
    return acts.at_positions(~np.isin(acts.kind, numbers_via(Via.APP)))


@dataclass(frozen=True)
class _Batches:
    """Which calls go out together: ``of`` is the batch of each call, ``first`` and ``last`` are its ends."""

    of: Ints
    first: Ints
    last: Ints
    is_array: Bools


def segment_run(chance: Chance, season: Season, people: People, acts: Acts) -> Run:
    """What Segment's clients send of ``acts`` (of ``segment_acts``)."""
    batches = _batches(people, acts)
    arrived = arrivals(chance, "segment", season, acts.at[batches.last])
    calls = joined_in_groups(_calls(chance, people, acts), batches.first, "},")
    batched = batches.is_array[arrived.of].astype(np.int64)
    skew = people.skew[acts.device[batches.last]]
    lines = joined(
        '{"received_at":"',
        iso_times(arrived.received_at),
        picked(['","body":', '","body":{"batch":['], batched),
        picked(calls, arrived.of),
        # A single call is itself the body.
        picked([',"sentAt":"', '}],"sentAt":"'], batched),
        iso_times(arrived.sent_at + skew[arrived.of]),
        '",',
        _WRITE_KEY,
    )
    sizes = np.bincount(batches.of, minlength=len(batches.first))
    repeated = int(sizes[arrived.of[arrived.firsts :]].sum())
    return run_of(
        arrived.received_at,
        lines,
        broken_lines(people, _BREAKAGES, shift=9),
        Tally(events=acts.count, duplicates=repeated),
    )


def _is_server(acts: Acts) -> Bools:
    return np.equal(acts.kind, NUMBER["invite_sent"])


def _batches(people: People, acts: Acts) -> _Batches:
    """Phones and every third browser keep the calls of a visit until it ends; our server sends one at a time."""
    server, phone = _is_server(acts), acts.device % DEVICES == PHONE
    keeps = (phone | (people.numbers[acts.person] % _BROWSERS_THAT_BATCH == 0)) & ~server
    same = np.zeros(acts.count, dtype=bool)
    same[1:] = keeps[1:] & keeps[:-1]
    for column in (acts.person, acts.session, acts.device):
        same[1:] &= column[1:] == column[:-1]
    length = np.diff(np.flatnonzero(np.append(~same, True)))
    begins = ordinals(length) % _LARGEST_BATCH == 0
    first = np.flatnonzero(begins)
    last = np.append(first[1:], acts.count) - 1
    return _Batches(np.cumsum(begins) - 1, first, last, (keeps | server)[first])


def _calls(chance: Chance, people: People, acts: Acts) -> Texts:
    """One call for each act, a JSON object without its closing brace."""
    properties = property_positions(chance, "segment properties", acts.kind)
    group = acts.kind == NUMBER["group"]
    # Clients of one family say timestamp where those of the other say originalTimestamp.
    phone = (acts.device % DEVICES == PHONE).astype(np.int64)
    return joined(
        picked(_heads(people), np.where(group, len(PROPERTY_TEXTS) + acts.person, properties)),
        '"messageId":"',
        uuids(chance, "message", acts.count),
        picked(['","timestamp":"', '","originalTimestamp":"'], phone),
        iso_times(acts.at + people.skew[acts.device]),
        '",',
        _who(people, acts),
        _contents(people, acts, properties),
        _contexts(people, acts, properties),
    )


def _heads(people: People) -> list[str]:
    """The type of a call and what goes with it: one for each property set, then one for each person's company."""
    heads = [_head(kind, properties) for kind in KINDS for properties in kind.properties]
    return heads + [f'{{"type":"group","groupId":"{account_id(company)}",' for company in people.company.tolist()]


def _head(kind: Kind, properties: dict[str, Any]) -> str:
    match kind.via:
        case Via.TRACK:
            return f'{{"type":"track","event":"{kind.event_type}",'
        case Via.PAGE | Via.SCREEN:
            return f'{{"type":"{kind.via}","name":{dumps(properties.get("title") or properties["name"])},'
        case _:
            return f'{{"type":"{kind.via}",'


def _who(people: People, acts: Acts) -> Texts:
    """The ids of a call: our server knows no browser, and an alias names the browser's id as the earlier one."""
    known = np.where(acts.known, acts.person, people.count)
    anonymous = picked(people.anonymous_ids, acts.device)
    form = np.where(acts.kind == NUMBER["alias"], _ALIAS, np.where(_is_server(acts), _SERVER, _CLIENT))
    opened = picked(['"anonymousId":"', '"previousId":"', '"anonymousId":null'], form)
    named = picked([f'"userId":"{user_id}",' for user_id in people.user_ids] + [""], known)
    return joined(opened, where(form == _SERVER, ",", joined(anonymous, '",')), named)


def _contents(people: People, acts: Acts, properties: Ints) -> Texts:
    """Properties, or traits where the call has them; an alias has neither."""
    texts = [f'"properties":{text},' for text in PROPERTY_TEXTS]
    traits = [
        f'"traits":{dumps(traits_of(people, person))},' if people.signed_up[person] else ""
        for person in range(people.count)
    ]
    groups = [_group_traits(people, company) for company in people.company.tolist()]
    of_person = len(texts) + acts.person
    position = np.select(
        [acts.kind == NUMBER[name] for name in ("identify", "group", "alias")],
        [of_person, of_person + people.count, len(texts) + 2 * people.count],
        properties,
    )
    return picked([*texts, *traits, *groups, ""], position)


def _group_traits(people: People, company: int) -> str:
    if company == NEVER:
        return ""
    return f'"traits":{dumps({"name": people.company_name(company), "employees": 3 + company * 7 % 240})},'


def _contexts(people: People, acts: Acts, properties: Ints) -> Texts:
    """The context: the page, the campaign of an anonymous visit, the device; or our server's library."""
    campaign = np.where(acts.known, len(CAMPAIGNS), people.campaign[acts.person])
    is_page = acts.kind == NUMBER["page_view"]
    browser = joined(
        '"context":{',
        picked([*_PAGE_PARTS, ""], np.where(is_page, properties, len(_PAGE_PARTS))),
        picked([*_CAMPAIGN_PARTS, ""], campaign),
        picked(segment_contexts(people), acts.device),
        "}",
    )
    return where(_is_server(acts), _SERVER_CONTEXT, browser)
