"""Running dbt in a process of its own, and reading what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.errors import GdpError

#: dbt's answers for a node that did what it should.
_GOOD = frozenset({"success", "pass", "warn", "no-op"})


@dataclass(frozen=True)
class NodeResult:
    """What came of one model, test or seed; ``seconds`` is its run time."""

    id: str
    status: str
    seconds: float
    failures: int | None
    message: str | None

    @property
    def failed(self) -> bool:
        """Whether the node stands in the way of publishing."""
        return self.status not in _GOOD

    @property
    def name(self) -> str:
        """The node's own name, without dbt's prefix and the hash behind a test's name."""
        parts = self.id.split(".")
        return parts[2] if len(parts) > 2 else self.id


@dataclass(frozen=True)
class DbtOutcome:
    """One run of dbt."""

    success: bool
    message: str | None = None
    nodes: tuple[NodeResult, ...] = ()
    errors: tuple[str, ...] = field(default=())

    @property
    def failures(self) -> tuple[NodeResult, ...]:
        """The nodes that failed, in the order they ran; those only skipped because of them come last."""
        failed = [node for node in self.nodes if node.failed]
        return tuple(sorted(failed, key=lambda node: node.status == "skipped"))

    @property
    def warnings(self) -> tuple[NodeResult, ...]:
        """The tests that found rows but do not stand in the way of publishing (severity warn)."""
        return tuple(node for node in self.nodes if node.status == "warn")

    def explain(self) -> str:
        """Why the run failed, as one line."""
        if self.failures:
            first = self.failures[0]
            reason = " ".join((first.message or first.status).split())
            others = len(self.failures) - 1
            return f"{first.name}: {reason}" + (f" (and {others} more)" if others else "")
        return " ".join((self.message or (self.errors[0] if self.errors else "dbt ended without a word")).split())


def run_dbt(
    project: Path,
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    keep_open: Sequence[int] = (),
    on_node: Callable[[str], None] | None = None,
) -> DbtOutcome:
    """Run one dbt command in the project's folder and wait for it.

    Args:
        project: the folder that holds dbt_project.yml and profiles.yml.
        arguments: the command and its options, such as ``["build"]``.
        environment: variables added to our own.
        keep_open: file descriptors (locks) that the child must hold as long as it lives.
        on_node: called with the name of each node that ends.
    """
    command = [sys.executable, "-m", "warehouse.dbt_child", str(os.getpid()), *arguments, "--quiet"]
    log = project.parent / "dbt.log"
    with (
        log.open("wb") as stderr,
        subprocess.Popen(
            command,
            cwd=project,
            env={**_own_environment(), "DO_NOT_TRACK": "1", "PYTHONPATH": _python_path(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            pass_fds=tuple(keep_open),
            text=True,
        ) as process,
    ):
        try:
            outcome = outcome_of(_lines(process), on_node)
            process.wait()
        except BaseException:
            process.kill()
            raise
    if outcome is not None:
        return outcome
    raise GdpError(f"dbt ended without an answer (exit code {process.returncode}); its last words are in {log}")


def outcome_of(said: Iterable[Mapping[str, Any]], on_node: Callable[[str], None] | None = None) -> DbtOutcome | None:
    """What came of a run, by what ``warehouse.dbt_child`` said of it; None if it did not come to its end."""
    errors: list[str] = []
    outcome = None
    for fields in said:
        match fields:
            case {"event": "node", "name": str(name)} if on_node:
                on_node(name)
            case {"event": "error", "message": str(message)}:
                errors.append(message)
            case {"event": "end", "success": bool(success), "message": message, "nodes": list(nodes)}:
                outcome = DbtOutcome(success, message, tuple(NodeResult(**node) for node in nodes), tuple(errors))
    return outcome


def _lines(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if isinstance(said, dict):
            yield said


def _own_environment() -> dict[str, str]:
    """Our environment without dbt's own variables: they would change what a build is."""
    return {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}


def _python_path() -> str:
    """Our own packages first, for a checkout that is not installed."""
    ours = str(Path(__file__).parent.parent)
    theirs = os.environ.get("PYTHONPATH")
    return os.pathsep.join([ours, theirs] if theirs else [ours])
