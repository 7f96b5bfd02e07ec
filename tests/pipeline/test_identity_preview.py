"""gdp identity preview: what other rules would change is told before it is made, and nothing is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from analytics.identity_preview_result import IdentityPreview
from cli.screen import render_sheet
from models.keys import identifier_uuid
from tests.cli.test_json_docs import DOCUMENTED, keys
from tests.conftest import ODD_EVENTS
from tests.pipeline.projects import Studio
from warehouse.dbt import DbtOutcome
from warehouse.files import sha256_file
from warehouse.locks import exclusive

FUNNEL = ("signup_completed", "first_video_created")
PREVIEW = ("identity", "preview", "--funnel", ",".join(FUNNEL), "--window", "90d", "--format", "json", "--rules")
#: Eleven users of the sample's odd events who share an address that is a hub by the usual rules.
SHARERS = [event["personId"] for event in ODD_EVENTS if event.get("email") == "shared@example.com"]
#: A browser that speaks for events of its own, and its user.
BROWSER = (
    "select known.id_value as user_id, browser.id_value as browser from identity_link as known"
    " inner join identity_link as browser on known.person_key = browser.person_key"
    " inner join event on event.identifier_key = browser.identifier_key"
    " where known.id_type = 'user_id' and browser.id_type = 'anonymous_id' and browser.valid_to is null"
    " order by all limit 1"
)


@dataclass(frozen=True)
class Edited:
    """A studio whose rules were edited since its build, and the pair that they cut."""

    studio: Studio
    cut: tuple[str, str]

    @property
    def rules(self) -> Path:
        """The edited rules."""
        return self.studio.folder / "definitions" / "identity.yml"


@dataclass(frozen=True)
class Foretold(Edited):
    """What the edited rules would change by their preview, and all that was kept before it and after."""

    answer: dict[str, Any]
    kept: tuple[Mapping[str, Any], Mapping[str, Any]]


def everything(studio: Studio) -> dict[str, Any]:
    """All that is kept, and when each file was written; locks and what is on its way are not kept."""
    found = {}
    for path in sorted(studio.folder.rglob("*")):
        name = path.relative_to(studio.folder)
        if path.is_symlink():
            found[str(name)] = path.readlink()
        elif path.is_file() and path.parent != studio.home.locks:
            found[str(name)] = sha256_file(path), path.stat().st_mtime_ns
    return found


@pytest.fixture(scope="module")
def edited(sample: Studio, tmp_path_factory: pytest.TempPathFactory) -> Edited:
    """Eleven users may be one person, and a browser is cut off; tried on the sample, of which more has landed since."""
    studio = sample.copy(tmp_path_factory.mktemp("preview") / "studio")
    late = {"personId": "late", "timestamp": "2026-06-01T10:00:00Z", "eventType": "video_rendered"}
    studio.land("late", [late])
    [pair] = studio.ok("sql", BROWSER, "--format", "json").json
    cut = (f"user_id:{pair['user_id']}", f"anonymous_id:{pair['browser']}")
    (studio.folder / "definitions" / "identity.yml").write_text(
        "limits: {user_id: 11}\n"
        "hub_threshold: 11\n"
        f"hand:\n  - cut: ['{cut[0]}', '{cut[1]}']\n    reason: a library's computer\n"
    )
    return Edited(studio, cut)


@pytest.fixture(scope="module")
def foretold(edited: Edited) -> Foretold:
    """The preview of the edited rules."""
    before = everything(edited.studio)
    answer = edited.studio.ok(*PREVIEW, edited.rules).json
    return Foretold(edited.studio, edited.cut, answer, (before, everything(edited.studio)))


@pytest.mark.slow
def test_merges_and_splits_are_told(foretold: Foretold) -> None:
    """Of a limit that is raised and of a cut; with the identifiers of everybody concerned."""
    answer, cut = foretold.answer, foretold.cut
    assert len(SHARERS) == 11
    assert {change["kind"]: change for change in answer["changes"]} == {
        "merge": {"kind": "merge", "groups": 1, "before": 11, "after": 1},
        "split": {"kind": "split", "groups": 1, "before": 1, "after": 2},
        "regroup": {"kind": "regroup", "groups": 0, "before": 0, "after": 0},
    }
    merge, split = answer["examples"]
    assert {part["personBefore"] for part in merge["parts"]} == {
        str(identifier_uuid("user_id", one)) for one in SHARERS
    }
    assert len({part["personAfter"] for part in merge["parts"]}) == 1
    assert sorted(part["identifiers"] for part in merge["parts"]) == sorted([f"user_id:{one}"] for one in SHARERS)
    assert len({part["personBefore"] for part in split["parts"]}) == 1
    assert len({part["personAfter"] for part in split["parts"]}) == 2
    [apart] = [part for part in split["parts"] if cut[1] in part["identifiers"]]
    assert cut[0] not in apart["identifiers"]
    assert any(cut[0] in part["identifiers"] for part in split["parts"])


@pytest.mark.slow
def test_every_person_is_counted(foretold: Foretold) -> None:
    """Who merges, who splits and who stays are all; who landed since the build is not among them."""
    answer = foretold.answer
    [row] = foretold.studio.ok("sql", "select count(*) as persons from person", "--format", "json").json
    assert answer["persons"] == {"before": row["persons"], "after": row["persons"] - 10 + 1}
    assert (answer["same"], answer["gone"], answer["added"]) == (row["persons"] - 12, 0, 0)


@pytest.mark.slow
def test_what_is_published_is_the_measure(foretold: Foretold) -> None:
    """Segments, refusals, revenue and the funnel before are those that the reports give."""
    studio, answer = foretold.studio, foretold.answer
    segments = studio.ok("segment", "list", "--format", "json").json["segments"]
    assert {one["segmentId"]: one["before"] for one in answer["segments"]} == {
        one["segmentId"]: one["size"] for one in segments
    }
    refusals = studio.ok("identity", "report", "--format", "json").json["refusals"]
    told = {one["rule"]: one["before"] for one in answer["refusals"]}
    assert {rule: edges for rule, edges in told.items() if edges} == {one["rule"]: one["edges"] for one in refusals}
    assert [one for one in answer["refusals"] if one["rule"] == "hub"] == [{"rule": "hub", "before": 11, "after": 0}]
    last = {row["currency"]: row["end"] for row in studio.ok("mrr", "--format", "json").json["rows"]}
    assert {one["currency"]: one["before"] for one in answer["mrr"] if one["measure"] == "mrr"} == last
    stages = studio.ok("funnel", *FUNNEL, "--window", "90d", "--format", "json").json["stages"]
    assert [(one["name"], one["before"], one["rateBefore"]) for one in answer["funnel"]] == [
        (one["name"], one["count"], one["rate"]) for one in stages
    ]


@pytest.mark.slow
def test_nothing_is_changed(foretold: Foretold) -> None:
    """Not a byte: generations, control database, landing, definitions."""
    before, after = foretold.kept
    assert len(before) > 100
    assert after == before


@pytest.mark.slow
def test_the_answer_is_documented_and_fits_a_terminal(foretold: Foretold) -> None:
    """Its keys are those of docs/json.md, its screen is 80 columns wide."""
    assert set(keys(foretold.answer)) == set(keys(DOCUMENTED["gdp identity preview"]))
    lines = render_sheet(IdentityPreview.model_validate(foretold.answer).table(), 80).splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split() for line in lines if line.startswith(("merge into", "split into"))] == [
        ["merge", "into", "fewer", "1", "11", "1"],
        ["split", "into", "more", "1", "1", "2"],
    ]
    assert sum("user_id:email-user-" in line for line in lines) == 10
    assert "… in 1 more parts" in "\n".join(lines)


@pytest.mark.slow
def test_a_build_makes_what_was_foretold(foretold: Foretold, sample: Studio, tmp_path: Path) -> None:
    """Every number of the preview is that of the build with these rules."""
    studio, answer = sample.copy(tmp_path / "studio"), foretold.answer
    rules = Path("definitions") / "identity.yml"
    (studio.folder / rules).write_bytes((foretold.studio.folder / rules).read_bytes())
    assert studio.build("--as-of", "2026-07-01")["because"] == "the identity rules changed"
    [row] = studio.ok("sql", "select count(*) as persons from person", "--format", "json").json
    assert row["persons"] == answer["persons"]["after"]
    segments = studio.ok("segment", "list", "--format", "json").json["segments"]
    assert {one["segmentId"]: one["after"] for one in answer["segments"]} == {
        one["segmentId"]: one["size"] for one in segments
    }
    report = studio.ok("identity", "report", "--format", "json").json
    told = {one["rule"]: one["after"] for one in answer["refusals"] if one["after"]}
    assert told == {one["rule"]: one["edges"] for one in report["refusals"]}
    last = {row["currency"]: row["end"] for row in studio.ok("mrr", "--format", "json").json["rows"]}
    assert {one["currency"]: one["after"] for one in answer["mrr"] if one["measure"] == "mrr"} == last
    stages = studio.ok("funnel", *FUNNEL, "--window", "90d", "--format", "json").json["stages"]
    assert [(one["after"], one["rateAfter"]) for one in answer["funnel"]] == [
        (one["count"], one["rate"]) for one in stages
    ]


@pytest.mark.parametrize("failing", ["dbt", "Ctrl-C"])
def test_a_preview_that_fails_leaves_nothing(failing: str, edited: Edited, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in the home nor half of a build; the next one works."""

    def run_dbt(folder: Path, *_: object, **__: object) -> DbtOutcome:
        assert (folder.parent / "landing" / "all" / "event").is_dir()
        if failing == "Ctrl-C":
            raise KeyboardInterrupt
        return DbtOutcome(False, "no space left on device")

    monkeypatch.setattr("pipeline.trial.run_dbt", run_dbt)
    studio = edited.studio
    before = everything(studio)
    answer = studio.gdp(*PREVIEW, edited.rules)
    assert (answer.code, answer.out) == (130 if failing == "Ctrl-C" else 1, "")
    assert ("the tables could not be made: no space left on device" in answer.err) == (failing == "dbt")
    assert everything(studio) == before
    assert list(studio.home.staging.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("limits: {user_id: 0}\n", "limits.user_id"),
        ("limit: {user_id: 2}\n", "'limit'"),
        ("limits: {usr_id: 2}\n", "did you mean 'user_id'"),
        ("limits: {user_id: 2\n", "line 2"),
        (None, "no such file"),
    ],
)
def test_broken_rules_are_told_as_those_of_the_project(
    text: str | None, message: str, edited: Edited, tmp_path: Path
) -> None:
    """In the same words, with the name of their own file."""
    studio = edited.studio
    rules = studio.folder / "tried.yml"
    if text is not None:
        rules.write_text(text)
    answer = studio.gdp(*PREVIEW, rules)
    rules.unlink(missing_ok=True)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert answer.err.startswith(f"gdp: {rules}")
    if text is not None:
        project = Studio.make(tmp_path / "project")
        theirs = project.folder / "definitions" / "identity.yml"
        theirs.write_text(text)
        assert project.gdp("build").err == answer.err.replace(str(rules), str(theirs))


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("events.yml", "events: {}\n", "the event catalog changed"),
        ("revenue_policy.yml", "policies: {strict: {}}\ndefault: strict\n", "the revenue policies changed"),
        ("fx.csv", "date,currency,rate\n2026-01-01,eur,1.1\n", "the exchange rates changed"),
        ("segments/power_users.yml", None, "segment power_users changed"),
    ],
)
def test_more_than_the_rules_is_refused(file: str, text: str | None, message: str, own_sample: Studio) -> None:
    """Otherwise two changes would be told as one."""
    path = own_sample.folder / "definitions" / file
    path.unlink() if text is None else path.write_text(text)
    rules = own_sample.folder / "tried.yml"
    rules.write_text("hub_threshold: 11\n")
    answer = own_sample.gdp(*PREVIEW, rules)
    assert (answer.code, answer.out) == (1, "")
    assert message in answer.err
    assert "run gdp build first" in answer.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--funnel", "signup_completed"), "a funnel has 2 to 20 stages"),
        (("--funnel", "signup_completed,frist_video_created"), "did you mean 'first_video_created'"),
        (("--window", "soon"), "soon"),
    ],
)
def test_a_wrong_funnel_is_refused_before_anything_is_built(
    options: tuple[str, ...], message: str, edited: Edited
) -> None:
    """In one line."""
    answer = edited.studio.gdp(*PREVIEW, edited.rules, *options)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err


