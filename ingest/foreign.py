"""Formats that are not read: told by their first bytes or their names, so that none is taken for CSV."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Foreign:
    """A format: what it is called, how its files begin and end in name, and what makes of it something that is read."""

    name: str
    magic: tuple[bytes, ...]
    suffixes: tuple[str, ...]
    advice: str


_UNPACK = "unpack it, or give its content over standard input"
_CONVERT = "convert it to Parquet or JSON lines"
_EXPORT = "export the sheet as CSV"
_PDF = (b"%PDF-",)

FORMATS = (
    Foreign("an Excel workbook", (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",), (".xlsx", ".xlsm", ".xls"), _EXPORT),
    Foreign("an OpenDocument sheet", (), (".ods",), _EXPORT),
    Foreign("a ZIP archive", (b"PK\x03\x04", b"PK\x05\x06"), (".zip",), "unpack it (an Excel workbook: export as CSV)"),
    Foreign("a bzip2 file", (b"BZh",), (".bz2",), _UNPACK),
    Foreign("a Zstandard file", (b"\x28\xb5\x2f\xfd",), (".zst", ".zstd"), _UNPACK),
    Foreign("an XZ file", (b"\xfd7zXZ\x00",), (".xz",), _UNPACK),
    Foreign("an LZ4 file", (b"\x04\x22\x4d\x18",), (".lz4",), _UNPACK),
    Foreign("a 7-Zip archive", (b"7z\xbc\xaf\x27\x1c",), (".7z",), _UNPACK),
    Foreign("a tar archive", (), (".tar", ".tgz"), _UNPACK),
    Foreign("an Avro file", (b"Obj\x01",), (".avro",), _CONVERT),
    Foreign("an ORC file", (b"ORC",), (".orc",), _CONVERT),
    Foreign("an Arrow file", (b"ARROW1\x00\x00", b"FEA1"), (".arrow", ".feather"), _CONVERT),
    Foreign("a PDF", _PDF, (".pdf",), "export the data behind it as CSV"),
    Foreign("an SQLite database", (b"SQLite format 3\x00",), (".sqlite", ".sqlite3", ".db"), "export its rows as CSV"),
)
_TAR_MAGIC = slice(257, 262)


def foreign_format(name: str, head: bytes) -> Foreign | None:
    """The format that a file has, by its first bytes or else by its name; None if it may be one that is read.

    Letters alone prove nothing: they may begin a header. Behind them there is no text then.
    """
    suffix = Path(name.lower().removesuffix(".gz")).suffix
    for form in FORMATS:
        if suffix in form.suffixes or (head.startswith(form.magic) and (form.magic == _PDF or not _is_text(head))):
            return form
    return next(form for form in FORMATS if form.suffixes[0] == ".tar") if head[_TAR_MAGIC] == b"ustar" else None


def _is_text(head: bytes) -> bool:
    """Whether the first bytes hold no control characters but those of text."""
    return not any(byte < 32 and byte not in b"\t\r\n" for byte in head[:1000])
