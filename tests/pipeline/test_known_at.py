"""Reports on what was known at a past moment, from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dbt.stripes import at, subscription
from tests.pipeline.projects import Studio

THEN = ("--known-at", "2026-02-01")


def delivery(kind: str, day: float, received_day: float, **says: object) -> dict[str, object]:
    """A webhook in its envelope."""
    received = {"received_at": at(received_day)}
    carried = {"object": subscription(**says)}  # type: ignore[arg-type]
    body = {"id": f"evt_{kind}", "object": "event", "created": at(day), "livemode": True, "data": carried}
    return received | {"body": body | {"type": f"customer.subscription.{kind}"}}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A subscription that ended in January, of which nobody heard before March."""
    studio = Studio.make(tmp_path_factory.mktemp("known") / "studio")
    told = [delivery("created", 1, 1), delivery("deleted", 20, 60, status="canceled", ended_at=at(20))]
    studio.land("told", told, writer="stripe")
    studio.build("--as-of", "2026-04-01")
    return studio


@pytest.mark.slow
def test_a_report_tells_what_was_known_then(built: Studio, tmp_path: Path) -> None:
    """The same numbers as on that day; the file is made once, and goes with the next build."""
    studio = built.copy(tmp_path / "studio")
    published = studio.hashes()
    [now] = studio.ok("mrr", "--format", "json").json["rows"]
    then = studio.ok("mrr", *THEN, "--format", "json").json
    assert (now["churn"], now["end"]) == ("-29.00", "0.00")
    assert [(row["churn"], row["end"]) for row in then["rows"]] == [("0.00", "29.00")]
    assert then["asOf"] == "2026-02-01T00:00:00Z"
    [file] = studio.home.warehouse_dir.glob("known-at/*.duckdb")
    made = file.stat().st_mtime_ns
    [group] = studio.ok("subscriptions", *THEN, "--format", "json").json["groups"]
    assert (group["status"], group["mrr"]) == ("active", "29.000000000000000")
    assert studio.ok("mrr", *THEN, "--versus", "stripe", "--format", "json").json["customers"] == []
    assert file.stat().st_mtime_ns == made
    late = studio.gdp("mrr", *THEN, "--as-of", "2026-03-01")
    assert (late.code, late.err.count("\n")) == (2, 1)
    assert "--as-of 2026-03-01T00:00:00+00:00 is after the build's 2026-02-01T00:00:00+00:00" in late.err
    assert studio.hashes() == published
    studio.build("--as-of", "2026-04-02")
    assert not file.exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--known-at", "2126-01-01"), "--known-at 2126-01-01T00:00:00+00:00 is not past"),
        (("--known-at", "soon"), "--known-at"),
        ((*THEN, "--sql"), "--sql is for the published tables: leave out --known-at"),
        ((*THEN, "--identity-as-of", "2026-02-01"), "give --known-at or --identity-as-of, not both"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(options: tuple[str, ...], says: str, sample: Studio) -> None:
    """In one line, before anything is made."""
    answer = sample.gdp("mrr", *options)
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert says in answer.err
    assert not list(sample.home.warehouse_dir.glob("known-at/*"))
