"""The segment commands on the built sample, and what it is made of against what is true of it."""

from __future__ import annotations

from datetime import datetime, timedelta

import duckdb

from analytics import get_segment_members, is_in_segment
from tests.conftest import SAMPLE
from tests.pipeline.projects import Studio
from warehouse.reader import open_warehouse

TRUE_STAYS = f"""
select identifier.value, stay.entered_at, stay.exited_at
from '{SAMPLE}/truth/segment_stay.parquet' as stay
inner join '{SAMPLE}/truth/identifier.parquet' as identifier
    on stay.person = identifier.person and identifier.type = 'user_id'
where stay.segment_id = 'power_users'"""
BUILT_STAYS = """
select identifier.id_value, stay.entered_at, stay.exited_at
from segment_stay as stay
inner join identity_link as identifier on stay.person_key = identifier.person_key and identifier.id_type = 'user_id'
where stay.segment_id = 'ten_renders'"""


def test_stays_are_those_of_the_simulated_truth(sample: Studio) -> None:
    """Ten renders in thirty days: who, from when to when."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        true = set(connection.execute(TRUE_STAYS).fetchall())
    with open_warehouse(sample.home) as warehouse:
        built = set(warehouse.rows(BUILT_STAYS))
    assert len(true) > 50
    assert built == true


def test_members_and_their_explanation_agree(sample: Studio) -> None:
    """On any date; somebody outside is told which rule keeps them out."""
    said = sample.ok("segment", "members", "ten_renders", "--as-of", "2026-05-01", "--format", "json").json
    assert said["count"] == len(said["members"]) > 5
    first = said["members"][0]
    before = datetime.fromisoformat(first["enteredAt"]) - timedelta(seconds=1)
    for moment, expected in (("2026-05-01", True), (before.isoformat(), False)):
        asked = ("segment", "explain", "ten_renders", first["personId"], "--as-of", moment, "--format", "json")
        why = sample.ok(*asked).json
        assert (why["isMember"], why["reasons"][0]["holds"]) == (expected, expected)
        assert why["reasons"][0]["says"] == "video_rendered at least 10 times in the last 30 days"


def test_what_is_unknown_is_told(sample: Studio) -> None:
    """A person without an industry is neither in education nor not."""
    with open_warehouse(sample.home) as warehouse:
        ((person,),) = warehouse.rows(
            "select person_id from person where industry is null and last_action_date < '2026-05-01' order by 1 limit 1"
        )
    text = sample.ok("segment", "explain", "gone_quiet", person).out
    assert "Not in it" in text
    assert "unknown" in text
    assert "absent, or of another kind" in text


def test_a_segment_shows_its_sentence_and_its_sql(sample: Studio) -> None:
    """The SQL runs as it is and gives the stays."""
    text = sample.ok("segment", "show", "gone_quiet").out
    assert text.startswith("-- Gone quiet: last_action_date is at most now - 30d and industry is none of 'education'")
    with open_warehouse(sample.home) as warehouse:
        found = set(warehouse.rows(text))
        stored = (
            "select segment_id, person_key, entered_at, exited_at from segment_stay where segment_id = 'gone_quiet'"
        )
        assert found == set(warehouse.rows(stored)) != set()


def test_a_name_that_nobody_knows_is_refused(sample: Studio) -> None:
    """With the nearest ones."""
    answer = sample.gdp("segment", "show", "ten_render")
    assert (answer.code, "unknown segment 'ten_render' (did you mean 'ten_renders'" in answer.err) == (2, True), answer


def test_the_requirements_functions(sample: Studio) -> None:
    """Members are those who are in it, by any of their identifiers."""
    with open_warehouse(sample.home) as warehouse:
        found = get_segment_members(warehouse, "ten_renders").members
        assert is_in_segment(warehouse, found[0].person_id, "ten_renders")
        before = found[0].entered_at - timedelta(microseconds=1)
        assert not is_in_segment(warehouse, found[0].person_id, "ten_renders", as_of=before)
