"""Segments before they are defined: what a preview says of them, and writing them down."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from models.errors import UsageError
from pipeline.project import find_project
from pipeline.segment_drafts import create_segment
from tests.pipeline.projects import Studio

HEAVY = """# those to write to
name: Heavy renderers
rules:
  - {eventType: video_rendered, eventCount: {gte: 20}, eventWindow: 30d}
"""
#: As the product's requirements write it.
JSON_HEAVY = {
    "name": "Heavy renderers",
    "rules": [{"eventType": "video_rendered", "eventCount": {"gte": 20}, "eventWindow": "30d"}],
}


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """A project in which nothing has landed."""
    return Studio.make(tmp_path / "studio")


def written(folder: Path, text: str) -> Path:
    """A file beside the project."""
    file = folder / "draft.yml"
    file.write_text(text)
    return file


def members(studio: Studio, segment: str, *options: str) -> set[str]:
    """Who is in a published segment."""
    found = studio.ok("segment", "members", segment, *options, "--format", "json").json
    return {one["personId"] for one in found["members"]}


def preview(studio: Studio, file: Path, *options: object) -> Any:
    """What a preview says."""
    return studio.ok("segment", "preview", file, *options, "--format", "json").json


@pytest.mark.parametrize("as_of", [(), ("--as-of", "2026-05-01")])
def test_a_preview_of_what_is_published_is_what_is_published(sample: Studio, as_of: tuple[str, ...]) -> None:
    """The same persons since the same moments, and the overlaps are those of the lists of members."""
    found = preview(sample, sample.folder / "definitions" / "segments" / "power_users.yml", "--examples", 1000, *as_of)
    listed = sample.ok("segment", "members", "power_users", *as_of, "--format", "json").json
    assert found["size"] == listed["count"] > 0
    assert sorted((one["personId"], one["enteredAt"]) for one in found["sample"]) == sorted(
        (one["personId"], one["enteredAt"]) for one in listed["members"]
    )
    assert found["published"]["count"] == found["published"]["size"] == found["size"]
    mine = {one["personId"] for one in listed["members"]}
    others = {one["segmentId"]: (one["size"], one["count"]) for one in found["overlaps"]}
    assert {"active_creators", "inviters"} < set(others)
    for name, counts in others.items():
        theirs = members(sample, name, *as_of)
        assert counts == (len(theirs), len(theirs & mine)), name


def test_a_preview_changes_nothing_and_reads_well(sample: Studio, tmp_path: Path) -> None:
    """A sentence, a size, some persons, and the other segments."""
    before = sorted(path.name for path in (sample.folder / "definitions" / "segments").iterdir())
    shown = sample.ok("segment", "preview", written(tmp_path, HEAVY)).out
    assert shown.startswith(
        "Preview of segment heavy_renderers\nvideo_rendered at least 20 times in the last 30 days\n"
    )
    assert {"for example", "Other segments"} <= {line[:14].strip() for line in shown.splitlines()}
    assert sorted(path.name for path in (sample.folder / "definitions" / "segments").iterdir()) == before


def test_a_diff_with_a_definition_lists_who_would_come_and_go(sample: Studio, tmp_path: Path) -> None:
    """Of a looser one somebody enters, of its rule for a segment of another id somebody leaves."""
    draft = written(tmp_path, "name: Power Users\nrules: [{eventType: video_rendered, eventWindow: 7d}]\n")
    found = sample.ok("segment", "diff", "power_users", "--definition", draft, "--format", "json").json
    drafted = {one["personId"] for one in preview(sample, draft, "--examples", 1000)["sample"]}
    before = members(sample, "power_users")
    assert (set(found["entered"]), set(found["left"])) == (drafted - before, before - drafted)
    assert (found["sizeBefore"], found["sizeAfter"]) == (len(before), len(drafted))
    assert found["entered"]
    same = ("segment", "diff", "power_users", "--definition", draft, "--from", "2026-06-01")
    assert sample.gdp(*same).err == ("gdp: --definition compares with the build's now: leave out --from and --to\n")


def test_a_segment_is_written_as_it_was_given(studio: Studio, tmp_path: Path) -> None:
    """Comments and all, under its id, once; a changed one replaces it where that is asked for."""
    file = written(tmp_path, HEAVY)
    path = studio.folder / "definitions" / "segments" / "heavy_renderers.yml"
    answer = studio.ok("segment", "create", file, "--format", "json").json
    assert answer == {"segmentId": "heavy_renderers", "path": str(path), "replaced": False, "warnings": []}
    assert path.read_text() == HEAVY
    assert [one for one in path.parent.parent.iterdir() if one.name.startswith(".")] == []
    again = studio.gdp("segment", "create", file)
    assert (again.code, again.err) == (
        2,
        f"gdp: segment 'heavy_renderers' is already defined in {path} (--replace replaces it)\n",
    )
    file.write_text(HEAVY.replace("20", "30"))
    assert studio.ok("segment", "create", file, "--replace").out.startswith(f"replaced {path}: segment heavy_renderers")
    assert "30}" in path.read_text()


def test_the_form_of_the_requirements_is_taken_as_it_is(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON on standard input; a file in the other form is replaced, too."""
    studio.ok("segment", "create", written(studio.folder, HEAVY))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(JSON_HEAVY).encode())))
    studio.ok("segment", "create", "-", "--replace")
    folder = studio.folder / "definitions" / "segments"
    assert sorted(path.name for path in folder.glob("heavy*")) == ["heavy_renderers.json"]
    assert "heavy_renderers" in {
        one["segmentId"] for one in studio.ok("segment", "list", "--format", "json").json["segments"]
    }


