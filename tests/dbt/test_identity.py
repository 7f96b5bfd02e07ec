"""Who is one person: what identifies nobody joins nobody."""

from __future__ import annotations

from tests.conftest import JUNK_IDENTIFIERS
from tests.pipeline.projects import Studio


def test_strangers_who_share_junk_are_two_persons(sample: Studio) -> None:
    """Texts that are no address, and what programs write for nothing, are no identifiers."""
    rows = sample.ok(
        "sql",
        "select event_id, person_key from event where event_id like 'junk-%' and person_key is not null",
        "--format",
        "json",
    ).json
    assert len(rows) == 2 * len(JUNK_IDENTIFIERS)
    assert len({row["person_key"] for row in rows}) == len(rows)


def test_junk_is_no_identifier(sample: Studio) -> None:
    """Each stranger is known by the user id alone; the event keeps what it was told."""
    linked = sample.ok(
        "sql",
        "select distinct id_type from identity_link where person_key in"
        " (select person_key from event where event_id like 'junk-%')",
        "--format",
        "json",
    ).json
    assert linked == [{"id_type": "user_id"}]
    kept = sample.ok("sql", "select count(*) as n from event where device_id = 'unknown'", "--format", "json").json
    assert kept == [{"n": 2}]
