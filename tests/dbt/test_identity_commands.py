"""gdp person and gdp identity on the scenarios of SCENARIOS.md: what they say of each rule."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from models.keys import email_sha256
from tests.cli.test_json_docs import DOCUMENTED, keys
from tests.dbt.scenarios import TELLINGS, Scenario, Telling, scenarios, tellings
from tests.pipeline.projects import Studio

BY_NAME = {scenario.name: scenario for scenario in scenarios()}


def name_of(scenario: Scenario, token: str) -> str:
    """An identifier of the first telling, as somebody would write it."""
    return ":".join(Telling(scenario, 0).identifier(token))


def explain(studio: Studio, scenario: str, first: str, second: str) -> dict[str, Any]:
    """What gdp identity explain says of two identifiers."""
    names = [name_of(BY_NAME[scenario], token) for token in (first, second)]
    return dict(studio.ok("identity", "explain", *names, "--format", "json").json)


def test_a_chain_is_told_event_by_event(scenario_studio: Studio) -> None:
    """The shortest one, each step with its event."""
    found = explain(scenario_studio, "chain", "u1", "a1")
    assert found["samePerson"]
    assert found["personA"] == found["personB"]
    assert [step["eventId"] for step in found["path"]] == ["chain-0#4", "chain-0#3", "chain-0#2", "chain-0#1"]
    assert [step["start"] for step in found["path"]] == [
        *("user_id:chain-0-u1", "stripe_id:chain-0-s1", "google_id:chain-0-g1", "email:chain-0-1@example.com"),
    ]
    assert {(step["source"], step["eventType"], step["trust"]) for step in found["path"]} == {
        ("app", "page_viewed", "server")
    }
    assert found["reasons"][0] == (
        "user_id:chain-0-u1 and stripe_id:chain-0-s1 came together in an event of a server"
        " (chain-0#4, 2026-03-02 12:03 UTC)."
    )


@pytest.mark.parametrize(
    ("scenario", "first", "second", "refused", "reason"),
    [
        ("diamond", "a1", "u1", [None, None], "came together in an event of a server"),
        ("link", "u1", "a1", [None], "user_id:link-0-u1 and anonymous_id:link-0-a1 came together in a link by hand."),
        ("user_id conflict", "u1", "u2", [None, "limit:user_id"], "more than 1 identifiers of type user_id"),
        ("link against a limit", "u1", "u2", ["limit:user_id"], "more than 1 identifiers of type user_id"),
        ("two paths around a cut", "u1", "a1", [None, "cut"], "were cut: two paths around a cut"),
        ("a browser between two known people", "u1", "s1", [None, "unsigned", None], "only a browser says so"),
        ("hub", "u1", "u2", ["hub", "hub"], "email:hub-0-1@example.com joins nobody: it was seen with 4 users"),
        ("shared device, in turns", "u1", "u2", ["shared_device"] * 2, "joins nobody: 2 users had it, each in turn."),
    ],
)
def test_the_rule_is_said(
    scenario: str, first: str, second: str, refused: list[str | None], reason: str, scenario_studio: Studio
) -> None:
    """Each kind of refusal, in plain words, and on which step of the shortest path."""
    found = explain(scenario_studio, scenario, first, second)
    assert [step["refusedBy"] for step in found["path"]] == refused
    assert found["samePerson"] == (set(refused) == {None})
    assert reason in " ".join(found["reasons"])
    assert len(found["reasons"]) == len(set(found["reasons"]))


def test_whose_a_shared_device_was_is_told(scenario_studio: Studio) -> None:
    """Each turn with its times; the device was the first user's from its first event."""
    found = explain(scenario_studio, "shared device, in turns", "u1", "d1")
    assert not found["samePerson"]
    assert [turn["person"] for turn in found["turns"]] == [
        *("nobody but itself", "user_id:shared-device-in-turns-0-u1"),
        *("user_id:shared-device-in-turns-0-u2", "user_id:shared-device-in-turns-0-u1"),
    ]
    other = explain(scenario_studio, "shared device, in turns", "u2", "d1")
    assert [(turn["personId"], turn["validFrom"], turn["validTo"]) for turn in found["turns"]] == [
        (found["personB"], None, "2026-03-02T12:00:00Z"),
        (found["personA"], "2026-03-02T12:00:00Z", "2026-03-02T12:02:00Z"),
        (other["personA"], "2026-03-02T12:02:00Z", "2026-03-02T12:04:00Z"),
        (found["personA"], "2026-03-02T12:04:00Z", None),
    ]


