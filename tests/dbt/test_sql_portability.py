"""The project's SQL answers alike on DuckDB and Spark: what they disagree on stands in a dispatch macro."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent / "dbt_project"
LONGEST_LINE = 88
#: About two screens; a model that needs more is two models.
LONGEST_MODEL = 110

#: Where engines are told apart; what a build generates is checked by the tests of the compiler.
_ENGINE_FORMS = ("macros/dispatch", "macros/generated", "models/accelerate")

#: What is refused, a pattern that finds it, and an example that it must find.
BANNED = [
    ("date difference", r"\b(date_?diff|date_sub|date_add|datesub|timestampdiff)\s*\(", "date_diff('day', a, b)"),
    ("day of week", r"\b(dayofweek|isodow|weekday|dayname|dow)\b", "extract(isodow from day)"),
    ("epoch", r"\b(epoch\w*|to_timestamp|unix_\w+|make_timestamp\w*)\b", "epoch_us(day)"),
    ("JSON operator", r"->>?", "traits ->> 'plan'"),
    ("JSON function", r"\b(json_\w+|to_json|from_json|get_json_object)\s*\(", "json_extract_string(traits, '$.plan')"),
    ("ASOF join", r"\basof\b", "asof join price"),
    ("time format", r"\b(strftime|strptime|date_format|to_char)\s*\(", "strftime(day, '%Y')"),
    ("list", r"\b(list\w*|array\w*|unnest|explode|len|collect_\w+|map_\w+)\s*\(", "list(x order by y)"),
    ("list literal or index", r"(?<![\w\])'\"])\[|\w\[", "values[1]"),
    ("series", r"\b(generate_series|range|sequence)\s*\((?!partition)", "generate_series(1, 2)"),
    ("calendar interval", r"interval\s*'?\d*'?\s*(month|year|quarter)", "interval '1' month"),
    ("quoted unit", r"interval\s*'\d+\s+\w+'", "interval '7 days'"),
    ("ignore nulls", r"\bignore\s+nulls\b", "last_value(x ignore nulls)"),
    ("first and last", r"\b(first|last|arg_min|arg_max|mode)\s*\(", "first(x)"),
    ("UUID type", r"\buuid\b(?!\d)|\bgen_random_uuid\b", "cast(x as uuid)"),
    ("other types", r"\b(varchar|text|hugeint|ubigint|double precision|float8|int8)\b", "cast(x as varchar)"),
    ("cast operator", r"::", "x::bigint"),
    ("integer division", r"//", "a // b"),
    ("star with exceptions", r"\*\s*(exclude|replace|except)\b|\bcolumns\s*\(", "select * exclude (a)"),
    ("union by name", r"\bby\s+name\b", "union all by name"),
    ("pivot", r"\b(un)?pivot\b(?!_)", "pivot t on x"),
    ("time bucket", r"\btime_bucket\b", "time_bucket(interval '7' day, x)"),
    ("other quantiles", r"\b(quantile\w*|approx_\w+)\s*\(", "quantile_cont(x, 0.5)"),
    ("text aggregate", r"\b(string_agg|group_concat|listagg)\s*\(", "string_agg(x, ',')"),
    ("engine's hash", r"\b(hash|xxhash64|sha1|sha2|sha256|unhex|encode|decode)\s*\(", "hash(x)"),
    ("file", r"\b(read_parquet|read_csv|read_json|parquet\.)", "read_parquet('x')"),
    ("regular expression", r"\b(regexp_\w+|rlike|similar\s+to)\b|!?~", "regexp_matches(x, 'a')"),
    ("lambda", r"\blambda\b", "lambda x: x"),
    ("recursion", r"\bwith\s+recursive\b|\busing\s+key\b", "with recursive t as (select 1)"),
    ("distinct on", r"\bdistinct\s+on\b", "select distinct on (x) *"),
    ("one-letter alias", r"\bas\s+[a-z]\b(?!\w)", "from event as e"),
    ("one-letter alias without as", r"\b(?:from|join)\s+[\w.\"]+\s+[a-z]\b", "from event e"),
    ("sum that becomes HUGEINT", r"(?<!cast\()\bsum\s*\(", "select sum(events)"),
]


def _sql_files() -> list[Path]:
    files = [path for path in PROJECT.rglob("*.sql") if not {"target", "logs"} & set(path.relative_to(PROJECT).parts)]
    return sorted(path for path in files if not _is_engine_form(path))


def _is_engine_form(path: Path) -> bool:
    return path.relative_to(PROJECT).as_posix().startswith(_ENGINE_FORMS)


def _models() -> list[Path]:
    return sorted((PROJECT / "models").rglob("*.sql"))


def _name(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def _code(sql: str) -> str:
    """SQL without comments and without what stands in quotes or Jinja; interval lengths stay."""
    sql = re.sub(r"\{#.*?#\}", "", sql, flags=re.DOTALL)
    sql = re.sub(r"--[^\n]*", "", sql)
    sql = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "jinja", sql, flags=re.DOTALL)
    return re.sub(r"(?<!interval )'(?:[^']|'')*'", "''", sql).lower()


def _breaches(sql: str) -> list[str]:
    code = _code(sql)
    found = [f"{what}: {match[0]!r}" for what, pattern, _ in BANNED for match in [re.search(pattern, code)] if match]
    return found + [f"order without 'nulls last': {item!r}" for item in _loose_orders(code)]


def _loose_orders(code: str) -> list[str]:
    """The items of every order by that leave the place of nulls to the engine."""
    loose = []
    for match in re.finditer(r"\border\s+by\b", code):
        clause = _until_closed(code[match.end() :])
        clause = re.split(r"\b(?:rows|range|limit)\b", clause)[0]
        loose += [item.strip() for item in _split(clause) if not re.search(r"\bnulls\s+last\s*$", item.strip())]
    return loose


def _until_closed(text: str) -> str:
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            return text[:place]
    return text


def _split(clause: str) -> list[str]:
    parts, depth = [""], 0
    for sign in clause:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


@pytest.mark.parametrize("path", _sql_files(), ids=_name)
def test_only_what_both_engines_answer_alike(path: Path) -> None:
    """Models, data tests and shared macros hold none of the refused constructs."""
    assert _breaches(path.read_text()) == []


@pytest.mark.parametrize(("what", "example"), [(what, example) for what, _, example in BANNED])
def test_each_ban_bites(what: str, example: str) -> None:
    """A ban that could not fail would be none."""
    assert any(breach.startswith(what) for breach in _breaches(f"select {example} from tale"))


def test_an_order_says_where_nulls_go() -> None:
    """Engines disagree on it, and a limit then gives other rows."""
    assert _breaches("select 1 from tale order by day") == ["order without 'nulls last': 'day'"]
    assert _breaches("select max(x) over (partition by y order by f(a, b) nulls last, c desc) from tale") == [
        "order without 'nulls last': 'c desc'"
    ]


@pytest.mark.parametrize("path", _models(), ids=_name)
def test_a_model_reads_like_the_others(path: Path) -> None:
    """It says its grain, ends in a CTE by name, is short, and so are its lines."""
    text = path.read_text()
    lines = text.splitlines()
    assert re.match(r"-- Grain: one row\b.+", lines[0]), lines[0]
    assert re.search(r"\n\n(--[^\n]*\n)*select \* from \w+(\norder by\n[^;]+)?\n$", text), lines[-1]
    assert len(lines) <= LONGEST_MODEL
    assert [line for line in lines if len(line) > LONGEST_LINE or "\t" in line or line != line.rstrip()] == []
