"""A project in a temporary folder, driven through the command line as a user would."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.app import run
from pipeline.project import init_project
from warehouse.duck import connect
from warehouse.home import Home
from warehouse.table_hash import database_hashes


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Studio:
    """A project and its command line."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Studio:
        """A new project with the starter definitions."""
        init_project(folder)
        return cls(folder)

    def copy(self, folder: Path) -> Studio:
        """The same project, with all it has landed and built, in another folder."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Studio(folder)

    @property
    def home(self) -> Home:
        """The project's home."""
        return Home(self.folder / "data" / "home")

    def gdp(self, *arguments: object) -> Answer:
        """Run a command on the project in this process."""
        return self.gdp_alone("--project", self.folder, *arguments)

    @staticmethod
    def gdp_alone(*arguments: object) -> Answer:
        """Run a command as it stands, on the project of the folder we are in."""
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run([*map(str, arguments)])
            out.flush()
        return Answer(code, out.buffer.getvalue().decode(), err.getvalue())  # type: ignore[attr-defined]

    def ok(self, *arguments: object) -> Answer:
        """Run a command that must succeed."""
        answer = self.gdp(*arguments)
        assert answer.code == 0, f"gdp {' '.join(map(str, arguments))}: {answer.err or answer.out}"
        return answer

    def start(self, *arguments: object) -> subprocess.Popen[bytes]:
        """Start a command in a process of its own, so that it can be killed."""
        return subprocess.Popen(
            [sys.executable, "-m", "cli.app", "--project", str(self.folder), *map(str, arguments)],
            cwd=Path(__file__).parent.parent.parent,
            env={**os.environ, "NO_COLOR": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def land(self, name: str, events: Iterable[Mapping[str, Any]], *options: object, writer: str = "events") -> Any:
        """Write events, or deliveries of a service, as a JSONL file and land it; returns the summary."""
        file = self.folder / f"{name}.jsonl"
        file.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
        return self.ok("ingest", writer, file, "--format", "json", *options).json

    def build(self, *options: object) -> Any:
        """Build; returns the report."""
        return self.ok("build", "--format", "json", *options).json

    def hashes(self) -> dict[str, str]:
        """The hash of every published table."""
        with connect(self.home.current.resolve(), read_only=True) as connection:
            return database_hashes(connection)