def test_a_window_without_a_funnel_is_refused(edited: Edited) -> None:
    """It would be asked for nothing."""
    answer = edited.studio.gdp("identity", "preview", "--rules", "tried.yml", "--window", "90d")
    assert (answer.code, answer.out) == (2, "")
    assert "name its stages with --funnel" in answer.err


def test_rules_that_change_nothing_are_refused(edited: Edited) -> None:
    """However they are written."""
    rules = edited.studio.folder / "tried.yml"
    rules.write_text("hub_threshold: 10\nlimits: {}\n")
    answer = edited.studio.gdp(*PREVIEW, rules)
    assert (answer.code, answer.out) == (2, "")
    assert "these are the rules of the published build" in answer.err


@pytest.mark.parametrize(("lock", "what"), [("preview", "a preview"), ("build", "a build")])
def test_a_preview_waits_for_nobody(lock: str, what: str, edited: Edited) -> None:
    """Another one and a build are told as such (exit code 75)."""
    with exclusive(edited.studio.home.locks / lock, what):
        answer = edited.studio.gdp(*PREVIEW, edited.rules)
    assert (answer.code, answer.out) == (75, "")
    assert f"{what} is running" in answer.err


def test_without_a_build_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    """One line that says what to do."""
    studio = Studio.make(tmp_path / "studio")
    rules = studio.folder / "tried.yml"
    rules.write_text("hub_threshold: 11\n")
    answer = studio.gdp(*PREVIEW, rules)
    assert (answer.code, answer.out) == (1, "")
    assert "run gdp build" in answer.err
