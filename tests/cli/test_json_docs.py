"""docs/json.md names the keys that the commands print, no more and no fewer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.project import STARTER
from tests.conftest import BUILD_REPORT, IDENTITY_RULE, INGEST_REPORT, SAMPLE
from tests.pipeline.projects import Studio

PAGE = Path(__file__).parents[2] / "docs" / "json.md"
_SECTION = re.compile(r"^## ([^\n]*)\n(?:(?!^## ).)*?```json\n(.*?)```", re.DOTALL | re.MULTILINE)
DOCUMENTED = {heading: json.loads(example) for heading, example in _SECTION.findall(PAGE.read_text(encoding="utf-8"))}

FUNNEL = ("funnel", "signup_completed", "first_video_created", "purchase_completed", "--window", "90d")
#: A file that the sample's fixture left, or the command that prints it.
PRINTED: dict[str, str | tuple[str, ...]] = {
    "gdp ingest": INGEST_REPORT,
    "gdp build": BUILD_REPORT,
    "gdp funnel": (*FUNNEL, "--by", "utm_source"),
    "gdp cohort": ("cohort",),
    "gdp churn users": ("churn", "users"),
    "gdp overlap": ("overlap", "power_users", "active_creators"),
    "gdp meta matches": ("meta", "matches"),
    "gdp mrr": ("mrr",),
    "gdp mrr --versus": ("mrr", "--versus", "stripe"),
    "gdp revenue": ("revenue",),
    "gdp subscriptions": ("subscriptions", "--each"),
    "gdp trials": ("trials",),
    "gdp person show": ("person", "show", "goran.patel.211@harbour-post-52.example"),
    "gdp segment members": ("segment", "members", "ten_renders"),
    "gdp segment list": ("segment", "list"),
    "gdp segment validate": ("segment", "validate"),
    "gdp segment preview": ("segment", "preview", str(STARTER / "definitions" / "segments" / "power_users.yml")),
    "gdp segment is-member": ("segment", "is-member", "ten_renders", "goran.patel.211@harbour-post-52.example"),
    "gdp segment diff": ("segment", "diff", "ten_renders", "--from", "2026-05-01"),
    "gdp segment history": ("segment", "history", "ten_renders"),
    "gdp segment sizes": ("segment", "sizes", "ten_renders"),
    "gdp segment explain": ("segment", "explain", "ten_renders", "goran.patel.211@harbour-post-52.example"),
    "gdp identity report": ("identity", "report"),
    "gdp identity explain": ("identity", "explain", "deviceId-user-0", "deviceId-user-1"),
    "gdp identity link, gdp identity cut": IDENTITY_RULE,
    "Any report with --steps": (*FUNNEL, "--steps"),
    "gdp landing list, gdp landing forget": ("landing", "list"),
    "gdp status": ("status",),
}
#: Printed by commands that other tests run (test_stripe_command.py, test_identity_preview.py,
#: test_identity_commands.py, test_segment_drafts.py).
ELSEWHERE = {"gdp reconcile", "gdp identity preview", "gdp identity report --truth", "gdp segment create"}
#: Objects whose keys are data: each of their values has the same keys.
MAPS = {
    "reasons",
    "differs",
    "bySource",
    "ofEach",
    "sizes",
    "metrics",
    "unlisted_event_types",
    "unlisted_types",
    "unread_types",
}

#: The page shortens these; test_parts_of_a_funnel_are_funnels looks at them.
PART = ".bySource.*."


def keys(value: Any, path: str = "") -> Iterator[str]:
    """Every key with the way to it; an item of a list is [], a key that is data is *."""
    if isinstance(value, list):
        for item in value:
            yield from keys(item, path + "[]")
    elif isinstance(value, dict):
        is_map = path.rpartition(".")[2] in MAPS
        for name, item in value.items():
            inner = f"{path}.{'*' if is_map else name}"
            yield inner
            yield from keys(item, inner)


@pytest.mark.parametrize("heading", PRINTED)
def test_the_documented_keys_are_those_that_are_printed(heading: str, sample: Studio) -> None:
    """Each example of the page against what the sample gives."""
    source = PRINTED[heading]
    if isinstance(source, str):
        printed = json.loads((sample.folder / source).read_text())
    else:
        printed = sample.ok(*source, "--format", "json").json
    documented = keys(DOCUMENTED[heading])
    assert {key for key in documented if not key.startswith(PART)} == {
        key for key in keys(printed) if not key.startswith(PART)
    }


def test_the_documented_landing_is_that_of_the_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its numbers, too."""
    monkeypatch.chdir(SAMPLE.parents[1])
    documented = DOCUMENTED["gdp ingest"]
    (path,) = [file["path"] for file in documented["files"]]
    answer = Studio.gdp_alone("--home", tmp_path / "home", "ingest", "events", path, "--format", "json")
    assert answer.json == documented


def test_every_example_is_compared() -> None:
    """A section of the page without a command here would be held against nothing."""
    assert set(DOCUMENTED) == set(PRINTED) | ELSEWHERE


def test_parts_of_a_funnel_are_funnels(sample: Studio) -> None:
    """Each value of a breakdown has the keys from stages to convertedEarly, under bySource or breakdown."""
    whole = sample.ok(*FUNNEL, "--by", "campaign", "--format", "json").json
    names = list(whole)
    part = names[: names.index("convertedEarly") + 1]
    assert len(whole["breakdown"]) > 1
    assert all(list(value) == part for value in whole["breakdown"].values())
    assert not {"bySource", "breakdown"} & set(sample.ok(*FUNNEL, "--format", "json").json)
