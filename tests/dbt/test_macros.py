"""Dispatch macros that compute something, run alone on DuckDB."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, localcontext
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.keys import key_of, uuid5
from pipeline.dbt_plugin import register

DISPATCH = Path(__file__).parent.parent.parent / "dbt_project" / "macros" / "dispatch"


@cache
def macro(file: str, name: str, engine: str = "duckdb") -> Any:
    """A macro of the project, as a function from SQL to SQL, in the form of an engine."""
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False)
    text = (DISPATCH / file).read_text()
    module = environment.from_string(text, globals={"adapter": None}).make_module()

    class Adapter:
        @staticmethod
        def dispatch(wanted: str, _package: str) -> Any:
            return getattr(module, f"{engine}__{wanted}")

    return getattr(environment.from_string(text, globals={"adapter": Adapter}).make_module(), name)


def data_test(name: str) -> Any:
    """A generic data test of the project, as a function to SQL."""
    text = (DISPATCH.parent.parent / "tests" / "generic" / f"{name}.sql").read_text()
    text = text.replace("{% test ", "{% macro ").replace("{% endtest %}", "{% endmacro %}")
    return getattr(jinja2.Environment(autoescape=False).from_string(text).module, name)


CONNECTED_COMPONENTS = {
    engine: macro("connected_components.sql", "connected_components", engine)("edge")
    for engine in ("duckdb", "default")
}
DIGEST = macro("hashes.sql", "uuid5_digest")("$name")
UUID_AND_KEY = f"{macro('hashes.sql', 'uuid5_of')(DIGEST)}, {macro('hashes.sql', 'key_of')(DIGEST)}"
ADDRESS = macro("types.sql", "address_of")("$text")
QUOTIENT = macro("decimal_quotient.sql", "decimal_quotient")("dividend", "divisor")
RATIO = macro("decimal_quotient.sql", "decimal_ratio")("part", "whole")
REPORTED = macro("../fx.sql", "reporting_amount")("amount", "rate")
TEXT_AND_MICROS = f"{macro('types.sql', 'iso_time')('moment')}, {macro('types.sql', 'epoch_micros')('moment')}"


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database, times in UTC."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        register(connection)
        yield connection


def components(
    connection: duckdb.DuckDBPyConnection, edges: list[tuple[int, int]], engine: str = "duckdb"
) -> dict[int, int]:
    """The label of each node, by the form of an engine."""
    connection.execute("create or replace table edge (left_key bigint, right_key bigint)")
    connection.execute(
        "insert into edge select unnest($left), unnest($right)",
        {"left": [left for left, _ in edges], "right": [right for _, right in edges]},
    )
    return dict(connection.execute(f"select node_key, label from {CONNECTED_COMPONENTS[engine]}").fetchall())


def labels(edges: list[tuple[int, int]]) -> dict[int, int]:
    """The smallest node that each node is connected with, by merging sets."""
    group: dict[int, set[int]] = {}
    for left, right in edges:
        merged = group.get(left, {left}) | group.get(right, {right})
        group |= dict.fromkeys(merged, merged)
    return {node: min(members) for node, members in group.items()}


nodes = st.integers(1, 30)


@pytest.mark.parametrize("engine", ["duckdb", "default"])
@given(micros=st.integers(-(10**15), 10**16), length=st.integers(0, 400))
def test_a_fixed_length_is_so_many_hours(
    connection: duckdb.DuckDBPyConnection, engine: str, micros: int, length: int
) -> None:
    """Whatever the calendar says; hundreds of days in microseconds are no small number."""
    forms = [
        macro("types.sql", name, engine)("moment", **{unit: length})
        for name in ("later", "earlier")
        for unit in ("days", "hours", "minutes")
    ]
    found = connection.execute(
        f"select {', '.join(f'epoch_us({form})' for form in forms)} from (select make_timestamptz($micros) as moment)",
        {"micros": micros},
    ).fetchall()
    minutes = [sign * length * of for sign in (1, -1) for of in (24 * 60, 60, 1)]
    assert found == [tuple(micros + each * 60_000_000 for each in minutes)]


@pytest.mark.parametrize("engine", CONNECTED_COMPONENTS)
@given(edges=st.sets(st.tuples(nodes, nodes).filter(lambda edge: edge[0] < edge[1]), max_size=40))
def test_components_are_those_of_the_graph(
    connection: duckdb.DuckDBPyConnection, engine: str, edges: set[tuple[int, int]]
) -> None:
    """Any graph, in the function and in plain SQL: chains, rings, stars, several at once, no edge at all."""
    assert components(connection, sorted(edges), engine) == labels(sorted(edges))


@pytest.mark.parametrize("engine", CONNECTED_COMPONENTS)
def test_a_long_chain_is_no_long_work(connection: duckdb.DuckDBPyConnection, engine: str) -> None:
    """Somebody with thousands of devices, each known only from the one before, does not hold up a build."""
    chain = [(key_of(uuid5(str(link))), key_of(uuid5(str(link + 1)))) for link in range(3000)]
    began = time.monotonic()
    assert set(components(connection, chain, engine).values()) == {min(min(edge) for edge in chain)}
    assert time.monotonic() - began < 10


def test_components_of_several_graphs_are_told_apart(connection: duckdb.DuckDBPyConnection) -> None:
    """One row is one graph; a row without a graph has no labels."""
    graphs = "values (1, [(1, 2), (3, 2)]), (2, null), (3, [(9, 8)]), (4, [])"
    found = connection.execute(
        f"select component_labels(graph) from ({graphs}) as graphs (number, graph) order by number"
    ).fetchall()
    labelled = [row and sorted((node["node_key"], node["label"]) for node in row) for (row,) in found]
    assert labelled == [[(1, 1), (2, 1), (3, 1)], None, [(8, 8), (9, 8)], []]


def test_no_nulls_finds_each_row_that_lacks_a_value(connection: duckdb.DuckDBPyConnection) -> None:
    """Whichever of the columns it is; other columns may be empty."""
    rows = "(values (1, 1, null), (null, 2, 2), (3, null, 3)) as told(one, other, third)"
    assert connection.execute(data_test("no_nulls")(rows, ["one", "other"])).fetchall() == [(None, 2), (3, None)]


amounts = st.decimals(Decimal("-1e16"), Decimal("1e16"), places=15)


@given(dividend=amounts, divisor=st.integers(1, 10**6))
def test_a_quotient_is_exact_to_15_digits(
    connection: duckdb.DuckDBPyConnection, dividend: Decimal, divisor: int
) -> None:
    """Whatever its size, half away from zero."""
    sql = f"select {QUOTIENT} from (select $dividend::decimal(38, 15) as dividend, $divisor::bigint as divisor)"
    with localcontext(prec=60):
        expected = (dividend / divisor).quantize(Decimal("1e-15"), ROUND_HALF_UP)
    found = connection.execute(sql, {"dividend": f"{dividend:f}", "divisor": divisor}).fetchall()
    assert found == [(expected,)]


@given(st.decimals(0, Decimal("1e14"), places=9), st.decimals(Decimal("1e-9"), Decimal("1e14"), places=9))
def test_a_ratio_is_exact_to_12_digits(connection: duckdb.DuckDBPyConnection, one: Decimal, other: Decimal) -> None:
    """Of any part of any whole; a whole of nothing has none."""
    part, whole = sorted((one, other))
    sql = f"select {RATIO} from (select $part::decimal(38, 15) as part, $whole::decimal(38, 15) as whole)"
    with localcontext(prec=60):
        expected = (part / whole).quantize(Decimal("1e-12"), ROUND_DOWN)
    assert connection.execute(sql, {"part": f"{part:f}", "whole": f"{whole:f}"}).fetchall() == [(expected,)]
    assert connection.execute(sql, {"part": "0", "whole": "0"}).fetchall() == [(None,)]


@given(
    amount=st.decimals(Decimal("-1e14"), Decimal("1e14"), places=15),
    rate=st.decimals(Decimal("1e-12"), Decimal("99999999.999999999999"), places=12),
)
def test_an_amount_in_the_reporting_currency_is_exact_to_15_digits(
    connection: duckdb.DuckDBPyConnection, amount: Decimal, rate: Decimal
) -> None:
    """Whatever its size and rate, half away from zero."""
    sql = f"select {REPORTED} from (select $amount::decimal(38, 15) as amount, $rate::decimal(20, 12) as rate)"
    with localcontext(prec=80):
        expected = (amount * rate).quantize(Decimal("1e-15"), ROUND_HALF_UP)
    found = connection.execute(sql, {"amount": f"{amount:f}", "rate": f"{rate:f}"}).fetchall()
    assert found == [(expected,)]


@given(st.text(max_size=40).filter(lambda name: "\0" not in name))
def test_uuid5_and_key_are_those_of_python(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """The UUID of any text, and the integer that stands for it, are the same in SQL and Python."""
    name = name.encode("utf-8", "ignore").decode()
    found = connection.execute(f"select {UUID_AND_KEY}", {"name": name}).fetchall()
    assert found == [(str(uuid5(name)), key_of(uuid5(name)))]


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone.utc)))  # noqa: DTZ001
def test_times_as_text_and_number_are_those_of_python(connection: duckdb.DuckDBPyConnection, moment: datetime) -> None:
    """What stays and sessions are named after."""
    sql = f"select {TEXT_AND_MICROS} from (select $moment::timestamptz as moment)"
    micros = (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(microseconds=1)
    found = connection.execute(sql, {"moment": moment}).fetchall()
    assert found == [(moment.isoformat(timespec="microseconds"), micros)]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" Sissi@Sales.example ", "sissi@sales.example"),
        ("back\\slash@x.example", "back\\slash@x.example"),
        ("two words@x.example", None),
        ("a@b@x.example", None),
        ("nobody", None),
    ],
)
def test_an_address_has_one_at_and_no_blanks(
    connection: duckdb.DuckDBPyConnection, text: str, address: str | None
) -> None:
    """Whatever its letters."""
    assert connection.execute(f"select {ADDRESS}", {"text": text}).fetchall() == [(address,)]
