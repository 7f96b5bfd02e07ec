"""gdp simulate writes a world and says what is in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.app import run


def test_the_summary_is_what_the_manifest_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a table, or all of the manifest as JSON."""
    options = ["--persons", "60", "--days", "40", "--seed", "2", "--start", "2026-01-31"]
    assert run(["simulate", *options, "--out", str(tmp_path / "a"), "--format", "json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "a" / "manifest.json").read_text())
    assert printed["arguments"] == {"persons": 60, "days": 40, "seed": 2, "start": "2026-01-31"}
    assert run(["simulate", *options, "--out", str(tmp_path / "b")]) == 0
    out = capsys.readouterr().out
    assert out.endswith("as of 2026-03-12T00:00:00Z: gdp build --as-of 2026-03-12T00:00:00Z\n")
    assert f"{printed['deliveries']['app']['events']:,}" in out
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == [
        "app",
        "manifest.json",
        "meta",
        "segment",
        "stripe",
        "truth",
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--start", "tomorrow"], "gdp: --start 'tomorrow' is not a date like 2025-10-01\n"),
        (["--persons", "0"], "gdp: --persons is 0, not a number from 1 to 100000000\n"),
    ],
)
def test_a_wrong_option_is_one_line(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and nothing is written."""
    assert run(["simulate", *options, "--out", str(tmp_path / "world")]) == 2
    assert capsys.readouterr().err == said
    assert not (tmp_path / "world").exists()
