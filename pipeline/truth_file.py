"""A file that says who is who, as somebody knows it: identifiers with their person, or pairs of identifiers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

from analytics.identifiers import typed_identifier
from analytics.known_persons import KnownPairs, KnownPersons, Pair
from ingest.duckfiles import file_pattern
from models.errors import UsageError
from models.keys import identifier_uuid, key_of
from warehouse.duck import connect

PERSONS, PAIRS = ("person", "type", "value"), ("a", "b", "same_person")
FORMS = f"the columns {', '.join(PERSONS)}, or a and b (type:value), with same_person (true or false) or without"
_READERS = {
    ".parquet": "read_parquet($file)",
    ".csv": "read_csv($file, header = true, all_varchar = true, null_padding = false)",
}


def read_truth(path: Path) -> KnownPersons | KnownPairs:
    """Read a Parquet or CSV file with a header; columns of other names are left alone.

    Raises:
        UsageError: with the file, the row, and what would be accepted.
    """
    with closing(connect()) as connection:
        try:
            names, rows = _open(connection, path)
            known: KnownPersons | KnownPairs | None = None
            if {*PERSONS} <= {*names}:
                known = _persons(_told(path, rows, [names.index(name) for name in PERSONS], PERSONS))
            elif {*PAIRS[:2]} <= {*names}:
                wanted = PAIRS if PAIRS[2] in names else PAIRS[:2]
                known = _pairs(_told(path, rows, [names.index(name) for name in wanted], wanted))
        except duckdb.Error as error:
            raise UsageError(f"{path}: {str(error).splitlines()[0]}") from None
    if known is None:
        raise UsageError(f"{path}: has the columns {', '.join(names)[:200]}; give {FORMS}")
    if not known.names:
        raise UsageError(f"{path}: has no rows")
    return known


Cells = Sequence[str]
Told = Iterator[tuple[str, Cells]]


def _open(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"{path}: is neither .parquet nor .csv")
    cursor = connection.execute(f"select cast(columns(*) as varchar) from {reader}", {"file": file_pattern(path)})
    names = [column[0] for column in cursor.description or ()]
    return names, iter(cursor.fetchone, None)


def _told(path: Path, rows: Iterator[tuple[Any, ...]], places: list[int], names: Sequence[str]) -> Told:
    """The cells of the wanted columns, and where they stand."""
    for number, row in enumerate(rows, start=1):
        cells = [row[place] for place in places]
        for name, cell in zip(names, cells, strict=True):
            if cell is None or not cell.strip():
                raise UsageError(f"{path} row {number}: {name} is missing")
        yield f"{path} row {number}", cells


def _persons(told: Told) -> KnownPersons:
    names: dict[int, str] = {}
    persons: dict[str, set[int]] = defaultdict(set)
    for at, (person, type_, value) in told:
        persons[person.strip()].add(_key(at, f"{type_.strip()}:{value}", names))
    return KnownPersons(names, {person: frozenset(keys) for person, keys in persons.items()})


def _pairs(told: Told) -> KnownPairs:
    names: dict[int, str] = {}
    found: dict[Pair, tuple[Pair, bool]] = {}
    for at, (a, b, *rest) in told:
        pair = left, right = _key(at, a, names), _key(at, b, names)
        if left == right:
            raise UsageError(f"{at}: a and b are one identifier, {names[left]}")
        is_same = _flag(at, rest[0]) if rest else True
        if found.setdefault((min(pair), max(pair)), (pair, is_same))[1] != is_same:
            raise UsageError(f"{at}: {names[left]} and {names[right]} stand already as the contrary")
    same, different = (tuple(pair for pair, is_same in found.values() if is_same is wanted) for wanted in (True, False))
    return KnownPairs(names, same, different)


def _key(at: str, text: str, names: dict[int, str]) -> int:
    """The key of an identifier; notes how it is written."""
    try:
        type_, value = typed_identifier(text.strip())
    except ValueError as error:
        raise UsageError(f"{at}: {error}") from None
    key = key_of(identifier_uuid(type_, value))
    names.setdefault(key, f"{type_}:{value}")
    return key


def _flag(at: str, text: str) -> bool:
    try:
        return {"true": True, "false": False, "1": True, "0": False}[text.strip().lower()]
    except KeyError:
        raise UsageError(f"{at}: same_person is true or false (given: {text[:60]!r})") from None
