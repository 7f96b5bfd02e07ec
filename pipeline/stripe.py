"""Asking Stripe's API on behalf of a project."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from pydantic import SecretStr

from ingest.stripeapi import Access, StripeApi
from ingest.stripebackfill import OnProgress, backfill
from ingest.stripekinds import chosen_kinds
from ingest.stripereconcile import Reconciliation, reconcile
from ingest.summary import IngestSummary
from models.errors import UsageError
from pipeline.intake import land_options
from pipeline.project import Project
from warehouse.home import Home
from warehouse.locks import exclusive


def fetch(
    project: Project,
    key: SecretStr,
    kinds: Sequence[str],
    *,
    account: str = "",
    since: datetime | None = None,
    clock: Callable[[], datetime],
    on_progress: OnProgress | None = None,
) -> IngestSummary:
    """Land what Stripe's API lists in the project's home, which is made where there is none (``backfill``).

    Args:
        project: whose settings hold.
        key: a secret or restricted key of Stripe.
        kinds: the names of the lists; all if none is named.
        account: the connected account; '' for the key's own.
        since: only what was created then or later.
        clock: the present.
        on_progress: told of every page.

    Raises:
        UsageError: if a kind is unknown, or the key or the account is not accepted.
        BusyError: if Stripe's API is being asked already.
    """
    if since is not None and since > clock():
        raise UsageError(f"--since {since:%Y-%m-%d} is in the future")
    chosen = chosen_kinds(kinds)
    api = _api(project, key, account, clock)
    with _alone(project.home.ensure()):
        return backfill(project.home, api, chosen, land_options(project), since=since, on_progress=on_progress)


def compare(
    project: Project,
    key: SecretStr,
    *,
    account: str = "",
    dry_run: bool = False,
    clock: Callable[[], datetime],
    on_progress: OnProgress | None = None,
) -> Reconciliation:
    """Compare the project's landing with what Stripe says now, and land what was missed (``reconcile``).

    Args:
        project: whose settings hold.
        key: a secret or restricted key of Stripe.
        account: the connected account; '' for the key's own.
        dry_run: only count.
        clock: the present.
        on_progress: told of every page.

    Raises:
        UsageError: if there is no home, or the key or the account is not accepted.
        BusyError: if Stripe's API is being asked already.
    """
    home = project.existing_home()
    api = _api(project, key, account, clock)
    with _alone(home):
        return reconcile(home, api, land_options(project), dry_run=dry_run, on_progress=on_progress)


def _alone(home: Home) -> AbstractContextManager[object]:
    """Two at once would land everything twice, and move one another's cursors."""
    return exclusive(home.locks / "stripe", "a fetch from Stripe's API")


def _api(project: Project, key: SecretStr, account: str, clock: Callable[[], datetime]) -> StripeApi:
    return StripeApi(Access(key, project.settings.stripe_api_base, account), clock=clock)