def test_strangers_have_no_path(scenario_studio: Studio) -> None:
    """Nothing ever joined them."""
    names = [name_of(BY_NAME[scenario], "u1") for scenario in ("chain", "hub")]
    found = scenario_studio.ok("identity", "explain", *names, "--format", "json").json
    assert (found["path"], found["reasons"]) == ([], ["No event, and no chain of events, ever carried both."])


def test_the_report_counts_what_joins_nobody(scenario_studio: Studio) -> None:
    """Hubs, shared devices, refusals and sizes of the whole graph."""
    found = scenario_studio.ok("identity", "report", "--format", "json").json
    assert sorted((hub["value"], hub["seenWith"]) for hub in found["hubs"]) == [
        (f"hub-{number}-1@example.com", 4) for number in range(4)
    ]
    assert {(device["seenWith"], device["turns"]) for device in found["sharedDevices"]} == {(2, 2), (2, 3)}
    refusals = {refusal["rule"]: refusal["edges"] for refusal in found["refusals"]}
    assert refusals == {"hub": 16, "shared_device": 24, "cut": 16, "limit:user_id": 16, "unsigned": 4}
    assert found["refused"] == sum(refusals.values())
    assert sum(size["persons"] for size in found["sizes"]) == found["persons"]
    assert sum(type_["identifiers"] for type_ in found["types"]) == found["identifiers"]
    devices = next(type_ for type_ in found["types"] if type_["idType"] == "device_id")
    # Of each telling the two shared devices, that of one user and that of a logout speak for events; fan-in's does not.
    assert (devices["identifiers"], devices["orphans"]) == (20, 4)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """A file of what is known."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def against(studio: Studio, truth: Path) -> dict[str, Any]:
    """What gdp identity report --truth says."""
    return dict(studio.ok("identity", "report", "--truth", truth, "--format", "json").json)


def test_the_scenarios_hold_against_themselves(scenario_studio: Studio, tmp_path: Path) -> None:
    """The persons of SCENARIOS.md as a file: nothing is missed, nothing mixed up."""
    rows = [
        (person_id, *identifier)
        for telling in tellings(TELLINGS)
        for person_id, person in telling.persons().items()
        for identifier in person
        if not isinstance(identifier, int)
    ]
    found = against(scenario_studio, write_csv(tmp_path / "known.csv", ("person", "type", "value"), rows))
    assert (found["precision"], found["recall"], found["misses"], found["merges"]) == (1.0, 1.0, [], [])
    assert found["identifiers"] == len(rows) > 400


def test_pairs_are_missed_for_a_reason(
    scenario_studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusals that lie between, that nobody carried it, or that nothing leads from one to the other."""
    told = [
        ("user_id conflict", "u1", "u2", "true"),
        ("hub", "u1", "u2", "TRUE"),
        ("chain", "u1", "a1", "1"),
        ("diamond", "u1", "a1", "false"),
        ("cut", "u1", "e1", "0"),
        ("cut", "a1", "e1", "0"),
    ]
    pairs = [(*(name_of(BY_NAME[scenario], token) for token in ends), same) for scenario, *ends, same in told]
    chain, hub = name_of(BY_NAME["chain"], "u1"), name_of(BY_NAME["hub"], "u1")
    pairs += [(chain, "user_id: nobody", "true"), (chain, hub, "true")]
    found = against(scenario_studio, write_csv(tmp_path / "known.csv", ("a", "b", "same_person"), pairs))
    assert (found["pairs"], found["found"], found["missed"], found["wrong"]) == (5, 1, 4, 2)
    assert (found["precision"], found["recall"]) == (1 / 3, 1 / 5)
    address, other = "email:hub-0-1@example.com", name_of(BY_NAME["user_id conflict"], "e1")
    expected = [
        ("limit:user_id", [(other, pairs[0][1], "limit:user_id")]),
        ("hub", [(pairs[1][0], address, "hub"), (address, pairs[1][1], "hub")]),
        ("never_seen", []),
        ("no_evidence", []),
    ]
    missed = [pairs[0][:2], pairs[1][:2], ("user_id:nobody", chain), (chain, hub)]
    assert [(*miss["a"], *miss["b"]) for miss in found["misses"]] == missed
    assert [
        (miss["reason"], [tuple(step.values()) for step in miss["refusals"]]) for miss in found["misses"]
    ] == expected
    assert [merge["pairs"] for merge in found["merges"]] == [1, 1]
    assert set(keys(found)) == set(keys(DOCUMENTED["gdp identity report --truth"]))
    screens = {}
    for width in ("80", "250"):
        monkeypatch.setenv("COLUMNS", width)
        screen = scenario_studio.ok("identity", "report", "--truth", tmp_path / "known.csv").out
        screens[width] = " ".join(screen.split())
        assert max(map(len, screen.splitlines())) <= int(width)
    assert "Recall 20.0%: 1 of them" in screens["80"]
    assert "user_id:hub-0-u1 user_id:hub-0-u2 1 hub" in screens["80"]
    assert f"{address} and user_id:hub-0-u2 came together, refused: hub" in screens["250"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("known.csv", "person,kind\n1,2\n", "has the columns person, kind; give the columns person, type, value"),
        ("known.csv", "person,type,value\n1,user_id,a\n1,email,\n", "row 2: value is missing"),
        ("known.csv", "person,type,value\n", "known.csv: has no rows"),
        ("known.csv", "person,type,value\n1,user,a\n", "row 1: 'user' is no type of identifier"),
        ("known.csv", "a,b\nuser_id:1,user_id: 1\n", "row 1: a and b are one identifier, user_id:1"),
        ("known.csv", "a,b,same_person\nuser_id:1,user_id:2,maybe\n", "same_person is true or false"),
        (
            "known.csv",
            "a,b,same_person\nuser_id:1,user_id:2,true\nuser_id:2,user_id:1,false\n",
            "row 2: user_id:2 and user_id:1 stand already as the contrary",
        ),
        ("known.parquet", "no parquet", "known.parquet: "),
        ("known.xlsx", "", "is neither .parquet nor .csv"),
        ("", "", "there is no such file"),
    ],
)
def test_a_file_of_what_is_known_is_checked(
    name: str, text: str, message: str, scenario_studio: Studio, tmp_path: Path
) -> None:
    """In one line that says where."""
    path = tmp_path / (name or "known.csv")
    if name:
        path.write_text(text, encoding="utf-8")
    answer = scenario_studio.gdp("identity", "report", "--truth", path)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert answer.err.count("\n") == 1


