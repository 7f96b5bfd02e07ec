"""A user's project: its settings, its definitions and its home."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import UsageError
from warehouse.definitions import Definitions, load_definitions
from warehouse.home import Home
from warehouse.settings import PROJECT_FILE, Settings, load_settings

STARTER = Path(__file__).parent / "starter"


@dataclass(frozen=True)
class Project:
    """Where the project is and what its settings say; ``file`` is None where there is no gdp.toml."""

    folder: Path
    file: Path | None
    settings: Settings

    @property
    def home(self) -> Home:
        """The project's home; its folder may not exist yet."""
        return Home(self._inside(self.settings.home))

    def existing_home(self) -> Home:
        """The project's home, for everything but landing, which may make it.

        Raises:
            UsageError: if there is none.
        """
        home = self.home
        if home.root.exists() and not home.root.is_dir():
            raise UsageError(f"the home {home.root} is a file, not a folder")
        if not home.exists:
            raise UsageError(f"no home at {home.root} (gdp init and gdp ingest make one)")
        return home

    @property
    def definitions_folder(self) -> Path:
        """The folder of the definitions; the shipped ones where the project has none and names none."""
        folder = self._inside(self.settings.definitions)
        if "definitions" in self.settings.model_fields_set or folder.is_dir():
            return folder
        return STARTER / "definitions"

    def definitions(self) -> Definitions:
        """Read and check the definitions (UsageError where one is wrong)."""
        return load_definitions(self.definitions_folder)

    def _inside(self, path: Path) -> Path:
        return (self.folder / path.expanduser()).absolute()


def find_project(start: Path, *, given: Path | None = None, **flags: Any) -> Project:
    """The project of a folder: the nearest gdp.toml at or above it, else the defaults right there.

    Args:
        start: the folder somebody stands in.
        given: a project folder or its gdp.toml, named instead of looked for.
        flags: settings of the command line; None means not given.

    Raises:
        UsageError: if the named project or a setting is not acceptable.
    """
    chosen = {name: value for name, value in flags.items() if value is not None}
    file = _project_file(start, given)
    return Project(folder=file.parent if file else start.absolute(), file=file, settings=load_settings(file, chosen))


def _project_file(start: Path, given: Path | None) -> Path | None:
    if given is not None:
        file = given / PROJECT_FILE if given.is_dir() else given
        if not file.is_file():
            raise UsageError(f"{given}: no {PROJECT_FILE} there (gdp init {given} makes one)")
        return file.absolute()
    for folder in (start.absolute(), *start.absolute().parents):
        if (folder / PROJECT_FILE).is_file():
            return folder / PROJECT_FILE
    return None


def explain_settings(
    project: Project, *, flags: Set[str], environment: Mapping[str, str]
) -> list[tuple[str, str, str]]:
    """Each setting with its value and where that came from: the command line, a variable, the file, or the default."""
    in_file = tomllib.loads(project.file.read_text(encoding="utf-8")) if project.file else {}
    explained = []
    for name in Settings.model_fields:
        variable = f"GDP_{name.upper()}"
        if name in flags:
            origin = "command line"
        elif variable in environment:
            origin = f"${variable}"
        elif name in in_file:
            origin = str(project.file)
        else:
            origin = "default"
        explained.append((name, str(getattr(project.settings, name)), origin))
    return explained


def init_project(folder: Path) -> list[Path]:
    """Make a new project with starter definitions and an empty home; nothing that exists is touched.

    Returns: the files that were written.

    Raises:
        UsageError: if the folder already holds a project or cannot be written.
    """
    if (folder / PROJECT_FILE).exists():
        raise UsageError(f"{folder}: there is a project already ({PROJECT_FILE} exists)")
    written = []
    try:
        for source in sorted(path for path in STARTER.rglob("*") if path.is_file()):
            relative = source.relative_to(STARTER)
            target = folder / (relative.with_name(".gitignore") if relative.name == "gitignore" else relative)
            if target.exists():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
            written.append(target)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written: {error.strerror}") from None
    find_project(folder, given=folder).home.ensure()
    return written
