"""What is to be read: files, folders, patterns and standard input, and which form each has."""

from __future__ import annotations

import glob
import gzip
import hashlib
import io
import json
import os
import stat
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO, BinaryIO

from ingest.foreign import foreign_format
from ingest.reasons import BrokenFile
from models import limits
from models.errors import UsageError


class Form(Enum):
    """How the records of a file are written."""

    LINES = "jsonl"  # one JSON text a line
    JSON = "json"  # an array, or texts one after another, over as many lines as they like
    CSV = "csv"
    PARQUET = "parquet"
    API = "api"  # what an API answered, entry by entry


_SUFFIXES = {
    ".jsonl": Form.LINES,
    ".ndjson": Form.LINES,
    ".json": Form.JSON,
    ".csv": Form.CSV,
    ".tsv": Form.CSV,
    ".parquet": Form.PARQUET,
    ".pq": Form.PARQUET,
}
#: How much of a file is looked at to tell its form.
_HEAD_BYTES = limits.MAX_EVENT_BYTES


@dataclass(frozen=True)
class Input:
    """A file that is to be read; ``name`` is how messages call it."""

    path: Path
    name: str


def find_inputs(given: Sequence[str], standard_input: Path | None = None, *, home: Path | None = None) -> list[Input]:
    """The files that arguments mean, in their order, folders and patterns sorted by name, none twice.

    Args:
        given: paths of files and folders, patterns, and ``-``.
        standard_input: the file that holds what came over standard input, for ``-``.
        home: the folder of the warehouse itself, which is never read.

    Raises:
        UsageError: if an argument means no file that can be read.
    """
    found: dict[str, Input] = {}
    for argument in given:
        if argument == "-":
            assert standard_input is not None
            found["-"] = Input(standard_input, "standard input")
            continue
        for path in _files_of(argument, home and home.resolve()):
            found.setdefault(os.path.realpath(path), Input(path, os.fsencode(path).decode("utf-8", "backslashreplace")))
    return list(found.values())


