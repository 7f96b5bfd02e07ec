"""Taking landings back: what is left is what a home without them would hold, whatever happens on the way."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ingest.mapping import Mapping, load_mapping
from ingest.options import LandOptions
from ingest.quarantine import count_quarantine, quarantined_rows
from ingest.replay import replay
from models.errors import BusyError, UsageError
from tests.ingest.landings import NOW, counts, csv, event, files_below, jsonl, land, landed
from tests.warehouse.test_control import NOON, REFUSED, landed_file, record
from warehouse import control
from warehouse import forget as forgetting
from warehouse.control import landed_files, last_batch_seq, record_input, replayed_rows
from warehouse.control_schema import MIGRATIONS
from warehouse.forget import forget, landings
from warehouse.home import Home
from warehouse.landing import landing_room

ONE = LandOptions(threads=1)


def numbers(home: Home) -> list[tuple[int, bool]]:
    """Every landing's number, and whether it was forgotten."""
    return [(landing.number, landing.forgotten_at is not None) for landing in landings(home.control)]


def test_a_landing_is_forgotten_as_a_whole_and_its_file_lands_again(home: Home) -> None:
    """Rows, refused rows and the memory of the file go; its files are kept apart; no number is given twice."""
    content = jsonl(event(), event(eventId="e2"), "nope")
    land(home, content)
    assert forget(home, [1], now=NOW).landings[0].batches == (1,)
    assert (landed(home, "event_id"), count_quarantine(home)) == ([], [])
    assert files_below(home.orphaned) == ["event-0000000001.parquet", "quarantine-0000000001.parquet"]
    assert files_below(home.landing) == files_below(home.quarantine) == []

    assert counts(land(home, content)) == (3, 2, 0, 1)
    assert numbers(home) == [(1, True), (2, False)]
    assert (last_batch_seq(home.control), [row.id for row in quarantined_rows(home)]) == (2, ["2-1"])


def test_only_what_is_named_goes(home: Home) -> None:
    """An unknown number, or one that is gone already, stops the whole command."""
    for number in (1, 2, 3):
        land(home, jsonl(event(eventId=f"e{number}")), f"{number}.jsonl")
    forget(home, [1, 3, 3], now=NOW)
    assert landed(home, "event_id") == [("e2",)]
    for wrong, reason in (([2, 9], "no landing 9"), ([2, 1], "landing 1 was forgotten on 2026-03-01")):
        with pytest.raises(UsageError, match=reason):
            forget(home, wrong, now=NOW)
    assert landed(home, "event_id") == [("e2",)]


def test_rows_that_were_left_out_for_a_forgotten_one_can_land(home: Home) -> None:
    """The second file's e1 was dropped because the first had it; the file is not taken for known any more."""
    second = jsonl(event(), event(eventId="e2"))
    land(home, jsonl(event()), "first.jsonl")
    assert counts(land(home, second, "second.jsonl")) == (2, 1, 1, 0)
    assert forget(home, [1], now=NOW).land_again == (str(home.root.parent / "second.jsonl"),)
    again = land(home, second, "second.jsonl")
    assert (counts(again), again.files[0].also_landed_as) == ((2, 1, 1, 0), ())
    assert sorted(landed(home, "event_id")) == [("e1",), ("e2",)]


def test_a_forgotten_replay_lets_its_rows_wait_again(home: Home) -> None:
    """And they can be replayed once more, also those that it found to be there already."""
    land(home, csv(["id", "who", "when", "what"], ("e1", "ada", "2026-01-30", "x")), "a.csv", mapping=wrong())
    replay(home, now=NOW, options=LandOptions(threads=1, mapping=right()))
    assert (replayed_rows(home.control), len(landed(home, "event_id"))) == ({"1-1": "landed"}, 1)
    forget(home, [2], now=NOW)
    assert (replayed_rows(home.control), landed(home, "event_id")) == ({}, [])
    assert replay(home, now=NOW, options=LandOptions(threads=1, mapping=right())).landed == 1


def right() -> Mapping:
    """A mapping that fits the file."""
    return load_mapping(["event_id=id,user_id=who,occurred_at=when,event_type=what"])


def wrong() -> Mapping:
    """One that takes a name for a time."""
    return load_mapping(["event_id=id,user_id=what,occurred_at=who,event_type=when"])


def test_a_row_that_was_settled_by_a_forgotten_landing_waits_again(home: Home) -> None:
    """A replay found it to be there already; now it is not."""
    land(home, jsonl("nope"), "a.jsonl")
    land(home, jsonl(event()), "b.jsonl")
    good = jsonl(event()).strip()
    assert replay(home, now=NOW, options=ONE, edits={"1-1": good}).duplicate == 1
    assert forget(home, [2], now=NOW).land_again == ()
    assert replay(home, now=NOW, options=ONE, edits={"1-1": good}).landed == 1


