"""What the columns of a file hold: told by their names, or by a mapping; and when something happened by them."""

from __future__ import annotations

import io
import json
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.mapping import Mapping, load_mapping
from ingest.quarantine import quarantined_rows
from tests.ingest.landings import UTC, counts, csv, land, landed, reasons
from warehouse.home import Home

LOG = csv(
    ["user", "event", "time", "plan", "seconds"],
    ["ada", "Signup Completed", "2026-01-30T12:00:00Z", "pro", 12],
    ["bob", "video_rendered", "2026-01-30 12:30:00", "", "007"],
)


def test_naive_times_are_in_the_zone_that_is_named_and_the_summary_says_so(home: Home) -> None:
    """--tz holds for times without a zone and for no other."""
    summary = land(home, LOG, "log.csv", tz="America/New_York")
    assert summary.files[0].notes == ("times without a zone were read as America/New_York",)
    assert [moment.hour for (moment,) in landed(home, "occurred_at")] == [12, 17]


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2026-01-15 12:00:00", "2026-01-15 11:00:00"),
        ("2025-07-15", "2025-07-14 22:00:00"),
        ("2025-03-30 02:30", "2025-03-30 01:30:00"),
        ("2025-10-26 02:30:00", "2025-10-26 01:30:00"),
        ("2025-10-26 01:59:59.9999999", "2025-10-25 23:59:59.999999"),
    ],
)
def test_local_times_that_clocks_skip_or_show_twice(home: Home, local: str, utc: str) -> None:
    """A skipped time is moved forward by what was skipped, and counted; one that is shown twice is the second."""
    summary = land(home, csv(["user", "event", "time"], ["ada", "x", local]), "log.csv", tz="Europe/Berlin")
    skipped = "times in an hour that the clocks of Europe/Berlin skipped, moved forward by it: 1"
    assert (skipped in summary.files[0].notes) == (local == "2025-03-30 02:30")
    assert landed(home, "occurred_at") == [(datetime.fromisoformat(utc).replace(tzinfo=UTC),)]


@pytest.mark.parametrize(
    ("time", "detail"),
    [
        ("2026-02-30T12:00:00Z", "there is no such time"),
        ("2026-01-30T12:00:00+19:00", "its zone is more than 18 hours from UTC"),
        ("2026-02-30 12:00", "there is no such time"),
        ("13/02/2026", "a time is written as 2026-01-31 12:00:00 or is an epoch number; a mapping file can name"),
    ],
)
def test_why_a_time_is_none(home: Home, time: str, detail: str) -> None:
    """Nobody is told to add a zone that is there, or that is not needed."""
    land(home, csv(["user", "event", "time"], ["ada", "x", time]), "log.csv")
    (row,) = quarantined_rows(home)
    assert (row.reason, detail in row.detail, "needs a zone" in row.detail) == ("bad_time", True, False)


@pytest.mark.parametrize("header", ["userid", "User ID", "distinct_id", "customer", "personId", "uid"])
@pytest.mark.parametrize("event_header", ["eventName", "EVENT_TYPE", "name", "action"])
@pytest.mark.parametrize("time_header", ["timestamp", "ts", "Date", "at", "createdAt", "occurredAt"])
def test_usual_headers_are_understood(header: str, event_header: str, time_header: str) -> None:
    """Case and separators do not matter."""
    from ingest.headers import lay_out
    from ingest.mapping import Mapping

    columns = lay_out(Mapping(), [header, event_header, time_header]).columns
    assert columns == {"user_id": header, "event_type": event_header, "occurred_at": time_header}


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (["user", "event"], "no column for occurred_at: give --map occurred_at=COLUMN (columns: user, event)"),
        (["a", "b"], "no column for event_type: give --map event_type=COLUMN (columns: a, b)"),
        (
            ["user", "event", "time", "ts"],
            "more than one column may be occurred_at: give --map occurred_at=time or --map occurred_at=ts",
        ),
        (
            ["user", "event", "at", "created_at"],
            "more than one column may be occurred_at: give --map occurred_at=at or --map occurred_at=created_at",
        ),
        (
            ["user_id", "userId", "event", "time"],
            "more than one column may be user_id: give --map user_id=user_id or --map user_id=userId",
        ),
    ],
)
def test_a_header_that_does_not_say_what_is_what(home: Home, header: list[str], error: str) -> None:
    """Exit code 2, and the message has the --map that would help."""
    summary = land(home, csv(header, ["x"] * len(header)), "log.csv")
    assert (counts(summary), summary.exit_code, summary.files[0].error) == ((0, 0, 0, 0), 2, error)


