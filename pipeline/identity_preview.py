"""A dry run of other identity rules: a build beside the home, compared with the published one and thrown away."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from analytics import funnel
from analytics.funnel import FunnelSpec
from analytics.identity_groups import PREVIEW
from analytics.identity_preview import compare
from analytics.identity_preview_result import IdentityPreview
from pipeline.plan import plan_preview
from pipeline.project import Project
from pipeline.trial import trial
from warehouse.definitions import load_identity_rules
from warehouse.locks import exclusive
from warehouse.reader import open_warehouse


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
    settings = project.settings
    look = partial(open_warehouse, home, threads=settings.thread_count, memory_limit=settings.memory_limit)
    with trial(home) as attempt, ExitStack() as stack:
        # Until all is linked and opened, no build may publish and no landing be forgotten.
        with exclusive(home.locks / "build", "a build"):
            plan = plan_preview(home, definitions)
            published = stack.enter_context(look())
            if stages is not None:
                stages = funnel.prepare(published, stages)
            folder = attempt.lay_out(plan, definitions, now=now)
        path = attempt.build(project, folder, on_node=on_node)
        tried = stack.enter_context(look(file=path))
        published.attach(path, PREVIEW)
        return compare(published, tried, rules=str(rules), stages=stages, examples=examples)
