"""dbt in the process of the tests: starting it anew and parsing its project costs seconds, most of a small build."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any

from warehouse.dbt import DbtOutcome, outcome_of
from warehouse.dbt_child import invoke
from warehouse.locks import exclusive

_kept: list[Path] = []
_QUIET = ("--quiet", "--log-level", "none", "--log-level-file", "none")


def keep_parse_in(folder: Path) -> None:
    """Parse the dbt project once for all processes that name this folder."""
    _kept[:] = [folder / "partial_parse.msgpack"]


def run_dbt_here(
    project: Path,
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    keep_open: Sequence[int] = (),
    on_node: Callable[[str], None] | None = None,
) -> DbtOutcome:
    """What ``warehouse.dbt.run_dbt`` does, without a process of its own."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    _remember_injections()
    said: list[dict[str, Any]] = []
    log = project.parent / "dbt.log"
    with _inside(project, environment or {}), log.open("w") as text, redirect_stdout(text):
        try:
            _begin_parsed(project)
            invoke([*arguments, *_QUIET], lambda **fields: said.append(fields))
        finally:
            DuckDBConnectionManager.close_all_connections()
    outcome = outcome_of(said, on_node)
    assert outcome is not None
    return outcome


@cache
def _remember_injections() -> None:
    """Put models that are no tables of their own into equal texts once: taking these apart is a quarter of a build."""
    import dbt.compilation

    inject = dbt.compilation.inject_ctes_into_sql
    known: dict[Any, str] = {}

    def remembered(sql: str, ctes: list[Any]) -> str:
        key = (sql, *((cte.id, cte.sql) for cte in ctes))
        if key not in known:
            known[key] = inject(sql, ctes)
        return known[key]

    dbt.compilation.inject_ctes_into_sql = remembered


def _begin_parsed(project: Path) -> None:
    """Where a copy of the dbt project has never been parsed, begin with the parse of another copy.

    dbt parses again what differs between the two.
    """
    parsed = project / "target" / "partial_parse.msgpack"
    if not _kept or parsed.exists():
        return
    (kept,) = _kept
    with exclusive(kept.with_suffix(".lock"), "a parse of the dbt project", wait=600):
        if not kept.exists():
            invoke(["parse", *_QUIET], lambda **_: None)
            if parsed.exists():  # what hinders the parse, the command that is asked for tells
                shutil.copyfile(parsed, kept)
            return
    parsed.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(kept, parsed)


@contextmanager
def _inside(folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """In a folder and with variables that are given back afterwards."""
    folder_before, before = Path.cwd(), {name: os.environ.get(name) for name in environment}
    os.chdir(folder)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.chdir(folder_before)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