def _files_of(argument: str, home: Path | None) -> list[Path]:
    if not argument:
        raise UsageError("a path is empty: name a file, a folder, a pattern, or - for standard input")
    path = Path(argument)
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return _matches(argument, home)
    except (OSError, ValueError) as error:
        raise UsageError(f"{argument[:200]}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if _is_in(home, path):
        raise UsageError(f"{argument}: lies in the home of the warehouse ({home})")
    if stat.S_ISDIR(mode):
        return _files_in(path, home)
    if not stat.S_ISREG(mode):
        raise UsageError(f"{argument}: not a file or folder (to read a pipe, give - and feed standard input)")
    if not os.access(path, os.R_OK):
        raise UsageError(f"{argument}: cannot be read: permission denied")
    return [path]


def _is_in(home: Path | None, path: Path) -> bool:
    return home is not None and home in (path.resolve(), *path.resolve().parents)


def _matches(pattern: str, home: Path | None) -> list[Path]:
    if not glob.has_magic(pattern):
        raise UsageError(f"{pattern}: no such file or folder")
    # pathlib's own takes no absolute patterns.
    paths = [Path(name) for name in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207
    files = [path for path in paths if path.is_file()]
    if not files:
        raise UsageError(f"{pattern}: no file matches")
    outside = [path for path in files if not _is_in(home, path)]
    if not outside:
        raise UsageError(f"{pattern}: all that matches lies in the home of the warehouse ({home})")
    return outside


def _files_in(folder: Path, home: Path | None) -> list[Path]:
    found = []
    for parent, folders, names in os.walk(folder, onerror=_raise_unreadable):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and Path(parent, name).resolve() != home
        )
        for name in sorted(names):
            path = Path(parent) / name
            if not name.startswith(".") and _form_by_name(name) and path.is_file():
                found.append(path)
    if not found:
        raise UsageError(f"{folder}: no file in it whose name ends in {', '.join(_SUFFIXES)} or one of these with .gz")
    return found


def _raise_unreadable(error: OSError) -> None:
    raise UsageError(f"{error.filename}: cannot be read: {error.strerror}")


def _form_by_name(name: str) -> Form | None:
    return _SUFFIXES.get(Path(name.lower().removesuffix(".gz")).suffix)


class HashedFile(io.RawIOBase):
    """A file that is read once from its start to its end while its SHA-256 and its size are taken."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read into a buffer; returns the number of bytes, 0 at the end."""
        try:
            count = self._file.readinto(buffer)  # type: ignore[attr-defined]
        except OSError as error:
            raise BrokenFile(f"cannot be read: {error.strerror or error}") from None
        self._digest.update(buffer[:count])
        self.size += count
        return int(count)

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes (all of the rest, if negative); none at the end."""
        try:
            data = self._file.read(size)
        except OSError as error:
            raise BrokenFile(f"cannot be read: {error.strerror or error}") from None
        self._digest.update(data)
        self.size += len(data)
        return data

    def tell(self) -> int:
        """How many bytes have been read."""
        return self.size

    def finish(self) -> str:
        """Read what nobody asked for, and return the SHA-256 of the whole in hexadecimal."""
        while self.read(1 << 20):
            pass
        return self._digest.hexdigest()


@dataclass(frozen=True)
class Opened:
    """An input that is open: its form, whether it is compressed, and its content, uncompressed, from the start."""

    input: Input
    form: Form
    is_compressed: bool
    content: IO[bytes]
    raw: HashedFile


@contextmanager
def opened(source: Input) -> Iterator[Opened]:
    """Open an input for reading once; on leaving, make sure that it did not change meanwhile.

    Raises:
        BrokenFile: if it cannot be read, its content is not what its name says, or it changed.
    """
    try:
        file = source.path.open("rb", buffering=0)
    except OSError as error:
        raise BrokenFile(f"cannot be read: {error.strerror}") from None
    with file:
        before = _state(os.fstat(file.fileno()))
        raw = HashedFile(file)
        try:
            head, is_compressed = _head(file)
            content: IO[bytes] = gzip.GzipFile(fileobj=raw) if is_compressed else raw  # type: ignore[assignment]
            yield Opened(source, _form_of(source, head), is_compressed, content, raw)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise BrokenFile(f"broken gzip: {error}") from None
        if not source.path.exists() or _state(source.path.stat()) != before:
            raise BrokenFile("it changed while it was read")


def _state(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_ino, found.st_size, found.st_mtime_ns


def _head(file: BinaryIO) -> tuple[bytes, bool]:
    """The first part of the content, uncompressed, and whether the file is compressed; the file is rewound."""
    try:
        head = file.read(_HEAD_BYTES)
        file.seek(0)
    except OSError as error:
        raise BrokenFile(f"cannot be read: {error.strerror}") from None
    if not head.startswith(b"\x1f\x8b"):
        return head, False
    unpacked = zlib.decompressobj(wbits=31).decompress(head, _HEAD_BYTES)
    return unpacked, True


def _form_of(source: Input, head: bytes) -> Form:
    named = _form_by_name(source.path.name) if source.name != "standard input" else None
    if head.startswith(b"PAR1"):
        return Form.PARQUET
    if named is Form.PARQUET:
        raise BrokenFile("not a Parquet file (it is empty)" if not head else "not a Parquet file")
    if foreign := foreign_format("" if source.name == "standard input" else source.path.name, head):
        raise BrokenFile(f"{foreign.name}, which is not read: {foreign.advice}")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BrokenFile("it is UTF-16; convert it to UTF-8")
    if named in (Form.LINES, Form.CSV):
        return named
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start == b"[":
        return Form.JSON
    if start == b"{" or named is Form.JSON:
        return Form.LINES if _first_line_is_json(head) else Form.JSON
    return Form.CSV


def _first_line_is_json(head: bytes) -> bool:
    """Whether the first line is a JSON text of its own; false where it goes on in the next."""
    line = head.lstrip().partition(b"\n")[0]
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return len(line) >= _HEAD_BYTES
    return True