def test_the_report_says_which_events_are_identified(scenario_studio: Studio) -> None:
    """Those of persons with more than cookies, devices and identifiers of our own making."""
    found = scenario_studio.ok("identity", "report", "--format", "json").json
    persons = (
        "select person_key from identity_link"
        " where id_type not in ('anonymous_id', 'device_id') and not starts_with(id_type, 'custom:')"
    )
    sql = f"select count(*) as every, count(*) filter (where person_key in ({persons})) as identified from event"
    [events] = scenario_studio.ok("sql", sql, "--format", "json").json
    assert (found["events"], found["eventsIdentified"]) == (events["every"], events["identified"])
    assert 0 < events["identified"] < events["every"]
    assert found["shareIdentified"] == events["identified"] / events["every"]


@pytest.mark.parametrize("form", ["typed", "value", "email", "email_sha256", "hash", "person_id", "alias"])
def test_a_person_is_found_by_whatever_names_it(form: str, scenario_studio: Studio) -> None:
    """By type and value, by value alone, by an e-mail or its hash, by its id and by any id that it ever had."""
    address = "late-bridge-0-1@example.com"
    alias = scenario_studio.ok(
        "sql",
        "select alias.alias_id, alias.person_id from identity_link as link"
        " inner join person_alias as alias on link.link_id = alias.alias_id where link.id_value = 'late-bridge-0-u1'",
        "--format",
        "json",
    ).json[0]
    assert alias["alias_id"] != alias["person_id"]
    text = {
        "typed": "user_id:late-bridge-0-u1",
        "value": "late-bridge-0-u1",
        "email": address.upper(),
        "email_sha256": email_sha256(address),
        "hash": f"email_sha256:{email_sha256(address)}",
        "person_id": alias["person_id"],
        "alias": alias["alias_id"].upper(),
    }[form]
    found = scenario_studio.ok("person", "show", text, "--format", "json").json
    assert found["personId"] == found["profile"]["personId"] == alias["person_id"]
    assert {(link["idType"], link["email"] or link["idValue"]) for link in found["identifiers"]} == {
        ("anonymous_id", "late-bridge-0-a1"),
        ("email", address),
        ("google_id", "late-bridge-0-g1"),
        ("user_id", "late-bridge-0-u1"),
    }
    assert [event["eventId"] for event in found["lastEvents"]] == [f"late-bridge-0#{number}" for number in (3, 2, 1)]


