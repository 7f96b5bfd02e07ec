"""Commands on the files of segments: what is wrong is said before a build finds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.projects import Studio


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A project in which nothing landed."""
    return Studio.make(tmp_path_factory.mktemp("studio") / "new")


def test_everything_that_is_wrong_is_told_at_once(studio: Studio, tmp_path: Path) -> None:
    """Each with its file and line; what is right is told, too."""
    mine = studio.copy(tmp_path / "mine")
    folder = mine.folder / "definitions" / "segments"
    (folder / "a.yml").write_text("name: A\nrules:\n  - eventTyp: x\n")
    (folder / "b.json").write_text('[{"name": "B",\n "rules": []}]')
    (folder / "c.yml").write_text("name: [\n")
    (folder / "d.yml").write_text("name: Power Users\nrules: [{eventType: x}]\n")
    answer = mine.gdp("segment", "validate", "--format", "json")
    assert answer.code == 2
    assert [one["segmentId"] for one in answer.json["segments"]] == [
        "active_creators",
        "churn_risk",
        "power_users",
        "inviters",
        "trial_to_paid",
    ]
    starts = [text.removeprefix(f"{folder}/")[:30] for text in answer.json["problems"]]
    assert starts == [
        "a.yml line 3: rules.0: unknown",
        "b.json item 1 line 2: rules: g",
        "c.yml line 2: expected the nod",
        "power_users.yml: segment 'powe",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: A\nrules:\n  - cohortId: power_usr\n", "line 3: cohort 'power_usr' is neither a segment"),
        ("name: A\nrules:\n  - not:\n      cohortId: a\n", "line 4: segments that ask for each other: a -> a"),
        ("name: A\norder: 10\nrules: [{eventType: x}]\n", "order 10 is already that of"),
    ],
)
def test_a_file_is_checked_beside_the_others(studio: Studio, tmp_path: Path, text: str, says: str) -> None:
    """As if it were in the folder; other files are not its matter."""
    file = tmp_path / "draft.yml"
    file.write_text(text)
    answer = studio.gdp("segment", "validate", file, "--format", "json")
    assert answer.code == 2
    assert [says in text and text.startswith(str(file)) for text in answer.json["problems"]] == [True]


def test_a_draft_may_be_the_next_form_of_a_segment(studio: Studio, tmp_path: Path) -> None:
    """One id is twice only within the folder."""
    file = tmp_path / "draft.yml"
    file.write_text("name: Power Users\norder: 10\nrules: [{eventType: video_rendered}]\n")
    assert studio.ok("segment", "validate", file).out.startswith("Segments: 1 right, 0 wrong\n")


def test_names_that_nothing_answers_to_are_warned_of(sample: Studio, tmp_path: Path) -> None:
    """With the line and the nearest name; it is no mistake, for the first such event may be on its way."""
    file = tmp_path / "draft.yml"
    file.write_text(
        "name: Draft\nrules:\n  - eventType: Video_renderd\n  - any:\n      - property: industri\n"
        "        operator: exists\n      - property: lastActionDate\n        operator: exists\n"
    )
    first, second = sample.ok("segment", "validate", file, "--format", "json").json["warnings"]
    assert "no event 'video_renderd' has landed (did you mean 'video_rendered'" in first
    assert second.startswith(f"{file} line 5: nobody has a property 'industri' (did you mean 'industry'")
