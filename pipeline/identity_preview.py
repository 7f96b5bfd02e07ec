"""A dry run of other identity rules: a build beside the home, compared with the published one and thrown away."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from analytics import funnel
from analytics.funnel import FunnelSpec
from analytics.identity_groups import PREVIEW
from analytics.identity_preview import compare
from analytics.identity_preview_result import IdentityPreview
from pipeline.build import BuildFailed, dbt_environment
from pipeline.plan import plan_preview
from pipeline.prepare import clear_landing_links, lay_out
from pipeline.project import Project
from warehouse.dbt import run_dbt
from warehouse.definitions import load_identity_rules
from warehouse.generations import publish, seal
from warehouse.home import Home
from warehouse.locks import exclusive
from warehouse.reader import Warehouse, open_warehouse
from warehouse.settings import Settings


def preview_identity(
    project: Project,
    rules: Path,
    *,
    now: datetime,
    stages: FunnelSpec | None = None,
    examples: int = 5,
    on_node: Callable[[str], None] | None = None,
) -> IdentityPreview:
    """Say what the next build would change if its identity rules were those of a file.

    The tables are made once more from all that the published build was made from, in a folder of their own that is
    removed in the end; nothing else of the home or of the definitions is written. What has landed since is left out.

    Args:
        project: whose warehouse.
        rules: a file like definitions/identity.yml.
        now: the present.
        stages: a funnel to be asked of both builds.
        examples: how many groups of each kind are told one by one.
        on_node: called with the name of each model that ends.

    Raises:
        BusyError: if another preview is running, or a build while the landing is linked.
        BuildFailed: if a model failed.
        UsageError: if the rules, another definition or the funnel are not acceptable, or these are the published rules.
        GdpError: if nothing is published, or more than the rules changed since.
    """
    home = project.existing_home().ensure()
    definitions = replace(project.definitions(), identity=load_identity_rules(rules))
    with ExitStack() as stack:
        lock = stack.enter_context(exclusive(home.locks / "preview", "a preview"))
        scratch = stack.enter_context(_scratch_home(home))
        # Until all is linked and opened, no build may publish and no landing be forgotten.
        with exclusive(home.locks / "build", "a build"):
            plan = plan_preview(home, definitions)
            published = stack.enter_context(_open(home, project.settings))
            if stages is not None:
                stages = funnel.prepare(published, stages)
            folder = lay_out(scratch, plan, definitions, built_at=now)
        environment = dbt_environment(project)
        outcome = run_dbt(folder, ("run",), environment=environment, keep_open=(lock.fileno(),), on_node=on_node)
        if not outcome.success:
            raise BuildFailed(f"no preview: {outcome.explain()}")
        clear_landing_links(scratch)
        working = scratch.build / "warehouse.duckdb"
        seal(working)
        path = publish(scratch, working, plan.generation, keep=1)
        tried = stack.enter_context(_open(scratch, project.settings))
        published.attach(path, PREVIEW)
        return compare(published, tried, rules=str(rules), stages=stages, examples=examples)


def _open(home: Home, settings: Settings) -> AbstractContextManager[Warehouse]:
    return open_warehouse(home, threads=settings.thread_count, memory_limit=settings.memory_limit)


@contextmanager
def _scratch_home(home: Home) -> Iterator[Home]:
    """A home in the staging folder that has the landing of the real one; it is removed in the end."""
    scratch = Home(home.staging / "preview")
    shutil.rmtree(scratch.root, ignore_errors=True)
    try:
        scratch.root.mkdir(mode=0o700)
        scratch.landing.symlink_to(os.path.relpath(home.landing, scratch.root))
        yield scratch.ensure()
    finally:
        shutil.rmtree(scratch.root, ignore_errors=True)
