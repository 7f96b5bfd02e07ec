"""Queries of segments: what they may be, and that nothing else gets through."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import UsageError
from warehouse.segment_files import read_segments
from warehouse.segment_sql import PRESENT, TIMELESS, segment_sql, table_columns

GOOD = {
    "select person_key, min(occurred_at) as entered_at, null as exited_at from event group by 1;\n-- end": True,
    "select person_key, valid_from as entered_at, valid_to as exited_at from person_property where value = '{{'": True,
    "with event as (select * from event where is_action) select distinct person_key from event": False,
    "select person_id from person where total_events > 3 union select person_id from identity_link": False,
    "select person_key from event, unnest([1, 2]) as two(n), range(3) where properties->>'$.plan' = 'pro'": False,
    "with recursive n as (select 1 as i union all select i + 1 from n where i < 3)"
    " select person_key from event where extract(year from occurred_at) > (select max(i) from n)": False,
}


@pytest.mark.parametrize(("sql", "has_history"), GOOD.items())
def test_a_query_on_the_tables_is_a_segment(sql: str, has_history: bool) -> None:
    """With a past if it says since when."""
    assert segment_sql(sql).has_history == has_history


#: What somebody could try, and the word that the refusal has to have.
HOSTILE = {
    **dict.fromkeys(
        (
            "drop table event",
            "copy (select 1) to '/tmp/x'",
            "attach 'x' as y",
            "use prev",
            "set threads = 1",
            "pragma version",
            "install httpfs",
            "load httpfs",
            "call pragma_version()",
            "create view x as select 1",
            "insert into event select 1",
            "update event set source = 1",
            "delete from event",
            "export database '/tmp/x'",
            "checkpoint",
            "begin",
            "prepare x as select 1",
            "execute x",
            "explain select 1",
            "select person_id from person; drop table person",
            "select 1; select 2",
            "with x as (insert into event values (1) returning 1) select person_id from x",
        ),
        "one SELECT",
    ),
    **dict.fromkeys(
        (
            "select person_id from read_csv('/etc/passwd')",
            "from read_text('/etc/passwd') select content as person_id",
            "select (select content from read_blob('/etc/passwd')) as person_id",
            "select person_id from person where exists (select * from glob('/*'))",
            "select person_id from query('select 1')",
            "select person_id from query_table('person')",
            "select person_id from duckdb_settings()",
            "select person_id from person order by (select max(x) from parquet_scan('x') as t(x))",
            "select person_id from json_execute_serialized_sql('x')",
            "select person_id from sniff_csv('/etc/passwd')",
            "select person_id from (show tables)",
            "select person_id from (describe person)",
        ),
        "a query reads tables",
    ),
    **dict.fromkeys(
        (
            "select person_id from '/etc/passwd'",
            "select person_id from 'x.parquet'",
            "select person_id from 'https://example.com/x.csv'",
            "select person_id from prev.main.event",
            "select person_id from intermediate.int_person__stat",
            "select person_id from information_schema.tables",
            "select person_id from pg_catalog.pg_class",
            "select person_id from segment_stay",
            "select person_id from persn",
            "select person_id from person at (version => 1)",
        ),
        "no table",
    ),
    **dict.fromkeys(
        (
            "select getenv('HOME') as person_id",
            "select current_setting('home_directory') as person_id",
            "select version() as person_id",
            "select uuid()::varchar as person_id",
            "select random()::varchar as person_id",
            "select nextval('s')::varchar as person_id",
            "select write_log('x') as person_id",
            "select getvariable('x') as person_id",
            "select error('x') as person_id",
            "select sleep_ms(1000) as person_id",
            "select json_deserialize_sql('x') as person_id",
            "select decide_edges([], [], 'x') as person_id",
            "select txid_current()::varchar as person_id",
            "select pg_sleep(3) as person_id",
        ),
        "no function",
    ),
    **dict.fromkeys(
        (
            "select person_id from person where created_at < now()",
            "select person_id from person where created_at < current_date",
            "select person_id from person where created_at < CURRENT_TIMESTAMP",
            "select person_id from person where created_at < today()",
        ),
        "the clock is not read",
    ),
    "select current_user as person_id": "the same whoever asks",
    "select main.lower('x') as person_id": "of no schema",
    "select person_id from person tablesample 10%": "another one each time",
    "select person_id from person using sample 3": "another one each time",
    "select person_id from person where email = $x": "no parameters",
    "select person_id from person where email = ?": "no parameters",
    "select person_id from event_e{{ ref('x') }}": 'syntax error at or near "{"',
    "select\nperson_id\nfrom person where lowr(email) = 'x'": "line 3: no function lowr in a segment (did you mean",
    "select\nperson_id, persn_id from person": 'line 2: Referenced column "persn_id" not found',
    "select segment as person_id from person": 'Referenced column "segment" not found',
    "select person_id, email from person": "it gives the columns person_id, email",
    "select person_id, person_id from person": "it gives the columns",
    "select person_id, person_key from person": "it gives the columns",
    "select person_key, occurred_at as entered_at from event": "it gives the columns person_key, entered_at;",
    "values ('x')": "it gives the columns col0",
    "select person_key, occurred_at::timestamp as entered_at, null as exited_at from event": "a time with a zone",
    "select person_id as person_key from person": "person_key is VARCHAR",
    "select person_id, created_at as entered_at, null as exited_at from person": "no past can be made of it",
    "": "one SELECT",
    "select 'a\x00' as person_id": "NUL",
    "select person_id from person --" + "x" * 100_000: "more than 100,000",
    "select person_id from person where " + "(" * 5000 + "true" + ")" * 5000: "",
}


@pytest.mark.parametrize(("sql", "says"), HOSTILE.items(), ids=range(len(HOSTILE)))
def test_whatever_else_a_query_does_is_refused(sql: str, says: str) -> None:
    """In one line, before any table is read."""
    with pytest.raises(UsageError) as refusal:
        segment_sql(sql)
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_tables_of_a_query_are_those_of_the_warehouse() -> None:
    """With the columns of their contracts; a person's segment would ask for itself."""
    columns = table_columns()
    assert set(columns) == {*TIMELESS, *PRESENT}
    assert columns["event"]["occurred_at"] == "timestamptz"
    assert "segment" not in columns["person"]


