"""The published tables as they were known at a past moment, made once and kept until the next build."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from models.errors import UsageError
from models.identity import IdentityRules
from pipeline.plan import Plan, plan_identity_as_of, plan_known_at
from pipeline.project import Project
from pipeline.trial import trial
from warehouse.definitions import Definitions
from warehouse.generations import PastKind, keep_past, past_file
from warehouse.home import Home
from warehouse.locks import exclusive
from warehouse.reader import current_generation

_PLANS: dict[PastKind, Callable[[Home, Definitions, datetime], Plan]] = {
    "identity-as-of": plan_identity_as_of,
    "known-at": plan_known_at,
}


def past_tables(
    project: Project, kind: PastKind, moment: datetime, *, now: datetime, on_node: Callable[[str], None] | None = None
) -> Path:
    """The published tables with what was known at a moment.

    ``identity-as-of``: all facts, but persons as they were known. Only what had been received by then joins
    identifiers, tells who has a shared device, and counts towards hubs. ``known-at``: of what had been received by then
    alone, and as of then. For both only links and cuts that had been decided by then hold; limits, blocked values,
    priorities and all other definitions are those of today.
    The tables are made by a build, which takes about as long as a full one; the file is kept for the same question
    until something else is published.

    Args:
        project: whose warehouse.
        kind: what is of the past.
        moment: when.
        now: the present.
        on_node: called with the name of each model that ends.

    Returns: the file that holds them.

    Raises:
        BusyError: if another one, a preview, or a build while the landing is linked is running.
        BuildFailed: if a model failed.
        UsageError: if the moment lies after the present.
        GdpError: if nothing is published, or definitions or code have changed since.
    """
    if moment > now:
        raise UsageError(f"--{kind} {moment.isoformat()} is not past")
    home = project.existing_home().ensure()
    kept = _kept(home, kind, moment)
    if kept is not None:
        return kept
    definitions = project.definitions()
    with trial(home) as attempt:
        with exclusive(home.locks / "build", "a build"):
            plan = _PLANS[kind](home, definitions, moment)
            assert plan.published is not None
            known = replace(definitions, identity=rules_at(definitions.identity, moment))
            folder = attempt.lay_out(plan, known, now=now)
        made = attempt.build(project, folder, on_node=on_node)
        return keep_past(home, made, kind, plan.published.path, moment)


def rules_at(rules: IdentityRules, moment: datetime) -> IdentityRules:
    """The rules without links and cuts that were decided after a moment."""
    decided = tuple(rule for rule in rules.hand if rule.decided_at is None or rule.decided_at <= moment)
    return rules.model_copy(update={"hand": decided})


def _kept(home: Home, kind: PastKind, moment: datetime) -> Path | None:
    published = current_generation(home)
    if published is None:
        return None
    file = past_file(home, kind, published, moment)
    return file if file.exists() else None
