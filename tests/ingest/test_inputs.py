"""What arguments mean: files, folders, patterns, standard input; and what they cannot mean."""

from __future__ import annotations

import gzip
import io
import json
import os
from pathlib import Path

import pytest

from ingest.events import Progress, land_files
from ingest.inputs import Form, HashedFile, Input, find_inputs, opened
from ingest.options import LandOptions
from models.errors import UsageError
from tests.ingest.landings import NOW, counts, csv, event, jsonl, land, landed
from warehouse.home import Home


def names(found: list[Input]) -> list[str]:
    """The names of the files alone."""
    return [Path(one.name).name for one in found]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of several forms, in two levels, with some that are not meant."""
    for name in (
        "b.jsonl",
        "a.csv.gz",
        "deep/c.parquet",
        "deep/er/d.NDJSON",
        "notes.txt",
        ".hidden.jsonl",
        ".git/x.jsonl",
    ):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path / "in"


def test_folders_are_read_to_their_depths_in_the_order_of_names(folder: Path) -> None:
    """Known endings only, nothing hidden, nothing twice."""
    (folder / "loop").symlink_to(folder)
    found = find_inputs([str(folder), str(folder / "b.jsonl")])
    assert names(found) == ["a.csv.gz", "b.jsonl", "c.parquet", "d.NDJSON"]


def test_patterns(folder: Path) -> None:
    """A pattern means the files that match; a file of that very name goes first."""
    assert names(find_inputs([f"{folder}/**/*.[jp]*"])) == ["b.jsonl", "c.parquet"]
    (folder / "x[1].jsonl").write_bytes(b"")
    assert names(find_inputs([f"{folder}/x[1].jsonl"])) == ["x[1].jsonl"]


def test_the_home_is_never_read(folder: Path) -> None:
    """A folder and a pattern pass over it; what lies in it alone is refused."""
    home, listed = folder / "deep", ["a.csv.gz", "b.jsonl"]
    assert names(find_inputs([str(folder)], home=home)) == listed
    assert names(find_inputs([f"{folder}/**/*.[jpcN]*"], home=home)) == listed
    for argument, message in [
        (home, "lies in the home"),
        (home / "c.parquet", "lies in the home"),
        (home / "er", "lies in the home"),
        (f"{folder}/d*/*.parquet", "all that matches lies in the home"),
    ]:
        with pytest.raises(UsageError, match=message):
            find_inputs([str(argument)], home=home)


def test_arguments_that_mean_no_file(tmp_path: Path) -> None:
    """One line each: what was given and what would be accepted."""
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nowhere")
    for argument, message in [
        ("missing", "missing: no such file or folder"),
        ("none*", "none*: no file matches"),
        (
            "empty",
            "no file in it whose name ends in .jsonl, .ndjson, .json, .csv, .tsv, .parquet, .pq or one",
        ),
        ("pipe", "not a file or folder (to read a pipe, give - and feed standard input)"),
        ("loop", "cannot be read: Too many levels of symbolic links"),
        ("dangling", "no such file or folder"),
        ("x" * 5000, "cannot be read: File name too long"),
        ("a\x00b", "cannot be read"),
    ]:
        with pytest.raises(UsageError) as refusal:
            find_inputs([str(tmp_path / argument)])
        assert message in str(refusal.value)
        assert len(str(refusal.value)) < 1000


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("a.jsonl", b"[]", Form.LINES),
        ("a.json", b" \n[{}]", Form.JSON),
        ("a.json", b'{"a": 1}\n{"a": 2}\n', Form.LINES),
        ("a.json", b'{\n "a": 1\n}', Form.JSON),
        ("a.log", b'{"a": 1}\n', Form.LINES),
        ("a.log", b"user,event\n", Form.CSV),
        ("a.log", b"PAR1....", Form.PARQUET),
        ("a.csv", b"{weird},event\n", Form.CSV),
        ("standard input", b'[{"a": 1}]', Form.JSON),
        ("standard input", b'\n {"a": 1}', Form.LINES),
        ("standard input", b"user,event\n", Form.CSV),
    ],
)
@pytest.mark.parametrize("compress", [False, True])
def test_the_form_is_told_by_name_and_first_bytes(
    tmp_path: Path, name: str, content: bytes, form: Form, compress: bool
) -> None:
    """Compressed or not."""
    path = tmp_path / (name if name != "standard input" else "spooled")
    path.write_bytes(gzip.compress(content) if compress else content)
    with opened(Input(path, name if name == "standard input" else str(path))) as file:
        assert (file.form, file.is_compressed, file.content.read(100)) == (form, compress, content)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xlsx", b"PK\x03\x04\x14\x00", "an Excel workbook, which is not read: export the sheet as CSV"),
        ("a.log", b"PK\x03\x04\x14\x00", "a ZIP archive, which is not read: unpack it"),
        ("a.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", "an Excel workbook, which is not read"),
        ("a.bz2", b"BZh91AY&SY\x00\x01", "a bzip2 file, which is not read: unpack it, or give its content over"),
        ("standard input", b"BZh91AY&SY\x00\x01", "a bzip2 file, which is not read"),
        ("a.csv.zst", b"\x28\xb5\x2f\xfd\x04", "a Zstandard file, which is not read"),
        ("a.avro", b"Obj\x01\x04", "an Avro file, which is not read: convert it to Parquet or JSON lines"),
        ("a", b"ORC\x11\x00", "an ORC file, which is not read"),
        ("a.pdf", b"%PDF-1.7\n", "a PDF, which is not read"),
        ("a.db", b"SQLite format 3\x00", "an SQLite database, which is not read"),
        ("a.dump", b"x" * 257 + b"ustar\x00", "a tar archive, which is not read"),
        ("a.bin", b"user\x01\x02,event,time\n", "the header holds control characters: this is no CSV file"),
    ],
)
@pytest.mark.parametrize("compress", [False, True])
def test_formats_that_are_not_read_are_named(
    home: Home, name: str, content: bytes, message: str, compress: bool
) -> None:
    """None is taken for CSV; one line says what it is and what to do."""
    content = gzip.compress(content) if compress else content
    if name == "standard input":
        summary = land_files(home, ["-"], LandOptions(threads=1), now=NOW, stdin=io.BytesIO(content))
    else:
        summary = land(home, content, name)
    assert (counts(summary), summary.exit_code) == ((0, 0, 0, 0), 1)
    assert (summary.files[0].error or "").startswith(message)


def test_a_header_may_begin_like_a_foreign_file(home: Home) -> None:
    """Letters alone prove nothing."""
    assert counts(land(home, b"ORC,event,time\nx,x,2026-01-30T12:00:00Z\n", "a.csv")) == (1, 1, 0, 0)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("content", [b"", b"\n"])
def test_standard_input_may_be_empty(home: Home, content: bytes, compress: bool) -> None:
    """Nothing to land, nothing wrong."""
    stdin = io.BytesIO(gzip.compress(content) if compress else content)
    summary = land_files(home, ["-"], LandOptions(threads=1), now=NOW, stdin=stdin)
    assert (counts(summary), summary.exit_code) == ((0, 0, 0, 0), 0)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize(
    "content",
    [
        jsonl(event(), event(eventId="e2")),
        json.dumps([event(), event(eventId="e2")]).encode(),
        csv(
            ["event_id", "user", "event", "time"],
            ["e1", "a", "x", "2026-01-30T12:00:00Z"],
            ["e2", "a", "x", "2026-01-30T12:00:00Z"],
        ),
    ],
    ids=["lines", "array", "csv"],
)
def test_standard_input(home: Home, content: bytes, compress: bool) -> None:
    """Its form is told by its first bytes; the spooled copy is gone afterwards."""
    stdin = io.BytesIO(gzip.compress(content) if compress else content)
    summary = land_files(home, ["-"], LandOptions(threads=1), now=NOW, stdin=stdin)
    assert (counts(summary), summary.files[0].path) == ((2, 2, 0, 0), "standard input")
    assert landed(home, "event_id") == [("e1",), ("e2",)]
    assert list(home.staging.iterdir()) == []


def test_a_broken_file_does_not_stop_the_others(home: Home) -> None:
    """Exit code 1, the broken one is named, the others have landed."""
    folder = home.root.parent / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(jsonl(event()))
    (folder / "b.parquet").write_bytes(b"nonsense")
    (folder / "c.jsonl.gz").write_bytes(gzip.compress(jsonl(event(eventId="e2")))[:-10])
    (folder / "d.jsonl").write_bytes(jsonl(event(eventId="e3")))
    summary = land_files(home, [folder], LandOptions(threads=1), now=NOW)
    assert (counts(summary), summary.exit_code) == ((2, 2, 0, 0), 1)
    assert {Path(file.path).name: file.error for file in summary.files} == {
        "a.jsonl": None,
        "b.parquet": "not a Parquet file",
        "c.jsonl.gz": "broken gzip: Compressed file ended before the end-of-stream marker was reached",
        "d.jsonl": None,
    }


def test_a_file_that_changes_while_it_is_read_lands_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """D19: it will land once nobody writes it any more."""
    path = home.root.parent / "events.jsonl"
    finish = HashedFile.finish

    def append_and_finish(file: HashedFile) -> str:
        with path.open("ab") as growing:
            growing.write(jsonl(event(eventId="late")))
        return finish(file)

    monkeypatch.setattr(HashedFile, "finish", append_and_finish)
    summary = land(home, jsonl(event()))
    assert (counts(summary), summary.files[0].error) == ((0, 0, 0, 0), "it changed while it was read")
    monkeypatch.undo()
    assert counts(land_files(home, [path], LandOptions(threads=1), now=NOW)) == (2, 2, 0, 0)


def test_names_that_are_not_unicode(home: Home) -> None:
    """A name of any bytes can be read, recorded and shown."""
    path = os.fsencode(home.root.parent) + b"/caf\xe9.jsonl"
    with open(path, "wb") as file:  # noqa: PTH123 (pathlib takes no bytes)
        file.write(jsonl(event()))
    summary = land_files(home, [os.fsdecode(path)], LandOptions(threads=1), now=NOW)
    assert counts(summary) == (1, 1, 0, 0)
    assert summary.files[0].path.endswith(r"caf\xe9.jsonl")


def test_progress_is_told(home: Home) -> None:
    """The last word on a file is that all of it has been read."""
    path = home.root.parent / "a.jsonl"
    path.write_bytes(jsonl(event()))
    told: list[Progress] = []
    land_files(home, [path], LandOptions(threads=1), now=NOW, progress=told.append)
    size = path.stat().st_size
    assert told[-1] == Progress(str(path), number=1, files=1, bytes_read=size, bytes_total=size)
