"""What tables are made of: the code, the definitions and the landing, each told by a hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import duckdb

from analytics.segment_leaves import PUBLISHED
from analytics.segment_rules import compile_segment
from warehouse.control import LandedFile
from warehouse.definitions import Definitions, content_hash
from warehouse.duck import connect
from warehouse.home import Home
from warehouse.reader import current_generation

ROOT = Path(__file__).parent.parent
DBT_PROJECT = ROOT / "dbt_project"
#: Python whose answers are in the tables, beside dbt's project: what its functions give and what writes its macros.
TABLE_CODE = (
    "analytics/chain.py",
    "analytics/components.py",
    "analytics/identity.py",
    "pipeline/dbt_plugin.py",
    "pipeline/identity_macros.py",
    "pipeline/revenue_macros.py",
    "pipeline/table_functions.py",
)


@dataclass(frozen=True)
class Published:
    """What the published generation says of itself (its row of build_info)."""

    path: Path
    as_of: datetime
    project_hash: str
    definition_hashes: dict[str, str]
    landing_hash: str
    max_batch_seq: int
    last_full_refresh: str


def read_published(home: Home) -> tuple[Published | None, str | None]:
    """The published generation's own description, or None, and why one that is there cannot be read."""
    path = current_generation(home)
    if path is None:
        return None, None
    if not path.exists():
        return None, f"the published generation {path.name} is gone"
    try:
        with connect(path, read_only=True) as connection:
            row = connection.execute(
                "select as_of, project_hash, definition_hashes, landing_hash, max_batch_seq, last_full_refresh"
                " from build_info"
            ).fetchall()[0]
    except (duckdb.Error, IndexError) as error:
        return None, f"the published generation {path.name} cannot be read ({' '.join(str(error).split())[:100]})"
    as_of, project_hash, hashes, landing, max_batch_seq, last_full_refresh = row
    found = Published(
        path=path,
        as_of=as_of.astimezone(timezone.utc),
        project_hash=project_hash,
        definition_hashes=json.loads(hashes),
        landing_hash=landing,
        max_batch_seq=max_batch_seq,
        last_full_refresh=last_full_refresh,
    )
    return found, None


def is_of_this_code(home: Home) -> bool:
    """Whether the published generation was made by the code that reads it now."""
    published, _ = read_published(home)
    return published is not None and published.project_hash == table_code_hash()


def table_code_hash() -> str:
    """A hash of all code that decides what the tables hold."""
    return code_hash(DBT_PROJECT, (ROOT / name for name in TABLE_CODE))


def definition_hashes(definitions: Definitions) -> dict[str, str]:
    """A hash per definition; a segment's changes with its meaning, with that of segments it asks for, and its SQL."""
    hashes = {
        "events": content_hash(definitions.catalog),
        "identity": content_hash(definitions.identity),
        "revenue": content_hash(definitions.revenue),
        "fx": content_hash(definitions.fx),
    }
    for segment in definitions.segments:
        compiled = compile_segment(segment, PUBLISHED, definitions.segments)
        hashes[f"segment:{segment.segment_id}"] = content_hash(segment, compiled)
    return hashes


def landing_hash(files: list[LandedFile] | tuple[LandedFile, ...]) -> str:
    """A hash of which files the manifest holds; any file that goes or is rewritten changes it."""
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda file: (file.batch_seq, file.path)):
        digest.update(f"{file.batch_seq} {file.path} {file.sha256}\n".encode())
    return digest.hexdigest()[:16]


def code_hash(dbt_project: Path, python: Iterable[Path]) -> str:
    """A hash of the text of every SQL, YAML and CSV file of a dbt project, and of some Python files."""
    texts = sorted(path for path in dbt_project.rglob("*") if path.suffix in {".sql", ".yml", ".csv"})
    named = [(path.relative_to(dbt_project), path) for path in texts]
    named = [(name, path) for name, path in named if name.parts[0] not in {"target", "logs"}]
    digest = hashlib.sha256()
    for name, path in (*named, *((Path(path.name), path) for path in python)):
        digest.update(f"{name.as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
