"""Quarantine: nothing that was refused is lost, and what is put right lands exactly once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.mapping import load_mapping
from ingest.options import LandOptions
from ingest.quarantine import count_quarantine, quarantined_rows
from ingest.replay import read_edits, replay
from models import limits
from models.errors import UsageError
from tests.ingest.landings import NOW, counts, csv, event, files_below, jsonl, land, landed
from warehouse.control import inputs
from warehouse.home import Home

ONE = LandOptions(threads=1)


def waiting(home: Home) -> dict[str, int]:
    """How many rows wait, by reason; reasons of which none waits are left out."""
    return {count.reason: count.waiting for count in count_quarantine(home) if count.waiting}


def test_counting_by_file_and_reason(home: Home) -> None:
    """The newest file first."""
    assert count_quarantine(Home(home.root / "none")) == []
    land(home, jsonl("nope", "[]", "{", event()), "a.jsonl")
    land(home, jsonl("1"), "b.jsonl")
    assert [
        (Path(one.file).name, one.batch, one.reason, one.refused, one.waiting) for one in count_quarantine(home)
    ] == [
        ("b.jsonl", 2, "not_an_object", 1, 1),
        ("a.jsonl", 1, "not_an_object", 1, 1),
        ("a.jsonl", 1, "not_json", 2, 2),
    ]


def test_rows_by_id_batch_and_reason(home: Home) -> None:
    """1-2 is the second refused row of the first batch, 1 are all of it."""
    land(home, jsonl("nope", "[]"), "a.jsonl")
    land(home, jsonl(b'"\xff"'), "b.jsonl")
    assert [row.id for row in quarantined_rows(home)] == ["1-1", "1-2", "2-1"]
    assert [row.id for row in quarantined_rows(home, ["2", "1-2"])] == ["2-1", "1-2"]
    assert [row.id for row in quarantined_rows(home, reason="not_json")] == ["1-1"]
    assert quarantined_rows(home, reason="nul") == []
    with pytest.raises(UsageError, match="no row is refused for 'not_jsn' \\(did you mean 'not_json'"):
        quarantined_rows(home, reason="not_jsn")
    (row,) = quarantined_rows(home, ["2-1"])
    assert (row.raw, row.text, row.row_number, row.since) == (b'"\xff"', '"\\xff"', 1, NOW)
    for wrong, message in [
        ("x", "no id of a row"),
        ("3", "no batch 3"),
        ("1-9", "no row 1-9"),
        ("1-x", "no id of a row"),
    ]:
        with pytest.raises(UsageError, match=message):
            quarantined_rows(home, [wrong])


def test_rows_land_once_the_limits_are_wider(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replayed as they came; a second replay finds nothing to do, and the file itself stays a duplicate."""
    content = jsonl(event(), event(eventId="e2", personId="x" * 300), event(eventId="e3", personId="y" * 300), "nope")
    assert counts(land(home, content)) == (4, 1, 0, 3)
    summary = replay(home, now=NOW, options=ONE)
    assert (summary.rows_in, summary.landed, summary.duplicate, len(summary.still_refused)) == (3, 0, 0, 3)
    assert len(inputs(home.control)) == 1

    monkeypatch.setattr(limits, "MAX_ID_BYTES", 1000)
    assert replay(home, ["1-1"], now=NOW, options=ONE).to_json() == {
        "rows_in": 1,
        "landed": 1,
        "duplicate": 0,
        "quarantined": 0,
        "refused": [],
    }
    summary = replay(home, now=NOW, options=ONE)
    assert (summary.rows_in, summary.landed, list(summary.still_refused)) == (2, 1, ["1-3"])
    assert summary.still_refused["1-3"].startswith("not_json: ")
    assert sorted(landed(home, "event_id")) == [("e1",), ("e2",), ("e3",)]
    assert waiting(home) == {"not_json": 1}
    assert [row.outcome for row in quarantined_rows(home)] == ["landed", "landed", None]
    assert replay(home, now=NOW, options=ONE).landed == 0
    assert counts(land(home, content)) == (4, 0, 4, 0)
    assert files_below(home.staging) == []


def test_corrected_rows_land(home: Home, tmp_path: Path) -> None:
    """The list that ``show`` prints, edited; a text or the object itself; one row may still be wrong."""
    land(home, jsonl("nope", json.dumps(event(eventId="e2", timestamp="soon")), "[]"))
    shown = [row.to_json() for row in quarantined_rows(home)]
    shown[0]["raw"] = event(eventId="e1")
    shown[1]["raw"] = shown[1]["raw"].replace("soon", "2026-01-30T12:00:00Z")
    path = tmp_path / "fixed.json"
    path.write_text(json.dumps(shown))
    summary = replay(home, now=NOW, options=ONE, edits=read_edits(path))
    assert (summary.rows_in, summary.landed, list(summary.still_refused)) == (3, 2, ["1-3"])
    again = replay(home, now=NOW, options=ONE, edits=read_edits(path))
    assert (again.rows_in, again.landed) == (1, 0)
    assert sorted(landed(home, "event_id")) == [("e1",), ("e2",)]
    path.write_text("".join(json.dumps({"id": row["id"], "raw": event()}) + "\n" for row in shown))
    assert replay(home, now=NOW, options=ONE, edits=read_edits(path)).to_json()["duplicate"] == 1
    assert [row.outcome for row in quarantined_rows(home)] == ["landed", "landed", "duplicate"]


