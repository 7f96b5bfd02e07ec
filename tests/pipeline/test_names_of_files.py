"""A name with a bracket, a star or a question mark is that of one file, not a pattern that others match."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.landing import EVENT
from pipeline.stripe_health import stripe_deliveries
from pipeline.truth_file import read_truth
from pipeline.unbuilt import Unbuilt
from tests.ingest.landings import event, jsonl, land
from tests.ingest.stripes import land_stripe, stripe_object
from warehouse.control import landed_files
from warehouse.duck import connect
from warehouse.home import Home

#: Each would find the file of the other, if it were a pattern.
ODD, PLAIN = "a[1]", "a1"


@pytest.fixture
def homes(tmp_path: Path) -> tuple[Home, Home]:
    return Home(tmp_path / ODD).ensure(), Home(tmp_path / PLAIN).ensure()


def test_rows_that_are_not_built_are_those_of_the_home(homes: tuple[Home, Home]) -> None:
    """Whatever its folder is called."""
    for home in homes:
        land(home, jsonl(event(eventId=home.root.name)))
    home, _ = homes
    with connect() as connection:
        select = Unbuilt(connection, home, (), (), ())._read(EVENT, landed_files(home.control))
        assert connection.execute(f"select event_id from ({select}) as row").fetchall() == [(ODD,)]


def test_deliveries_of_stripe_are_those_of_the_home(homes: tuple[Home, Home]) -> None:
    """The types that nobody reads are its own."""
    for home, kind in zip(homes, ("odd", "plain"), strict=True):
        land_stripe(home, stripe_object(object=kind))
    assert stripe_deliveries(homes[0])[2] == {"odd": 1}


def test_a_file_of_known_persons_is_the_one_that_is_named(tmp_path: Path) -> None:
    """And no other that the name would match."""
    for name in (ODD, PLAIN):
        (tmp_path / f"{name}.csv").write_text(f"person,type,value\np,user_id,{name}\n")
    assert list(read_truth(tmp_path / f"{ODD}.csv").names.values()) == [f"user_id:{ODD}"]
