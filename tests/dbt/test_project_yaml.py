"""The project's YAML: dbt accepts any key on DuckDB, so a misspelt one would be lost in silence."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.build import DELTA_SCHEMA

PROJECT = Path(__file__).parent.parent.parent / "dbt_project"
MODELS = sorted(path for path in (PROJECT / "models").rglob("*.sql"))
YAML = sorted(path for path in (PROJECT / "models").rglob("*.yml"))

_TEST_KEYS = {"arguments", "config"}
#: The keys that each kind of entry may have.
KEYS = {
    "file": {"version", "models", "sources", "unit_tests"},
    "source": {"name", "description", "tables", "config"},
    "table": {"name", "description", "columns", "config"},
    "model": {"name", "description", "columns", "config", "data_tests"},
    "column": {"name", "description", "data_type", "constraints", "data_tests"},
    "unit test": {"name", "description", "model", "overrides", "given", "expect"},
}


def _entries(content: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every entry of a file with its kind."""
    yield "file", content
    for source in content.get("sources", []):
        yield "source", source
        for table in source["tables"]:
            yield "table", table
            yield from (("column", column) for column in table.get("columns", []))
    for model in content.get("models", []):
        yield "model", model
        yield from (("column", column) for column in model.get("columns", []))
    yield from (("unit test", test) for test in content.get("unit_tests", []))


def _problems(content: dict[str, Any]) -> list[str]:
    found = []
    for kind, entry in _entries(content):
        name = entry.get("name", "the file")
        found += [f"{kind} {name}: unknown key {key!r}" for key in sorted(entry.keys() - KEYS[kind])]
        if kind != "file" and not str(entry.get("description", "")).strip():
            found.append(f"{kind} {name}: no description")
        for test in entry.get("data_tests", []):
            for test_name, body in test.items() if isinstance(test, dict) else ():
                found += [
                    f"{kind} {name}: {test_name}: unknown key {key!r}" for key in sorted(body.keys() - _TEST_KEYS)
                ]
    return found


@cache
def _described() -> dict[str, dict[str, Any]]:
    return {model["name"]: model for path in YAML for model in yaml.safe_load(path.read_text()).get("models", [])}


@pytest.mark.parametrize("path", YAML, ids=lambda path: f"{path.parent.name}{path.stem}")
def test_every_key_is_one_that_dbt_reads(path: Path) -> None:
    """Unknown keys, tests under their old name and entries without a description are refused."""
    assert _problems(yaml.safe_load(path.read_text())) == []


def test_a_misspelt_key_is_found() -> None:
    """A lint that could not fail would be none."""
    model = {"name": "person", "description": "People.", "tests": ["unique"], "columns": [{"name": "x", "descr": "y"}]}
    assert _problems({"version": 2, "models": [model]}) == [
        "model person: unknown key 'tests'",
        "column x: unknown key 'descr'",
        "column x: no description",
    ]


def test_what_a_build_found_new_has_one_schema() -> None:
    """The folder's schema is the one that a published generation leaves out."""
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())
    assert project["models"]["growth_data_plane"]["intermediate"]["delta"] == {
        "+database": "scratch",
        "+schema": DELTA_SCHEMA,
    }


def test_every_model_is_described() -> None:
    """Each SQL file has its entry and each entry its file."""
    assert {path.stem for path in MODELS} == set(_described())


@pytest.mark.parametrize("path", [path for path in MODELS if path.parent.name == "marts"], ids=lambda path: path.stem)
def test_every_mart_keeps_a_contract(path: Path) -> None:
    """A mart's columns and their types are promised, views included."""
    model = _described()[path.stem]
    assert model["config"]["contract"] == {"enforced": True}
    assert all("data_type" in column for column in model["columns"])
