"""What makes a build begin anew."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pipeline.origin import ROOT, TABLE_CODE, code_hash


@pytest.fixture
def code(tmp_path: Path) -> tuple[Path, Path]:
    """A dbt project of one model, and a file of Python."""
    model, python = tmp_path / "project" / "models" / "event.sql", tmp_path / "identity.py"
    model.parent.mkdir(parents=True)
    model.write_text("select 1")
    python.write_text("LIMIT = 1")
    return tmp_path / "project", python


def test_sql_and_the_python_behind_tables_are_code(code: tuple[Path, Path]) -> None:
    """A change of either makes tables that an increment would not be equal to; what dbt writes does not."""
    project, python = code
    before = code_hash(project, [python])
    (project / "target").mkdir()
    (project / "target" / "compiled.sql").write_text("select 1")
    assert code_hash(project, [python]) == before
    python.write_text("LIMIT = 2")
    changed = code_hash(project, [python])
    (project / "models" / "event.sql").write_text("select 2")
    assert len({before, changed, code_hash(project, [python])}) == 3


def test_what_functions_of_queries_answer_with_is_code() -> None:
    """A function of ours that a model calls is written in a file that counts."""
    source = ast.parse((ROOT / "pipeline" / "table_functions.py").read_text())
    imported = [node.module for node in ast.walk(source) if isinstance(node, ast.ImportFrom) and node.module]
    asked = {f"{name.replace('.', '/')}.py" for name in imported if name.startswith("analytics.")}
    assert "analytics/identity.py" in asked
    assert asked <= set(TABLE_CODE)


@pytest.mark.parametrize("name", TABLE_CODE)
def test_the_python_behind_tables_is_there(name: str) -> None:
    """A file that moved is missed, not left out."""
    assert (ROOT / name).is_file()