def test_an_edit_is_never_passed_over(home: Home) -> None:
    """A row that was edited and is not among those that are to be tried is a misunderstanding."""
    land(home, jsonl("nope", "[]"))
    edits = {"1-1": jsonl(event()), "1-2": jsonl(event(eventId="e2"))}
    for ids, reason in (["1-2"], None), ([], "not_an_object"):
        with pytest.raises(UsageError, match="1-1 was edited, but is not among the rows that are to be tried"):
            replay(home, ids, now=NOW, options=ONE, edits=edits, reason=reason)
    assert replay(home, ["1"], now=NOW, options=ONE, edits=edits).landed == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ('{"id": 1, "raw": ""}', 'row 1: an edited row is {"id": "12-3", "raw": …}'),
        ('[{"id": "1-1"}]', "row 1: an edited row is"),
        ("\udcff", "cannot be read"),
        ('[{"id": "1-1", "raw": "a"}, {"id": "1-1", "raw": "b"}]', "row 2: 1-1 stands here twice; give each row once"),
    ],
)
def test_edits_that_cannot_be_meant(tmp_path: Path, text: str, message: str) -> None:
    """One line says what a line of the file is."""
    path = tmp_path / "fixed.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError) as refusal:
        read_edits(path)
    assert message in str(refusal.value)


def test_rows_of_tables_land_with_another_mapping(home: Home) -> None:
    """Their cells are kept by column, so that a mapping that was wrong can be put right."""
    rows: list[list[Any]] = [["30.01.2026", "x", "ada", 3], ["2026-01-30", "x", "bob", 4]]
    content = csv(["when", "what", "who", "n"], *rows)
    names = ["occurred_at=when,event_type=what,user_id=who"]
    assert counts(land(home, content, "a.csv", mapping=load_mapping(names))) == (2, 1, 0, 1)
    mapping = home.root.parent / "map.yml"
    mapping.write_text(
        'columns: {occurred_at: when, event_type: what, user_id: who}\ntypes: {n: number}\ntime_format: "%d.%m.%Y"'
    )
    assert replay(home, now=NOW, options=ONE).landed == 0
    again = LandOptions(threads=1, mapping=load_mapping([str(mapping)]))
    assert replay(home, now=NOW, options=again).landed == 1
    assert sorted(landed(home, "user_id", "properties", "source")) == [
        ("ada", '{"n":3}', "custom"),
        ("bob", '{"n":"4"}', "custom"),
    ]
    assert waiting(home) == {}


def test_a_replayed_row_is_what_it_would_have_been(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that lands whole in another home adds nothing to what was replayed, computed ids and all."""
    content = csv(
        ["user", "event", "time", "note"],
        ["x" * 300, "e", "2026-01-30T12:00:00Z", 'a "b"'],
        ["ada", "e", "2026-01-30T12:00:00Z", ""],
    )
    assert counts(land(home, content, "a.csv")) == (2, 1, 0, 1)
    monkeypatch.setattr(limits, "MAX_ID_BYTES", 1000)
    assert replay(home, now=NOW, options=ONE).landed == 1
    other = Home(home.root.parent / "other").ensure()
    monkeypatch.setattr("ingest.landing_sql.limits.MAX_ID_BYTES", 1000)
    land(other, content, "a.csv")
    assert sorted(landed(home, "event_id", "body_key")) == sorted(landed(other, "event_id", "body_key"))


def test_a_ragged_row_lands_once_its_cells_are_named(home: Home) -> None:
    """Edited into an object of columns."""
    land(home, csv(["user", "event", "time"], ["ada", "x"], ["bob", "x", "2026-01-30T12:00:00Z"]), "a.csv")
    assert replay(home, now=NOW, options=ONE).still_refused == {"1-1": "not_an_object: a record is a JSON object"}
    fixed = json.dumps({"user": "ada", "event": "x", "time": "2026-01-30T12:00:00Z"}).encode()
    assert replay(home, now=NOW, options=ONE, edits={"1-1": fixed}).landed == 1


def test_a_zone_that_no_row_would_be_read_in_is_refused(home: Home) -> None:
    """JSON events bring their zones; mapped rows are read in the one that is given."""
    land(home, jsonl(event(timestamp="2026-01-30T12:00:00")))
    zoned = LandOptions(threads=1, tz="Europe/Berlin")
    with pytest.raises(UsageError, match="--tz holds for mapped rows; these are JSON events"):
        replay(home, now=NOW, options=zoned)
    land(home, csv(["user", "event", "time"], ["", "", "2026-01-30 12:00"]), "a.csv")
    assert replay(home, now=NOW, options=zoned).landed == 0
    fixed = {"2-1": b'{"user":"ada","event":"x","time":"2026-01-30 12:00"}'}
    assert replay(home, now=NOW, options=zoned, edits=fixed).landed == 1
    assert [moment.hour for (moment,) in landed(home, "occurred_at")] == [11]
