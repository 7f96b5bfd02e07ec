"""The join of events and sessions that docs/decisions.md gives."""

from __future__ import annotations

import re
from pathlib import Path

from tests.pipeline.projects import Studio

PAGE = Path(__file__).parents[2] / "docs" / "decisions.md"


def test_every_event_of_a_person_has_one_session(sample: Studio) -> None:
    """No event is lost or told twice, and each session has as many events as it says."""
    (join,) = re.findall(r"```sql\n(.*?inner join session.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (row,) = sample.ok(
        "sql",
        f"with joined as ({join}) select (select count(*) from joined) as joined,"
        " (select count(distinct (source, event_id)) from joined) as events,"
        " (select count(*) from event where person_key is not null) as of_persons,"
        " (select sum(events)::bigint from session) as in_sessions",
        "--format",
        "json",
    ).json
    assert row["events"] > 0
    assert set(row.values()) == {row["events"]}
