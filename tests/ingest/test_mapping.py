"""Mappings as somebody writes them: what is meant is found, what cannot be meant is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ingest.fields import KINDS
from ingest.headers import SYNONYMS, UnmappableColumns, lay_out
from ingest.mapping import Mapping, load_mapping, our_name
from models.errors import UsageError

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs" / "mapping.md"


def from_file(path: Path, text: str, *pairs: str) -> Mapping:
    """The mapping of a file with this text."""
    path.write_text(text)
    return load_mapping([str(path), *pairs])


@pytest.mark.parametrize(
    ("given", "columns"),
    [
        (["user_id=customer"], {"user_id": "customer"}),
        (["userId=a, eventType = b ,timestamp=c"], {"user_id": "a", "event_type": "b", "occurred_at": "c"}),
        (["personId=a", "time=b"], {"user_id": "a", "occurred_at": "b"}),
        (["properties.Total=x=y"], {"properties.Total": "x=y"}),
        (["custom:crm=k,traits.plan=p"], {"custom:crm": "k", "traits.plan": "p"}),
    ],
)
def test_pairs(given: list[str], columns: dict[str, str]) -> None:
    """Our name first, in either spelling; theirs as it stands in the file."""
    assert load_mapping(given) == Mapping(columns=columns)


def test_pairs_add_to_a_file(tmp_path: Path) -> None:
    """A pair on the command line wins over the file's."""
    mapping = from_file(tmp_path / "map.yml", "columns: {user_id: a, event_type: b}\nsource: app", "user_id=c,time=d")
    assert mapping.columns == {"user_id": "c", "event_type": "b", "occurred_at": "d"}
    assert mapping.source == "app"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["usr_id=a"], "--map usr_id=a: 'usr_id' is no field of an event (did you mean 'user_id'"),
        (["user_id="], "--map 'user_id=': write ours=theirs, such as user_id=customer"),
        (["user_id=a,userId=b"], "--map userId=b: 'user_id' is given twice"),
        (["none.yml"], "none.yml: no such file"),
        (["a.yml", "b.yml"], "--map takes one file, not 2: a.yml, b.yml"),
    ],
)
def test_pairs_that_cannot_be_meant(given: list[str], message: str) -> None:
    """One line, with the nearest names."""
    with pytest.raises(UsageError) as refusal:
        load_mapping(given)
    assert str(refusal.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colums: {}", "unknown key 'colums' (did you mean 'columns'?)"),
        ("columns: {usr: a}", "columns: 'usr' is no field of an event (did you mean 'user_id'?"),
        ("columns: {user_id: a, userId: b}", "columns: 'user_id' is given twice"),
        ("columns: {user_id: a}\nconstants: {user_id: b}", "user_id stands in columns and in constants"),
        ("constants: {source: fax}", "constants: source is one of app, stripe, meta_pixel, segment, custom, not 'fax'"),
        ("constants: {timestamp: now}", "constants: occurred_at cannot be the same for all rows"),
        ("source: fax", "source: give 'app'"),
        ("source: app\ncolumns: {source: a}", "source stands in columns and by itself"),
        ("tz: Europe/Berln", "tz: 'Europe/Berln' is not an IANA time zone (did you mean 'Europe/Berlin'"),
        ("types: {a: float}", "types.a: give 'text', 'number', 'boolean', 'time' or 'json'"),
        ("delimiter: '§'", "delimiter: '§' cannot be one: a delimiter is an ASCII character, but no letter"),
        ("delimiter: '\"'", "delimiter: '\"' cannot be one"),
        ("delimiter: x", "delimiter: 'x' cannot be one"),
        ("time_format: '%Q'", "time_format: %Q is not among"),
        ("case: {event_type: []}", "case event_type: one or more lines"),
        ("case: {event_type: [{else: a}, {else: b}]}", "case event_type: one or more lines; else can only be the last"),
        ("case: {event_type: [{then: a}]}", "case.event_type.0: a line of a case is {when: …, then: …} or {else: …}"),
        (
            "case: {event_type: [{when: {column: a}, then: b}]}",
            "a condition has exactly one of equals, starts_with, ends_with, contains, in, is_null, gt, gte, lt, lte",
        ),
        ("case: {event_type: [{when: {column: a, begins: b}, then: c}]}", "unknown key"),
        ("case: {occurred_at: [{else: a}]}", "case occurred_at: a time, an object or an event id comes from a column"),
        ("- a", "give keys with values"),
        ("columns: {a: b", "line 1: "),
        ("columns: &x {}\nconstants: *x", "anchors and aliases are not used here"),
    ],
)
def test_files_that_cannot_be_meant(tmp_path: Path, text: str, message: str) -> None:
    """Where it stands, and what would be accepted; an empty file is an empty mapping."""
    with pytest.raises(UsageError) as refusal:
        from_file(tmp_path / "map.yml", text)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert from_file(tmp_path / "map.yml", "") == Mapping()


def test_what_the_mapping_says_goes_before_the_header() -> None:
    """null keeps a field from being guessed; a used column is not guessed again."""
    header = ["user", "event", "time", "email", "ip"]
    mapping = Mapping(columns={"user_id": "email", "ip_address": None})
    layout = lay_out(mapping, header)
    assert layout.columns == {"user_id": "email", "event_type": "event", "occurred_at": "time"}
    assert [name for name, _ in layout.properties] == ["user", "ip"]


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"columns": {"user_id": "usr"}}, "a column 'usr', which is not there (did you mean 'user'?)"),
        ({"properties": ["pln"]}, "a column 'pln', which is not there (did you mean 'plan'?)"),
        ({"types": {"seconds": "number"}}, "a column 'seconds', which is not there"),
        ({"case": {"event_type": [{"when": {"column": "x", "is_null": True}, "then": "a"}]}}, "a column 'x', which"),
        ({"columns": {"properties.plan": "user"}}, "two columns would become the property 'plan'"),
    ],
)
def test_a_mapping_that_does_not_fit_the_file(mapping: dict[str, Any], message: str) -> None:
    """Found before a row is read."""
    with pytest.raises(UnmappableColumns) as refusal:
        lay_out(Mapping.model_validate(mapping), ["user", "event", "time", "plan"])
    assert message in str(refusal.value)


def test_the_page_names_every_field_header_and_operator() -> None:
    """docs/mapping.md is complete."""
    page = DOCS.read_text()
    for field in KINDS:
        assert f"`{field}`" in page, field
    for tiers in SYNONYMS.values():
        for name in (name for tier in tiers for name in tier):
            assert f"`{name}`" in page, name
    for word in ("equals", "starts_with", "ends_with", "contains", "in", "is_null", "gt", "gte", "lt", "lte"):
        assert f"`{word}`" in page, word


def test_the_pages_examples_are_mappings(tmp_path: Path) -> None:
    """Every YAML block of the page and every shipped example can be loaded."""
    blocks = [block.partition("\n```")[0] for block in DOCS.read_text().split("```yaml\n")[1:]]
    assert blocks
    for number, block in enumerate(blocks):
        from_file(tmp_path / f"{number}.yml", block)
    assert load_mapping([str(ROOT / "docs" / "examples" / "online_retail.yml")]).source == "custom"


def test_every_field_can_be_mapped() -> None:
    """In both spellings."""
    for field in KINDS:
        head, *rest = field.split("_")
        assert our_name(field) == our_name(head + "".join(part.capitalize() for part in rest)) == field
