"""Parquet and CSV files that are known to be clean, straight from DuckDB's own readers into a landing file.

What is checked: that there is an id, an event type, and a time within range; and everything is counted. What is taken
on trust: that texts and objects are within the limits and identifiers need no Unicode normalisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from ingest.columns import Column, sql_name
from ingest.duckfiles import file_literal
from ingest.eventcheck import Rules
from ingest.landing_sql import RawRows, landed_select
from ingest.mappedsql import RowForm, mapped_rows, record_sql
from ingest.parts import Parts
from ingest.reasons import Reason, RefusedRow
from ingest.strictjson import shown
from warehouse.sql import quote_literal


def land_trusted(parts: Parts, form: RowForm, relation: str, rules: Rules) -> tuple[int, list[RefusedRow]]:
    """Write all rows of a relation; returns how many there are, and those that lack what an event must have."""
    raw = mapped_rows(form, relation, is_trusted=True)
    bad = bad_rows_condition(raw, rules)
    computes_ids = form.layout.computes_ids
    rows, bad_count = parts.write_trusted(landed_select(raw, rules, is_trusted=True), bad, computes_ids=computes_ids)
    refused = _refused_rows(parts.connection, form, raw, relation, bad) if bad_count else []
    assert len(refused) == bad_count, (len(refused), bad_count)
    return rows, refused


def bad_rows_condition(raw: RawRows, rules: Rules) -> str:
    """The condition on landed columns under which a row cannot land."""
    first, last = (quote_literal(time.isoformat()) for time in (rules.times.earliest, rules.times.latest))
    needed = ["event_type", "occurred_at", *(["event_id"] if "event_id" in raw.fields else [])]
    missing = " or ".join(
        "occurred_at is null" if name == "occurred_at" else f"coalesce({name} = '', true)" for name in needed
    )
    return f"({missing} or occurred_at not between timestamptz {first} and timestamptz {last})"


def _refused_rows(
    connection: duckdb.DuckDBPyConnection, form: RowForm, raw: RawRows, relation: str, bad: str
) -> list[RefusedRow]:
    """Read the source again for the rows that cannot land."""
    event_id = form.value("event_id") if "event_id" in raw.fields else "'-'"
    time_text = form.column(form.layout.columns["occurred_at"]).text()
    rows = connection.execute(
        f"""
        select
            row_number, record, time_text, coalesce(event_id = '', true), coalesce(event_type = '', true),
            occurred_at is null
        from (
            select
                row_number,
                {record_sql(form.columns)} as record,
                {time_text} as time_text,
                {event_id} as event_id,
                {form.value("event_type")} as event_type,
                {form.value("occurred_at")} as occurred_at
            from {relation}
        )
        where {bad}
        order by row_number
        """
    ).fetchall()
    refused = []
    for number, record, *rest in rows:
        reason, detail = _reason(*rest)
        if number is None:
            detail += "; its row is not known, for --trusted does not number the rows of a CSV file"
        refused.append(RefusedRow(number, reason, detail, record.encode()))
    return refused


def _reason(time_text: str | None, lacks_id: bool, lacks_type: bool, lacks_time: bool) -> tuple[Reason, str]:
    if lacks_id:
        return Reason.MISSING_FIELD, "event_id is missing"
    if lacks_type:
        return Reason.MISSING_FIELD, "event_type is missing"
    if time_text is None:
        return Reason.MISSING_FIELD, "occurred_at is missing"
    if lacks_time:
        return Reason.BAD_TIME, f"occurred_at {shown(time_text)} is not a time that --trusted reads"
    return Reason.TIME_RANGE, f"occurred_at {time_text} is not between 2000-01-01 and a day from now"


def csv_relation(path: Path, columns: Sequence[Column], delimiter: str, *, is_compressed: bool) -> str:
    """The rows of a CSV file as text, without numbers: numbering would keep DuckDB from reading in parallel.

    DuckDB finds the end of lines itself: told that it is CRLF, it reads no row and says nothing.
    """
    names = ", ".join(f"{quote_literal(sql_name(column.name))}: 'VARCHAR'" for column in columns)
    compression = "gzip" if is_compressed else "none"
    return (
        f"(select null::bigint as row_number, * from read_csv({file_literal(path)}, columns = {{{names}}},"
        f" delim = {quote_literal(delimiter)}, quote = '\"', escape = '\"', header = true, auto_detect = false,"
        f" strict_mode = true, compression = '{compression}'))"
    )
