"""Commands around a project: init, status, config, schema."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from cli.asking import ScreenFormat
from cli.state import state_of


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(init)
    app.command()(status)
    app.command()(schema)
    config = typer.Typer(help="What the settings are and where they come from.", no_args_is_help=True)
    config.command("show")(show_config)
    app.add_typer(config, name="config")


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the new project.")] = Path(),
) -> None:
    """Make a project: gdp.toml, starter definitions, and a .gitignore for its data."""
    from cli.output import emit_text
    from pipeline.project import init_project

    emit_text("".join(f"wrote {path}\n" for path in init_project(folder)))


def status(
    context: typer.Context,
    format: ScreenFormat = "table",
) -> None:
    """Say what has landed, what is in quarantine, what is built, and how each source is doing."""
    from cli.output import emit_json, emit_text, show_facts, show_table
    from pipeline.source_health import health_tables, type_facts
    from pipeline.status import read_status

    state = state_of(context)
    found = read_status(state.project(), now=state.now())
    if format == "json":
        emit_json(found.to_json())
    else:
        show_facts(found.facts())
        for table in health_tables(found.sources) if found.sources else ():
            emit_text("\n")
            show_table(table)
        if types := type_facts(found.sources):
            emit_text("\n")
            show_facts(types)


def show_config(context: typer.Context) -> None:
    """Print every setting, its value, and where it came from."""
    from cli.output import show_facts
    from pipeline.project import explain_settings

    state = state_of(context)
    flags = {"home"} if state.home_path else set()
    explained = explain_settings(state.project(), flags=flags, environment=os.environ)
    show_facts([(name, f"{value}  ({origin})") for name, value, origin in explained])


def schema(
    shape: Annotated[str | None, typer.Argument(metavar="[SHAPE]", help="One shape, such as UnifiedEvent.")] = None,
) -> None:
    """Print the JSON Schema of the shapes: events, persons, segments and their definitions."""
    from cli.output import emit_json
    from pipeline.schema import json_schema

    emit_json(json_schema(shape))
