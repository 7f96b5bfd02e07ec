"""A report at an earlier point in time says what the build of that time said."""

from __future__ import annotations

import pytest

from analytics.funnel import PERSON_COLUMNS
from tests.pipeline.projects import Studio

EARLIER = "2026-04-01"


@pytest.mark.slow
def test_a_breakdown_at_an_earlier_as_of_is_that_of_a_build_then(own_sample: Studio) -> None:
    """By every person column, against the person table of a build at that time."""
    funnel = ("funnel", "signup_completed", "first_video_created", "--format", "json", "--as-of", EARLIER)
    said = {by: own_sample.ok(*funnel, "--by", by).json for by in PERSON_COLUMNS}
    assert own_sample.build("--as-of", EARLIER)["how"] == "slice"
    for by, answer in said.items():
        counted = own_sample.ok(
            "sql",
            f"select coalesce({by}, 'missing') as bucket, count(*) as persons from person"
            " where person_key in (select person_key from event where event_type = 'signup_completed'"
            f" and occurred_at <= timestamptz '{EARLIER} 00:00:00+00') group by all",
            "--format",
            "json",
        ).json
        parts = answer["bySource"] if "bySource" in answer else answer["breakdown"]
        assert {bucket: part["stages"][0]["count"] for bucket, part in parts.items()} == {
            row["bucket"]: row["persons"] for row in counted
        }, by
    assert len(said["usage_status"]["breakdown"]) > 1
    assert len(said["segment"]["breakdown"]) > 1