def test_the_requirements_function_creates(studio: Studio) -> None:
    """From what a program says, in the same form."""
    created = create_segment(find_project(studio.folder), JSON_HEAVY)
    assert json.loads(created.path.read_text()) == JSON_HEAVY
    assert created.segment.segment_id == "heavy_renderers"
    with pytest.raises(UsageError, match="already defined"):
        create_segment(find_project(studio.folder), JSON_HEAVY)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            b"name: x\nrules:\n  - {eventType: a, eventWindow: 1m}\n",
            "the new segment line 3: rules.0.eventWindow: give a",
        ),
        (b"[]", "the new segment: it defines 0 segments; give a file of one"),
        (b"- {name: a, rules: [{eventType: a}]}\n- {name: b, rules: [{eventType: a}]}\n", "it defines 2 segments"),
        (b"\xff", "standard input: not UTF-8 at byte 0"),
        (b"name: a\norder: 10\nrules: [{eventType: a}]\n", "order 10 is already that of"),
        (b"name: a\nrules: [{cohortId: nobody}]\n", "the new segment line 2"),
        (b"{", "the new segment"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_written(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, text: bytes, says: str
) -> None:
    """The message names the place in what was given."""
    folder = studio.folder / "definitions"
    before = sorted(folder.rglob("*"))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    answer = studio.gdp("segment", "create", "-")
    assert answer.code == 2
    assert answer.err.count("\n") == 1
    assert says in answer.err
    assert sorted(folder.rglob("*")) == before


def test_names_that_nothing_answers_to_are_warned_of(own_sample: Studio, tmp_path: Path) -> None:
    """The segment is written all the same: its events may come tomorrow."""
    answer = own_sample.ok("segment", "create", written(tmp_path, "name: a\nrules: [{eventType: video_renderd}]\n"))
    assert answer.err.startswith("gdp: warning: no event 'video_renderd' has landed (did you mean 'video_rendered'")
    assert "wrote" in answer.out


def test_a_preview_needs_a_build(studio: Studio, tmp_path: Path) -> None:
    """And a file."""
    assert studio.gdp("segment", "preview", tmp_path / "none.yml").err.endswith("none.yml: no such file\n")
    answer = studio.gdp("segment", "preview", written(tmp_path, HEAVY))
    assert (answer.code, answer.err.count("\n")) == (1, 1)