def test_a_kill_after_the_transaction_leaves_only_files_without_an_entry(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one who lands sets them aside."""
    land(home, jsonl(event(), "nope"))
    land(home, jsonl(event(eventId="e2")), "b.jsonl")
    with monkeypatch.context() as patched:
        patched.setattr(forgetting, "set_aside", lambda _home: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            forget(home, [1], now=NOW)
    assert landed(home, "event_id") == [("e2",)]
    assert "event/0000000001.parquet" in files_below(home.landing)
    with landing_room(home):
        pass
    assert files_below(home.landing) == ["event/0000000002.parquet"]
    assert files_below(home.orphaned) == ["event-0000000001.parquet", "quarantine-0000000001.parquet"]


def test_a_failure_within_the_transaction_changes_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of the landings or none."""
    land(home, jsonl(event()))
    monkeypatch.setattr(forgetting, "_reopen_later_ones", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        forget(home, [1], now=NOW)
    assert (landed(home, "event_id"), numbers(home)) == ([("e1",)], [(1, False)])


def test_it_waits_for_who_lands(home: Home) -> None:
    """A running ingest holds the lock."""
    with landing_room(home), pytest.raises(BusyError, match="another ingest is running"):
        forget(home, [1], now=NOW, wait=0.1)


def test_the_same_content_read_in_another_way_is_said(home: Home) -> None:
    """It lands, for somebody may mean it, but not without a word; equal rows or an equal reading say nothing."""
    content = csv(["id", "who", "when", "what"], ("e1", "ada", "2026-01-30", "x"))
    first = land(home, content, "a.csv", mapping=right())
    assert (first.files[0].also_landed_as, first.files[0].warning) == ((), None)
    trusted = land(home, content, "a.csv", mapping=right(), trusted=True)
    assert (counts(trusted), trusted.files[0].also_landed_as) == ((1, 0, 1, 0), ())
    second = land(home, content, "b.csv", mapping=right(), source="app").files[0]
    name = home.root.parent / "a.csv"
    assert second.also_landed_as == (f"{name} on 2026-03-01 12:00:00 UTC",)
    assert second.to_json()["also_landed_as"] == list(second.also_landed_as)
    assert "landed before with another mapping, source or zone" in (second.warning or "")
    land(home, content, "c.csv", mapping=right(), tz="Asia/Tokyo")
    forget(home, [1, 3, 4], now=NOW)
    assert land(home, content, "d.csv", mapping=right(), source="custom").files[0].also_landed_as == ()


def test_an_older_control_database_knows_which_replay_settled_a_row(tmp_path: Path) -> None:
    """The migration finds it by the name and the time of the replay."""
    path = tmp_path / "control.sqlite"
    with sqlite3.connect(path) as connection:
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        fields = "name, form, sha256, bytes, options, fingerprint, rows_in, landed, duplicate, quarantined, reasons"
        values = "'jsonl', ?, 1, '{}', 'f', 0, 0, 0, 0, '{}', '2026-01-30T12:00:00.000000Z'"
        for name in ("a.jsonl", "replay of a.jsonl", "replay of b.jsonl"):
            connection.execute(f"insert into input ({fields}, landed_at) values (?, {values})", (name, name))
        connection.execute("insert into quarantine_file values (1, 'q', 1, '{}', '2026-01-30T12:00:00.000000Z', 1)")
        connection.execute(
            "insert into quarantine_replay values ('1-1', '2026-01-30T12:00:00.000000Z', 'landed'),"
            " ('1-2', '2026-01-31T12:00:00.000000Z', 'landed')"
        )
        connection.execute("pragma user_version = 1")
    connection.close()
    with control.opened(path) as connection:
        settled = connection.execute("select quarantine_id, input_id from quarantine_replay order by 1").fetchall()
    assert settled == [("1-1", 2), ("1-2", None)]


def test_a_landing_lists_its_batches_in_order(home: Home) -> None:
    """One input may have several landing files, and none."""
    record_input(home.control, record(), [landed_file(9), landed_file(10)], REFUSED)
    record_input(home.control, record(sha256="bb"), [], None)
    found = landings(home.control)
    assert [(one.number, one.batches, one.landed_at) for one in found] == [(1, (9, 10), NOON), (2, (), NOON)]
    assert [file.batch_seq for file in landed_files(home.control)] == [9, 10]
