"""One build: lock, lay out, run dbt, and publish only what passed every test."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from models.errors import GdpError
from pipeline.compiled import COMPILED, keep_compiled
from pipeline.plan import Plan, build_row, plan_build
from pipeline.prepare import clear_landing_links, lay_out
from pipeline.project import Project
from pipeline.segments import tell_evaluated
from pipeline.unrated import Unrated, unrated
from warehouse.buildlog import BuildRecord, finish_build, start_build
from warehouse.dbt import DbtOutcome, run_dbt
from warehouse.duck import connect
from warehouse.generations import copy_generation, publish, seal
from warehouse.home import Home
from warehouse.locks import exclusive

#: What a build leaves out: unit tests check the code, not the data.
BUILD_COMMAND = ("build", "--exclude-resource-type", "unit_test")

#: The schema of what a build found to be new; it describes the build, and ends with it.
DELTA_SCHEMA = "delta"


class BuildFailed(GdpError):
    """dbt or one of its tests failed; the published generation is what it was."""


@dataclass(frozen=True)
class BuildReport:
    """What a build did.

    Attributes:
        warnings: the tests of severity warn that found rows, and how many.
        unrated: the currencies that one of them found in use without an exchange rate.
    """

    generation: str
    as_of: datetime
    how: str
    because: str | None
    rows_landed_since: int
    changed_segments: tuple[str, ...]
    tests_passed: int
    warnings: Mapping[str, int]
    unrated: tuple[Unrated, ...]
    models_built: int
    seconds: float
    path: Path

    def to_json(self) -> dict[str, Any]:
        """The report as plain values (docs/json.md)."""
        return {
            "generation": self.generation,
            "as_of": self.as_of.isoformat(),
            "how": self.how,
            "because": self.because,
            "rows_landed_since": self.rows_landed_since,
            "changed_segments": list(self.changed_segments),
            "models_built": self.models_built,
            "tests_passed": self.tests_passed,
            "warnings": dict(self.warnings),
            "unrated": [currency.to_json() for currency in self.unrated],
            "seconds": round(self.seconds, 1),
            "path": str(self.path),
        }

    def lines(self) -> list[str]:
        """The report for a person."""
        why = f" ({self.because})" if self.because else ""
        changed = f"; changed segments: {', '.join(self.changed_segments)}" if self.changed_segments else ""
        found = ", ".join(f"{name} ({rows:,} rows)" for name, rows in self.warnings.items())
        warned = (
            [f"{len(self.warnings)} test{'s warn' if len(self.warnings) > 1 else ' warns'}: {found}"] if found else []
        )
        if self.unrated:
            names = ", ".join(map(str, self.unrated))
            warned.append(f"no rate to {self.unrated[0].reporting_currency} (definitions/fx.csv): {names}")
        return [
            f"published generation {self.generation} as of {self.as_of:%Y-%m-%d %H:%M:%S} UTC",
            f"{self.how}{why}: {self.rows_landed_since:,} newly landed rows{changed}",
            f"{self.models_built} models built, {self.tests_passed} tests passed in {self.seconds:.1f} s",
            *warned,
        ]


def build(
    project: Project,
    *,
    as_of: datetime,
    clock: Callable[[], datetime],
    full_refresh: bool = False,
    wait: float = 0,
    on_node: Callable[[str], None] | None = None,
) -> BuildReport:
    """Bring the warehouse up to date with landing, definitions and ``as_of``, and publish it.

    Args:
        project: whose warehouse.
        as_of: the point in time at which statuses and memberships are cut.
        clock: gives the present; used for the build log only.
        full_refresh: start from an empty file instead of the published generation.
        wait: seconds to wait for a build that is running.
        on_node: called with the name of each model or test that ends.

    Raises:
        BusyError: if another build holds the lock.
        BuildFailed: if a model or a data test failed; nothing is published.
        UsageError: if there is no home, or a definition is not acceptable.
    """
    home = project.existing_home().ensure()
    with exclusive(home.locks / "build", "a build", wait=wait) as lock:
        definitions = project.definitions()
        started = clock()
        plan = plan_build(project, definitions, as_of=as_of, full_refresh=full_refresh)
        start_build(home.control, BuildRecord(plan.generation, started, as_of, _how(plan)))
        try:
            if plan.only_as_of_moves:
                path, outcome = _republish(home, plan, started, project.settings.keep_generations), None
            else:
                folder = lay_out(home, plan, definitions, built_at=started)
                outcome = run_dbt(
                    folder,
                    BUILD_COMMAND,
                    environment=dbt_environment(project),
                    keep_open=(lock.fileno(),),
                    on_node=on_node,
                )
                if not outcome.success:
                    raise BuildFailed(f"not published: {outcome.explain()}")
                path = _publish_working_copy(home, plan, folder, outcome, project.settings.keep_generations)
                tell_evaluated(path, plan)
        except BaseException as error:
            with suppress(GdpError):  # the reason of the failure counts, not that it could not be noted
                finish_build(home.control, plan.generation, clock(), "failed", str(error))
            raise
        finally:
            clear_landing_links(home)
        finished = clock()
        finish_build(home.control, plan.generation, finished, "published", None)
    return _report(plan, path, outcome, (finished - started).total_seconds())


def prepare(project: Project, *, as_of: datetime, now: datetime, full_refresh: bool = False) -> Path:
    """Lay out the build folder for somebody who runs dbt by hand.

    Returns: the folder to run dbt in; the landing links stay until the next build.

    Raises:
        BusyError: if a build is running.
    """
    home = project.existing_home().ensure()
    with exclusive(home.locks / "build", "a build", wait=0):
        definitions = project.definitions()
        plan = plan_build(project, definitions, as_of=as_of, full_refresh=full_refresh)
        return lay_out(home, plan, definitions, built_at=now)


def dbt_environment(project: Project) -> dict[str, str]:
    """What the profile of the dbt project reads from the environment."""
    settings = project.settings
    return {
        "GDP_MEMORY_LIMIT": settings.memory_limit,
        "GDP_THREADS": str(settings.thread_count),
        "GDP_SCRATCH": ":memory:",
    }


def _how(plan: Plan) -> str:
    if plan.only_as_of_moves:
        return "slice"
    return "full refresh" if plan.is_full_refresh else "increment"


def _republish(home: Home, plan: Plan, built_at: datetime, keep: int) -> Path:
    """Publish the same tables at another point in time: only the row of build_info differs."""
    assert plan.published is not None
    working = home.build / "warehouse.duckdb"
    copy_generation(plan.published.path, working)
    row = build_row(plan, built_at)
    assignments = ", ".join(f"{name} = ${name}" for name in row)
    with connect(working) as connection:
        connection.execute(f"update build_info set {assignments}", row)
    seal(working)
    return publish(home, working, plan.generation, keep=keep)


def _publish_working_copy(home: Home, plan: Plan, project_folder: Path, outcome: DbtOutcome, keep: int) -> Path:
    working = home.build / "warehouse.duckdb"
    manifest = json.loads((project_folder / "target" / "manifest.json").read_bytes())
    _check_complete(manifest, outcome)
    if plan.is_full_refresh:
        keep_compiled(working, manifest)
    seal(working, keep=_relations(manifest) | {COMPILED})
    with connect(working, read_only=True) as connection:
        described = connection.execute("select generation from build_info").fetchall()
    if described != [(plan.generation,)]:
        raise BuildFailed(f"not published: build_info describes {described}, not generation {plan.generation}")
    return publish(home, working, plan.generation, keep=keep)


def _check_complete(manifest: dict[str, Any], outcome: DbtOutcome) -> None:
    """Refuse a run that left out a model or a test, whatever told it to.

    Raises:
        BuildFailed: naming the first one.
    """
    ran = {node.id for node in outcome.nodes}
    for name, node in sorted(manifest["nodes"].items()):
        is_made = node["resource_type"] in {"model", "test"} and node["config"]["materialized"] != "ephemeral"
        if is_made and name not in ran:
            raise BuildFailed(f"not published: {name} was not run")


def _relations(manifest: dict[str, Any]) -> set[tuple[str, str]]:
    """Schema and name of the tables and views that the dbt project makes and a generation keeps."""
    nodes = manifest["nodes"].values()
    return {
        (node["schema"], node["alias"])
        for node in nodes
        if node["resource_type"] == "model"
        and node["config"]["materialized"] != "ephemeral"
        and node["schema"] != DELTA_SCHEMA
    }


def _report(plan: Plan, path: Path, outcome: DbtOutcome | None, seconds: float) -> BuildReport:
    nodes, warnings = (outcome.nodes, outcome.warnings) if outcome else ((), ())
    return BuildReport(
        generation=plan.generation,
        as_of=plan.as_of,
        how=_how(plan),
        because=plan.because,
        rows_landed_since=sum(file.rows for file in plan.new_files),
        changed_segments=plan.changed_segments,
        tests_passed=sum(node.id.startswith("test.") for node in nodes) - len(warnings),
        warnings={node.name: node.failures or 0 for node in warnings},
        unrated=unrated(path, outcome),
        models_built=sum(node.id.startswith("model.") for node in nodes),
        seconds=seconds,
        path=path,
    )
