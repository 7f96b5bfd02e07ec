"""The byte gate: what no parser may see is found, however the stream is cut."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import ingest.jsongate
from ingest import strictjson
from ingest.jsongate import Lines, check_record, scan_lines
from ingest.jsontexts import read_texts
from ingest.reasons import Refused
from models import limits

DEEP = b"[" * 33 + b"]" * 33


def scanned(data: bytes, block: int) -> tuple[dict[int, str], dict[int, str]]:
    """Texts and reasons by line, for a stream that is read in blocks of this size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingest.jsongate, "BLOCK_BYTES", block)
        blocks = list(scan_lines(io.BytesIO(data)))
    texts = {n: text for one in blocks for n, text in zip(one.numbers.to_pylist(), one.texts.to_pylist(), strict=True)}
    return texts, {row.row_number or 0: row.reason.value for one in blocks for row in one.refused}


@pytest.mark.parametrize("block", [1, 7, 64, 1 << 20])
def test_lines_however_they_are_cut(block: int) -> None:
    """Bad lines are set aside with their numbers, the others come in their order."""
    data = b'{"a":1}\n\n{"a":"\xc3\xa9"}\r\n\xff\n{"b":"\x00"}\n' + DEEP + b'\n{"a":"[[[["}'
    assert scanned(data, block) == (
        {1: '{"a":1}', 2: "", 3: '{"a":"é"}\r', 7: '{"a":"[[[["}'},
        {4: "bad_unicode", 5: "nul", 6: "too_deep"},
    )


@pytest.mark.parametrize("excess", [0, 1, 5 << 20])
def test_lines_that_are_too_long_are_not_kept(monkeypatch: pytest.MonkeyPatch, excess: int) -> None:
    """A line of the greatest length passes; the head of a longer one is kept, the next line is read as ever."""
    line = b'"' + b"x" * (limits.MAX_EVENT_BYTES - 2 + excess) + b'"'
    texts, refused = scanned(line + b"\n{}\n" + line, 1 << 20)
    assert (sorted(texts), refused) == (([1, 2, 3], {}) if excess == 0 else ([2], {1: "too_large", 3: "too_large"}))
    kept = [row.raw for one in scan_lines(io.BytesIO(line)) for row in one.refused]
    assert all(len(raw) == 4096 for raw in kept)


def facts(line: bytes) -> dict[str, Any]:
    """What is known of a block of one line."""
    (block,) = scan_lines(io.BytesIO(line))
    names = ("is_ascii", "has_escapes", "has_arrays", "objects", "depth")
    return {name: getattr(block, name) for name in names}


def test_facts_are_never_too_good() -> None:
    """Brackets inside texts may make a line look deeper than it is, never less deep."""
    plain = {"is_ascii": True, "has_escapes": False, "has_arrays": False, "objects": 2, "depth": 2}
    assert facts(b'{"a":{"b":1}}') == plain
    assert facts(b'{"a":{"b":"\xc3\xa9"}}') == plain | {"is_ascii": False}
    assert facts(rb'{"a":{"b":"\n"}}') == plain | {"has_escapes": True}
    assert facts(b'{"a":["}]"]}') == plain | {"has_arrays": True, "objects": 1}
    hidden = b'{"x":"}","a":' * 40 + b"{}" + b"}" * 40
    with pytest.raises(Refused, match="too_deep"):
        check_record(hidden)
    assert scanned(hidden, 1 << 20)[1] == {1: "too_deep"}
    balanced = b'{"x":"}","a":' * 40 + b"{}" + b',"z":"{"}' * 40
    assert scanned(balanced, 1 << 20)[1] == {1: "too_deep"}


@pytest.mark.parametrize(
    "text", [b'{"a":"' + b"[" * 200 + b'"}', b'{"a":"\\"' + b"{" * 200 + b'"}', b"[" + b"{}," * 100 + b"{}]"]
)
def test_many_brackets_are_not_many_levels(text: bytes) -> None:
    """Inside texts, and side by side."""
    assert check_record(text) == text.decode()


BRACKETS = st.recursive(
    st.text('[]{}"\\ab', max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("{[\\", max_size=2), inner, max_size=2),
    max_leaves=60,
)


@settings(max_examples=200)
@given(BRACKETS)
def test_depth_is_measured_exactly(value: Any) -> None:
    """Whatever the texts hold."""

    def depth(inner: Any) -> int:
        match inner:
            case dict():
                return 1 + max(map(depth, inner.values()), default=0)
            case list():
                return 1 + max(map(depth, inner), default=0)
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "MAX_DEPTH", 2)
        data = strictjson.write(value).encode()
        try:
            check_record(data)
            assert depth(value) <= 2
        except Refused:
            assert depth(value) > 2


@pytest.mark.parametrize("block", [1, 5, 1 << 20])
def test_arrays_and_texts_in_a_row_however_they_are_cut(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """Elements are numbered from 1; bytes that are no text belong to their element."""
    monkeypatch.setattr("ingest.jsontexts.BLOCK_BYTES", block)

    def texts(data: bytes) -> list[str]:
        blocks: list[Lines] = list(read_texts(io.BytesIO(data)))
        assert [row.reason.value for one in blocks for row in one.refused] == (
            ["bad_unicode"] if b"\xff" in data else []
        )
        return [text for one in blocks for text in one.texts.to_pylist()]

    assert texts(b' [ {"a" : 1} ,\n2 , "]," , "\xff", "\xe2\x82\xac" ] \n') == ['{"a" : 1}', "2", '"],"', '"€"']
    assert texts(b'{"a":\n1}\n{"b":2}{"c":3} 45 67') == ['{"a":\n1}', '{"b":2}', '{"c":3}', "45", "67"]
    assert texts(b"") == texts(b"[]") == texts(b" [ ] ") == []


@settings(max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=10,
    )
)
def test_what_is_written_is_read_again(value: Any) -> None:
    """Canonical text is a fixed point."""
    assume("\\u0000" not in strictjson.write(value))
    read = strictjson.parse(strictjson.write(value))
    assert read == value
    assert strictjson.write(read) == strictjson.write(value)
