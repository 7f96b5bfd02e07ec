"""Builds that are thrown away: the published tables made once more, with something else, in a home of their own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from pipeline.build import BuildFailed, dbt_environment
from pipeline.plan import Plan
from pipeline.prepare import clear_landing_links, lay_out
from pipeline.project import Project
from warehouse.dbt import run_dbt
from warehouse.definitions import Definitions
from warehouse.generations import seal
from warehouse.home import Home
from warehouse.locks import exclusive


@dataclass(frozen=True)
class Trial:
    """A home in the staging folder that has the landing of the real one."""

    home: Home
    lock: IO[str]

    def lay_out(self, plan: Plan, definitions: Definitions, *, now: datetime) -> Path:
        """Make the folder in which dbt is to run; meanwhile no build may publish and no landing be forgotten."""
        return lay_out(self.home, plan, definitions, built_at=now)

    def build(self, project: Project, folder: Path, *, on_node: Callable[[str], None] | None) -> Path:
        """Make the tables, without their tests.

        Returns: the file that holds them; it goes with the trial unless it is moved away.

        Raises:
            BuildFailed: if a model failed.
        """
        environment = dbt_environment(project)
        outcome = run_dbt(folder, ("run",), environment=environment, keep_open=(self.lock.fileno(),), on_node=on_node)
        if not outcome.success:
            raise BuildFailed(f"the tables could not be made: {outcome.explain()}")
        clear_landing_links(self.home)
        made = self.home.build / "warehouse.duckdb"
        seal(made)
        return made


@contextmanager
def trial(home: Home) -> Iterator[Trial]:
    """A trial, one at a time; all of it is removed in the end.

    Raises:
        BusyError: if another one is running.
    """
    with exclusive(home.locks / "preview", "a preview") as lock:
        scratch = Home(home.staging / "preview")
        shutil.rmtree(scratch.root, ignore_errors=True)
        try:
            scratch.root.mkdir(mode=0o700)
            scratch.landing.symlink_to(os.path.relpath(home.landing, scratch.root))
            yield Trial(scratch.ensure(), lock)
        finally:
            shutil.rmtree(scratch.root, ignore_errors=True)