def test_rules_that_are_not_built_yet_are_told(own_sample: Studio) -> None:
    """The answer is that of the build; rules that were written since are not in it."""
    pair = ("email:shared@example.com", "user_id:email-user-0")
    told = "definitions/identity.yml has changed since this build: gdp build applies what it says now."
    ask = ("identity", "explain", *pair, "--format", "json")
    assert told not in own_sample.ok(*ask).json["reasons"]
    own_sample.ok("identity", "cut", *pair, "--reason", "a shared mailbox")
    assert own_sample.ok(*ask).json["reasons"][-1] == told


def test_a_rule_for_an_identifier_that_nobody_has_is_told(own_sample: Studio) -> None:
    """It is written, because the event may come; a misspelt one would part nobody."""
    cut = ("identity", "cut", "user_id:email-user-1", "user_id:email-usr-2", "--reason", "x", "--format", "json")
    answer = own_sample.gdp(*cut)
    assert (answer.code, answer.json["unknown"]) == (0, ["user_id:email-usr-2"])
    assert "no event of this build carried user_id:email-usr-2" in answer.err


@pytest.mark.parametrize("who", ["chain-0-u1", "shared-device-in-turns-0-u1"])
def test_a_person_fits_a_screen(who: str, scenario_studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its identifiers in full, at 80 columns; an end only where a device was somebody else's later."""
    monkeypatch.setenv("COLUMNS", "80")
    out = scenario_studio.ok("person", "show", who).out
    assert f"user_id:{who}  " in out
    assert ("until" in out) == ("device" in who)
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("person", "show", "nobody"), "no event carried 'nobody'"),
        (("person", "show", "user_id:nobody"), "no event carried 'user_id:nobody'"),
        (("identity", "explain", "user_id:chain-0-u1", "chain-0-u1"), "are one identifier, user_id:chain-0-u1"),
    ],
)
def test_who_cannot_be_found_is_refused(arguments: tuple[str, ...], message: str, scenario_studio: Studio) -> None:
    """In one line."""
    answer = scenario_studio.gdp(*arguments)
    assert answer.code == 2
    assert message in answer.err
    assert answer.out == ""


@pytest.mark.parametrize("command", [("identity", "report"), ("person", "show", "hub-0-u1")])
def test_a_screen_is_printed(command: tuple[str, ...], scenario_studio: Studio) -> None:
    """For a person, too."""
    assert "hub-0" in scenario_studio.ok(*command).out
