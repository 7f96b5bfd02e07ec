"""dbt in the process of the tests: starting it anew and parsing its project costs seconds, most of a small build."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from warehouse.dbt import DbtOutcome, outcome_of
from warehouse.dbt_child import invoke

_kept: list[bytes] = []


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

    said: list[dict[str, Any]] = []
    log = project.parent / "dbt.log"
    with _parsed_before(project), _inside(project, environment or {}), log.open("w") as text, redirect_stdout(text):
        try:
            invoke([*arguments, "--quiet", "--log-level-file", "none"], lambda **fields: said.append(fields))
        finally:
            DuckDBConnectionManager.close_all_connections()
    outcome = outcome_of(said, on_node)
    assert outcome is not None
    return outcome


@contextmanager
def _parsed_before(project: Path) -> Iterator[None]:
    """Where a copy of the dbt project has never been parsed, begin with the parse of another copy.

    dbt parses again what differs between the two. Each process of tests parses the whole project once.
    """
    parsed = project / "target" / "partial_parse.msgpack"
    if _kept and not parsed.exists():
        parsed.parent.mkdir(parents=True, exist_ok=True)
        parsed.write_bytes(_kept[0])
    yield
    if not _kept and parsed.exists():
        _kept.append(parsed.read_bytes())


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