def test_our_own_form_is_recognised(home: Home) -> None:
    """With event_id and event_type in the header, source and category are ours; else they are properties."""
    ours = csv(
        ["event_id", "event_type", "time", "source", "category"],
        ["e1", "x", "2026-01-30T12:00:00Z", "app", "activation"],
    )
    foreign = csv(["id", "event", "time", "source", "category"], ["e2", "x", "2026-01-30T12:00:00Z", "google", "shoes"])
    land(home, ours, "a.csv")
    land(home, foreign, "b.csv")
    assert landed(home, "source", "category", "properties") == [
        ("app", "activation", "{}"),
        ("custom", None, '{"category":"shoes","id":"e2","source":"google"}'),
    ]


@pytest.mark.parametrize("trusted", [False, True])
def test_a_column_may_be_called_as_our_row_numbers_are(home: Home, trusted: bool) -> None:
    """It is a property like any other."""
    rows = csv(["event_id", "event", "time", "Row_Number"], ["e1", "x", "2026-01-30T12:00:00Z", 7])
    assert counts(land(home, rows, "a.csv", trusted=trusted)) == (1, 1, 0, 0)
    buffer = io.BytesIO()
    table = {"event_id": ["e2"], "event": ["x"], "time": ["2026-01-30T12:00:00Z"], "row_number": ["7"]}
    pq.write_table(pa.table(table), buffer)
    assert counts(land(home, buffer.getvalue(), "a.parquet", trusted=trusted)) == (1, 1, 0, 0)
    record = {"id": "e3", "event": "x", "time": "2026-01-30T12:00:00Z", "row_number": "7"}
    mapping = load_mapping(["event_id=id"])
    assert counts(land(home, json.dumps(record).encode(), "a.jsonl", mapping=mapping)) == (1, 1, 0, 0)
    assert landed(home, "event_id", "properties") == [
        ("e1", '{"Row_Number":"7"}'),
        ("e2", '{"row_number":"7"}'),
        ("e3", '{"row_number":"7"}'),
    ]


def test_an_objects_column_of_any_log_is_taken_apart(home: Home) -> None:
    """properties and metadata are the event's; what is beside them joins in, and what contradicts them waits."""
    content = (
        b"user,event,time,plan,properties,metadata\n"
        b'ada,a,2026-01-30T12:00:00Z,pro,"{""n"": 1, ""ok"": true}","{""lib"": ""x""}"\n'
        b"bob,b,2026-01-30T12:00:00Z,pro,,\n"
        b'cyd,c,2026-01-30T12:00:00Z,pro,"{""plan"": ""free""}",\n'
        b'dan,d,2026-01-30T12:00:00Z,pro,"{""plan"": ""pro""}",\n'
        b"eve,e,2026-01-30T12:00:00Z,pro,three rooms,\n"
    )
    summary = land(home, content, "log.csv")
    assert (counts(summary), reasons(summary)) == ((5, 3, 0, 2), {"duplicate_key": 1, "not_json": 1})
    assert sorted(landed(home, "user_id", "properties", "metadata")) == [
        ("ada", '{"n":1,"ok":true,"plan":"pro"}', '{"lib":"x"}'),
        ("bob", '{"plan":"pro"}', None),
        ("dan", '{"plan":"pro"}', None),
    ]
    plain = land(home, content, "log.csv", mapping=Mapping(columns={"properties": None, "metadata": None}))
    assert (plain.landed, plain.quarantined) == (4, 0)


