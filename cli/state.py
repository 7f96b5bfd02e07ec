"""What every command gets from the options in front of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pipeline.project import Project
    from warehouse.generations import PastKind
    from warehouse.reader import Warehouse


@dataclass(frozen=True)
class State:
    """The global options; nothing is read before a command asks for it."""

    project_path: Path | None = None
    home_path: Path | None = None
    verbose: bool = False

    def project(self) -> Project:
        """The project of the folder we stand in, or the one that was named."""
        return self._project

    @cached_property
    def _project(self) -> Project:
        from pipeline.project import find_project
        from warehouse.debuglog import check_switches
        from warehouse.settings import unknown_variables

        check_switches(os.environ)
        for warning in unknown_variables(os.environ):
            typer.echo(f"gdp: warning: {warning}", err=True)
        home = self.home_path
        if home is not None and home != Path():
            home = home.absolute()
        return find_project(Path.cwd(), given=self.project_path, home=home)

    @contextmanager
    def warehouse(self, *, sandbox: bool = False, past: tuple[PastKind, datetime] | None = None) -> Iterator[Warehouse]:
        """The published warehouse of the project, opened for reading; or its tables as they were known at a moment.

        Raises:
            GdpError: as ``open_warehouse``, or if a query asks for what the tables lack because other code made them.
        """
        import duckdb

        from models.errors import GdpError
        from pipeline.origin import is_of_this_code
        from warehouse.reader import open_warehouse

        project = self.project()
        settings = project.settings
        home = project.existing_home()
        try:
            with open_warehouse(
                home,
                file=None if past is None else self._past_tables(*past),
                threads=settings.thread_count,
                memory_limit=settings.memory_limit,
                sandbox=sandbox,
            ) as warehouse:
                yield warehouse
        except (duckdb.CatalogException, duckdb.BinderException):
            if is_of_this_code(home):
                raise
            raise GdpError("the published tables were made by another version of gdp: run gdp build") from None

    def _past_tables(self, kind: PastKind, moment: datetime) -> Path:
        from cli.progress import counting
        from pipeline.past_tables import past_tables

        what = {"identity-as-of": "by who was who then", "known-at": "of what was known then"}
        with counting(f"making the tables {what[kind]}") as tick:
            return past_tables(self.project(), kind, moment, now=self.now(), on_node=tick)

    @staticmethod
    def now() -> datetime:
        """The present; the command line is the only place that looks at a clock."""
        return datetime.now(timezone.utc)


def state_of(context: typer.Context) -> State:
    """The state that the global options made."""
    state = context.find_object(State)
    assert state is not None
    return state