def test_a_file_of_sql_says_how_it_is_called(tmp_path: Path) -> None:
    """In comments above the query; without them it is called like the file."""
    query = "select person_id from person\n"
    (tmp_path / "first_one.sql").write_text(query)
    (tmp_path / "second.sql").write_text(
        f"-- name: The second\n-- description: of two: yes\n-- order: 7\n-- note: nothing\n{query}"
    )
    found = {one.segment_id: one for one in read_segments(tmp_path).definitions}
    assert {(one.name, one.description, one.order) for one in found.values()} == {
        ("first_one", None, 100),
        ("The second", "of two: yes", 7),
    }
    assert set(found) == {"first_one", "the_second"}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"a.sql": "-- name: A\n\nselect persn_id\nfrom person"}, 'a.sql line 3: Referenced column "persn_id"'),
        ({"a.sql": "-- name: A\n-- name: B\nselect person_id from person"}, "a.sql line 2: 'name' stands here twice"),
        ({"a.sql": "-- order: x\nselect person_id from person"}, "a.sql: order: give a whole number (given: 'x')"),
        ({"a.yml": "name: A\nsql: select 1\nrules: [{eventType: x}]\n"}, "a.yml: it has rules and sql; give one"),
        ({"a.yml": "name: A\nsql: select 1\n"}, "a.yml: it gives the columns 1;"),
        (
            {"a.sql": "select person_id from person", "b.yml": "name: B\nrules:\n  - cohortId: a\n"},
            "b.yml line 3: segment 'a' has no past, so no rule can ask for it",
        ),
    ],
)
def test_a_mistake_is_named_with_file_and_line(tmp_path: Path, files: dict[str, str], says: str) -> None:
    """As of segments in YAML."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (problem,) = read_segments(tmp_path).problems
    assert says in str(problem.error)
