"""A file that was given to another command lands nothing, and what it said of it names the right one."""

from __future__ import annotations

import gzip
import itertools
from typing import Any

import pytest

from ingest.likely import likely_writer
from ingest.options import Writer
from tests.conftest import SAMPLE, WRITERS
from tests.ingest.landings import event, jsonl, land
from tests.ingest.segments import message
from warehouse.home import Home

LINES = 40


@pytest.mark.parametrize(("kind", "given"), [*itertools.product(WRITERS, WRITERS.values())])
def test_deliveries_land_by_their_own_command_only(home: Home, kind: str, given: Writer) -> None:
    """Nothing is lost: the rows wait in quarantine, and the note says who would have read them."""
    with gzip.open(SAMPLE / kind / "2026-01.jsonl.gz") as file:
        content = b"".join(itertools.islice(file, LINES))
    summary = land(home, content, writer=given)
    own: Any = WRITERS[kind]
    if own == given:
        assert summary.landed > LINES // 2
        assert summary.files[0].notes == ()
    else:
        assert (summary.landed, summary.quarantined) == (0, summary.rows_in)
        assert summary.files[0].notes == (f"no row could land; they look like those that gdp ingest {own} reads",)


def test_a_broken_line_does_not_hide_whose_the_others_are(home: Home) -> None:
    """What no parser may see is refused first, wherever it stands."""
    lines = [message(messageId=f"m{number}") for number in range(3)]
    summary = land(home, jsonl(*lines, b'{"a": "\xff"}'))
    assert (summary.quarantined, summary.rows_in) == (4, 4)
    assert summary.files[0].notes == ("no row could land; they look like those that gdp ingest segment reads",)


@pytest.mark.parametrize(
    "raw", [b"", b"\xff", b"{", b"7", b"{}", b'{"received_at": 1, "body": "{"}', b'{"data": [7]}', b"[" * 100_000]
)
def test_what_says_nothing_is_nobody_s(raw: bytes) -> None:
    """Whatever it is."""
    assert likely_writer(raw) is None


def test_nothing_is_said_where_a_row_landed(home: Home) -> None:
    """A bad row among good ones is just that; and an empty file says nothing either."""
    assert land(home, jsonl(event(), '{"object": "event"}')).files[0].notes == ()
    assert land(home, b"\n", "empty.jsonl").files[0].notes == ()