@pytest.mark.parametrize(
    ("width", "most"), [(400, None), pytest.param(1001, None, marks=pytest.mark.slow), (20, 20), (21, 20)]
)
def test_a_row_has_as_many_properties_as_a_json_event(
    home: Home, width: int, most: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One limit for both; a thousand columns take long, so there is a lower one, too."""
    if most:
        monkeypatch.setattr("models.limits.MAX_KEYS", most)
    header = ["event_id", "event_type", "time", *(f"p{number}" for number in range(width))]
    row = ["e1", "x", "2026-01-30T12:00:00Z", *(["1"] * width)]
    event = dict(zip(["eventId", "eventType", "timestamp"], row, strict=False)) | {
        "properties": dict(zip(header[3:], row[3:], strict=True))
    }
    summaries = [land(home, csv(header, row), "a.csv"), land(home, json.dumps(event).encode(), "a.jsonl")]
    is_kept = width <= (most or 1000)
    assert [summary.landed for summary in summaries] == ([1, 1] if is_kept else [0, 0])
    assert [reasons(summary) for summary in summaries] == ([{}, {}] if is_kept else [{"too_large": 1}] * 2)


def test_one_mapping_for_everything(home: Home) -> None:
    """Columns, constants, cases, types, chosen properties, custom identifiers and traits."""
    path = home.root.parent / "map.yml"
    path.write_text(
        """
        columns:
          occurred_at: at
          user_id: who
          custom:crm: crm
          traits.plan: plan
          properties.amount: sum
          event_id: null
        constants: {category: monetization, utm_medium: shop}
        case:
          event_type:
            - {when: {column: no, starts_with: C}, then: refund}
            - {when: [{column: sum, gt: 100}, {column: plan, in: [pro, team]}], then: big_purchase}
            - {else: purchase}
        types: {sum: number, gift: boolean, sent: time}
        properties: [gift, sent]
        source: custom
        tz: Europe/Berlin
        time_format: "%d.%m.%Y %H:%M"
        """
    )
    content = csv(
        ["event_id", "no", "at", "who", "crm", "plan", "sum", "gift", "sent"],
        ["1", "A1", "30.01.2026 13:00", "ada", "k1", "pro", "250.50", "yes", "31.01.2026 01:00"],
        ["2", "C2", "30.01.2026 13:00", "", "", "", "3", "", ""],
        ["3", "A3", "30.01.2026 13:00", "bob", "", "free", "2", "0", ""],
        ["4", "A4", "30.01.2026 13:00", "bob", "", "free", "two", "", ""],
        ["5", "A5", "30.01.2026 13:00", "bob", "", "free", "1", "maybe", ""],
        ["6", "A6", "2026-01-30", "bob", "", "free", "1", "", ""],
    )
    summary = land(home, content, "sales.csv", mapping=load_mapping([str(path)]))
    assert (counts(summary), reasons(summary)) == ((6, 3, 0, 3), {"bad_time": 1, "type_mismatch": 2})
    columns = ("event_type", "user_id", "custom_ids", "traits", "properties", "category", "utm_medium", "occurred_at")
    noon = datetime(2026, 1, 30, 12, tzinfo=UTC)
    assert landed(home, *columns) == [
        (
            *("big_purchase", "ada", '{"crm":"k1"}', '{"plan":"pro"}'),
            '{"amount":250.5,"gift":true,"sent":"2026-01-31T00:00:00Z"}',
            *("monetization", "shop", noon),
        ),
        ("refund", None, None, None, '{"amount":3}', "monetization", "shop", noon),
        ("purchase", "bob", None, '{"plan":"free"}', '{"amount":2,"gift":false}', "monetization", "shop", noon),
    ]
    details = {row.detail for row in quarantined_rows(home)}
    assert details >= {"sum is not a number", "gift is not true or false"}
