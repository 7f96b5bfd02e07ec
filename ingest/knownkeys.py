"""Which keys small landing files hold, so that a run over thousands of small inputs reads each of them once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import duckdb

from ingest.duckfiles import file_literal

#: Files of at most so many bytes are remembered, until so many keys are.
_SMALL_BYTES = 64 << 10
_MOST_KEYS = 2_000_000
#: Of more rows than this the files themselves are read: asking for each key would take longer.
_FEW_ROWS = 2_000


class KnownKeys:
    """Remembers the body keys of landing files, which never change under their names."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._holders: defaultdict[int, set[str]] = defaultdict(set)

    def holders(self, connection: duckdb.DuckDBPyConnection, relation: str, files: Sequence[Path]) -> list[Path]:
        """Those of the files that may hold a body key of a relation; the others surely do not.

        Args:
            connection: a database that has the relation.
            relation: rows with a ``body_key``.
            files: landed files; none that may be written again under its name.
        """
        if len(files) < 2:
            return list(files)
        keys = connection.execute(f"select body_key from {relation} limit {_FEW_ROWS + 1}").fetchall()
        if len(keys) > _FEW_ROWS:
            return list(files)
        self._learn(connection, [path for path in files if str(path) not in self._files])
        found: set[str] = set()
        for (key,) in keys:
            found |= self._holders.get(key, set())
        return [path for path in files if str(path) in found or str(path) not in self._files]

    def _learn(self, connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> None:
        small = [path for path in files if _is_small(path)]
        if not small or len(self._holders) > _MOST_KEYS:
            return
        names = set(map(str, small))
        read = f"read_parquet([{', '.join(map(file_literal, small))}], filename = true)"
        for name, key in connection.execute(f"select distinct filename, body_key from {read}").fetchall():
            assert name in names, name
            self._holders[key].add(name)
        self._files.update(names)


def _is_small(path: Path) -> bool:
    """Whether a file is worth remembering; one that is missing is for its reader to complain of."""
    try:
        return path.stat().st_size <= _SMALL_BYTES
    except OSError:
        return False
