"""dbt's parse of its project, taken from one build to the next as within one home: half the work of a small build."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_kept: list[bytes] = []


@contextmanager
def parsed_before(project: Path) -> Iterator[None]:
    """Where a copy of the dbt project has never been parsed, begin with the parse of another copy.

    dbt parses again what differs between the two. Each process of tests parses the whole project once.

    Args:
        project: the folder in which dbt runs.
    """
    parsed = project / "target" / "partial_parse.msgpack"
    if _kept and not parsed.exists():
        parsed.parent.mkdir(parents=True, exist_ok=True)
        parsed.write_bytes(_kept[0])
    yield
    if not _kept and parsed.exists():
        _kept.append(parsed.read_bytes())
