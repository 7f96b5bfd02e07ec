"""The segment commands on the built sample, and what it is made of against what is true of it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from analytics import get_segment_members
from analytics.segment_members import is_member
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
        assert is_member(warehouse, found[0].person_id, "ten_renders").is_member
        before = found[0].entered_at - timedelta(microseconds=1)
        assert not is_member(warehouse, found[0].person_id, "ten_renders", as_of=before).is_member


def test_a_diff_is_what_two_lists_of_members_differ_by(sample: Studio) -> None:
    """Who entered and who left, between any two moments and up to the build."""
    said = sample.ok("segment", "diff", "ten_renders", "--from", "2026-05-01", "--format", "json").json
    before, after = (
        {
            one["personId"]
            for one in sample.ok("segment", "members", "ten_renders", *when, "--format", "json").json["members"]
        }
        for when in (("--as-of", "2026-05-01"), ())
    )
    assert (set(said["entered"]), set(said["left"])) == (after - before, before - after)
    assert said["entered"]
    assert said["left"]
    assert (said["sizeBefore"], said["sizeAfter"]) == (len(before), len(after))
    assert "In it before" in sample.ok("segment", "diff", "ten_renders", "--from", "2026-05-01").out


def test_a_diff_needs_two_moments_in_order(sample: Studio) -> None:
    """One line says which option is missing or wrong."""
    answer = sample.gdp("segment", "diff", "ten_renders")
    assert (answer.code, "give --from" in answer.err) == (2, True), answer
    answer = sample.gdp("segment", "diff", "ten_renders", "--from", "2026-06-01", "--to", "2026-05-01")
    assert (answer.code, "is not before --to" in answer.err) == (2, True), answer


def test_somebody_is_a_member_or_not(sample: Studio) -> None:
    """By any identifier, as of any moment; a segment that nobody knows is refused."""
    first = sample.ok("segment", "members", "ten_renders", "--format", "json").json["members"][0]
    before = datetime.fromisoformat(first["enteredAt"]) - timedelta(seconds=1)
    assert sample.ok("segment", "is-member", "ten_renders", first["personId"]).out == "yes\n"
    asked = ("segment", "is-member", "ten_renders", first["personId"], "--as-of", before.isoformat())
    assert sample.ok(*asked).out == "no\n"
    said = sample.ok(*asked[:4], "--format", "json").json
    assert said == {
        "segmentId": "ten_renders",
        "person": first["personId"],
        "isMember": True,
        "asOf": "2026-07-01T00:00:00Z",
    }
    assert sample.gdp("segment", "is-member", "ten_render", first["personId"]).code == 2


def test_the_list_says_what_a_build_would_change(own_sample: Studio) -> None:
    """Sizes are those of the members; a changed, a new and a removed definition are told apart."""
    listed = {one["segmentId"]: one for one in own_sample.ok("segment", "list", "--format", "json").json["segments"]}
    assert {one["state"] for one in listed.values()} == {"built"}
    members = own_sample.ok("segment", "members", "ten_renders", "--format", "json").json
    assert listed["ten_renders"]["size"] == members["count"]

    path = own_sample.folder / "definitions" / "segments" / "language.json"
    segments = [one for one in json.loads(path.read_text()) if one["name"] != "Hand picked"]
    (ten,) = (one for one in segments if one["name"] == "Ten renders")
    ten["rules"][0]["eventCount"]["gte"] = 11
    path.write_text(json.dumps([*segments, {"name": "New one", "rules": [{"eventType": "page_viewed"}]}]))
    listed = {one["segmentId"]: one for one in own_sample.ok("segment", "list", "--format", "json").json["segments"]}
    states = {name: one["state"] for name, one in listed.items() if one["state"] != "built"}
    assert states == {"ten_renders": "changed", "hand_picked": "removed", "new_one": "not built"}
    assert listed["new_one"]["size"] is None
    assert "gdp build brings the others up to date" in own_sample.ok("segment", "list").out


def test_segments_are_listed_before_the_first_build(tmp_path: Path) -> None:
    """Without sizes."""
    studio = Studio.make(tmp_path / "new")
    said = studio.ok("segment", "list", "--format", "json").json
    assert said["asOf"] is None
    assert {(one["state"], one["size"]) for one in said["segments"]} == {("not built", None)}


def test_a_history_adds_up_to_the_members(sample: Studio) -> None:
    """Entries without a later exit are the members; its parts of two ranges are the whole."""
    said = sample.ok("segment", "history", "ten_renders", "--format", "json").json
    inside: set[str] = set()
    for one in reversed(said["changes"]):
        (inside.add if one["change"] == "entered" else inside.remove)(one["personId"])
    members = sample.ok("segment", "members", "ten_renders", "--format", "json").json["members"]
    assert inside == {one["personId"] for one in members} != set()
    parts = [
        sample.ok("segment", "history", "ten_renders", *when, "--format", "json").json["changes"]
        for when in (("--from", "2026-05-01"), ("--to", "2026-05-01"))
    ]
    assert [*parts[0], *parts[1]] == said["changes"]
    assert all(parts)


def test_the_history_of_a_person_names_the_segments(sample: Studio) -> None:
    """By any identifier; of one segment or of all."""
    person = sample.ok("segment", "members", "ten_renders", "--format", "json").json["members"][0]["personId"]
    every = sample.ok("segment", "history", "--person", person, "--format", "json").json["changes"]
    one = sample.ok("segment", "history", "ten_renders", "--person", person, "--format", "json").json["changes"]
    assert one == [change for change in every if change["segmentId"] == "ten_renders"] != every
    assert {change["personId"] for change in every} == {person}
    assert "entered  ten_renders" in sample.ok("segment", "history", "--person", person).out
    assert sample.gdp("segment", "history").code == 2
    assert "is not before" in sample.gdp("segment", "history", "ten_renders", "--from", "2027-01-01").err


def test_sizes_end_at_the_number_of_members(sample: Studio) -> None:
    """And say so for a terminal, too."""
    said = sample.ok("segment", "sizes", "ten_renders", "--interval", "week", "--format", "json").json
    members = sample.ok("segment", "members", "ten_renders", "--format", "json").json
    assert (said["rows"][-1]["size"], len(said["rows"]) > 20) == (members["count"], True)
    assert "Segment ten_renders by month" in sample.ok("segment", "sizes", "ten_renders").out


def test_a_query_is_a_segment_like_a_rule(sample: Studio, tmp_path: Path) -> None:
    """Its stays are what the query gives, and rules may ask for it."""
    draft = tmp_path / "draft.yml"
    draft.write_text("name: Ever rendered\nrules: [{eventType: video_rendered}]\n")
    same = sample.ok("segment", "diff", "ever_rendered", "--definition", draft, "--format", "json").json
    assert (same["entered"], same["left"], same["sizeBefore"] > 10) == ([], [], True)
    person = sample.ok("segment", "members", "rendered_and_quiet", "--format", "json").json["members"][0]["personId"]
    said = sample.ok("segment", "explain", "ever_rendered", person, "--format", "json").json
    assert (said["isMember"], said["reasons"][0]["says"]) == (True, "is given by its query")
    assert said["reasons"][0]["because"].startswith("from 2026-")


@pytest.mark.slow
def test_a_query_of_persons_alone_has_no_past(own_sample: Studio) -> None:
    """It follows from the tables as of the build: another now works it out again, any other time is refused."""
    sample, segments = own_sample, own_sample.folder / "definitions" / "segments"
    (segments / "paying_today.sql").write_text("select person_id from person where billing_status = 'paid' -- now\n")
    assert sample.build("--as-of", "2026-06-30")["changed_segments"] == ["paying_today"]
    assert sample.build("--as-of", "2026-07-01")["how"] == "increment"
    rows = sample.ok("sql", "select person_id from person where billing_status = 'paid'", "--format", "json").json
    said = sample.ok("segment", "members", "paying_today", "--format", "json").json["members"]
    assert {row["person_id"] for row in rows} == {one["personId"] for one in said} != set()
    for asked in (
        ("members", "paying_today", "--as-of", "2026-06-01"),
        ("history", "paying_today"),
        ("sizes", "paying_today"),
        ("diff", "paying_today", "--from", "2026-06-01"),
        ("is-member", "paying_today", said[0]["personId"], "--as-of", "2026-06-01"),
    ):
        answer = sample.gdp("segment", *asked)
        assert (answer.code, "has no past" in answer.err, answer.err.count("\n")) == (2, True, 1)
    for as_of, is_known in (((), True), (("--as-of", "2026-05-01"), False)):
        found = sample.ok("segment", "preview", segments / "power_users.yml", *as_of, "--format", "json").json
        assert ("paying_today" in {one["segmentId"] for one in found["overlaps"]}) == is_known


def test_the_segment_of_a_person_has_a_past(sample: Studio) -> None:
    """Today's is that of person; at any other time the first in order of those that the person was in then."""
    with open_warehouse(sample.home) as warehouse:
        held = (
            "select person_key, value as segment from person_property where property = 'segment'"
            " and valid_from <= $at and (valid_to is null or valid_to > $at)"
        )
        today = "select person_key, segment from person where segment is not null"
        found = warehouse.rows(f"{held} order by all", {"at": warehouse.as_of})
        assert found == warehouse.rows(f"{today} order by all") != []
        then = (
            "select person_key, min_by(segment_id, (display_order, segment_id))"
            " from segment_stay inner join segment using (segment_id)"
            " where has_history and entered_at <= $at and (exited_at is null or exited_at > $at) group by all"
        )
        april = {"at": datetime.fromisoformat("2026-04-01T00:00:00+00:00")}
        assert warehouse.rows(f"{held} order by all", april) == warehouse.rows(f"{then} order by all", april) != []


def test_tables_of_another_version_are_named(own_sample: Studio) -> None:
    """A table that an older version did not have is no internal error."""
    generation = own_sample.home.current.resolve()
    generation.chmod(0o644)
    with duckdb.connect(str(generation)) as connection:
        connection.execute("alter table segment_stay rename to stay")
    assert "internal error" in own_sample.gdp("segment", "members", "ten_renders").err
    with duckdb.connect(str(generation)) as connection:
        connection.execute("update build_info set project_hash = 'older'")
    done = own_sample.gdp("segment", "members", "ten_renders")
    assert (done.code, done.err.strip()) == (
        1,
        "gdp: the published tables were made by another version of gdp: run gdp build",
    )
