"""Definitions and settings: files that mean what they say, mistakes with their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import UsageError
from pipeline.origin import definition_hashes
from pipeline.project import STARTER, find_project, init_project
from warehouse.definitions import load_definitions
from warehouse.settings import load_settings
from warehouse.yaml_file import read_yaml


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: no\nb: 'x'\n", {"a": "no", "b": "x"}),
        ("a: 1e3\nb: 010\nc: 1_000\n", {"a": "1e3", "b": "010", "c": "1_000"}),
        ("a: true\nb: null\nc: -3\nd: 1.5\n", {"a": True, "b": None, "c": -3, "d": 1.5}),
        ("2026: x\n", {"2026": "x"}),
        ("a: 2026-01-01\n", {"a": "2026-01-01"}),
        ("", None),
    ],
)
def test_yaml_means_what_it_says(tmp_path: Path, text: str, expected: object) -> None:
    """No YAML 1.1 surprises: 'no' is a word, 010 is not eight, a date stays text."""
    assert read_yaml(write(tmp_path / "x.yml", text)) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: &x [1]\nb: *x\n", "line 1: anchors and aliases"),
        ("a: !!python/object:os.system x\n", "line 1: could not determine a constructor"),
        ("a: 1\na: 2\n", "line 2: 'a' stands here twice"),
        ("a:\n\t- 1\n", "line 2: found character"),
        ("a: [1\n", "expected ',' or ']'"),
        ("[" * 40 + "]" * 40, "nested deeper than 32"),
        ("a: " + "9" * 30 + "\n", "more than 20 digits"),
        ("a: b: c\n", "line 1: mapping values are not allowed here"),
    ],
)
def test_yaml_that_is_refused_says_where(tmp_path: Path, text: str, reason: str) -> None:
    """File, line and reason, in one line."""
    with pytest.raises(UsageError) as refusal:
        read_yaml(write(tmp_path / "x.yml", text))
    message = str(refusal.value)
    assert reason in message
    assert message.startswith(str(tmp_path / "x.yml"))
    assert "\n" not in message


def test_yaml_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    """Latin-1 would be read as other letters."""
    (tmp_path / "x.yml").write_bytes(b"a: \xe9\n")
    with pytest.raises(UsageError, match="not UTF-8 at byte 3"):
        read_yaml(tmp_path / "x.yml")


def test_the_starter_definitions_are_valid() -> None:
    """What gdp init writes can be built at once."""
    definitions = load_definitions(STARTER / "definitions")
    assert [segment.segment_id for segment in definitions.segments] == [
        *("active_creators", "churn_risk", "inviters", "power_users", "trial_to_paid"),
    ]
    assert definitions.catalog.events["video_rendered"].category == "core_value"


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("events.yml", "evnts: {}\n", "unknown key 'evnts' (did you mean 'events'?)"),
        ("events.yml", "events: {x: {categroy: core_value}}\n", "category: is missing"),
        ("events.yml", "events: {x: {category: fun}}\n", "events.x.category: give 'acquisition'"),
        ("events.yml", "events: {A: {category: referral}, a: {category: referral}}\n", "'a' is listed twice"),
        ("events.yml", "- 1\n", "events.yml: give keys with values (given: [1])"),
        ("events.yml", "[]\n", "events.yml: give keys with values (given: [])"),
        ("identity.yml", "false\n", "identity.yml: give keys with values (given: False)"),
        ("segments/a.yml", "name: A\nrules: [{eventTyp: x, condition: event}]\n", "unknown key 'rules.0.eventTyp'"),
        ("segments/a.yml", "name: A\n", "rules: is missing"),
        ("segments/a.yml", "", "a.yml: give keys with values (given: None)"),
        ("segments/a.yml", "name: ''\nrules: [{eventType: x}]\n", "a.yml: give the segment a name, of which its id"),
        ("segments/a.yml", "rules: [{eventType: x}]\n", "a.yml: give the segment a name, of which its id is made"),
        ("segments/a.yml", "name: 5\nsegmentId: a\nrules: [{eventType: x}]\n", "name: give a text (given: 5)"),
        ("segments/a.yml", "name: ''\nsegmentId: a\nrules: [{eventType: x}]\n", "name: is empty (given: '')"),
        ("segments/a.yml", "name: A\nsegmentId: A b\nrules: [{eventType: x}]\n", "segmentId: give small letters"),
        ("segments/a.yml", "name: A\nrules: []\n", "rules: give at least 1 (given: [])"),
        ("segments/a.yml", "name: A\nrules: x\n", "rules: give a list (given: 'x')"),
        ("segments/a.yml", "name: A\nrules: [x]\n", "rules.0: give keys with values (given: 'x')"),
        ("segments/a.yml", "name: A\nrules: [{eventType: 5}]\n", "rules.0.eventType: give a text or a list (given: 5)"),
        ("segments/a.yml", "name: A\nrules: [{eventType: [x, 5]}]\n", "rules.0.eventType.1: give a text (given: 5)"),
        (
            "segments/a.yml",
            "name: A\nrules: [{eventType: x, eventWindow: 1m}]\n",
            "rules.0.eventWindow: give a length such as 24h, 7d or 2w (given: '1m')",
        ),
        (
            "segments/a.yml",
            "name: A\nrules: [{eventType: x, eventCount: {gte: many}}]\n",
            "rules.0.eventCount.gte: give a whole number (given: 'many')",
        ),
        (
            "segments/a.yml",
            "name: A\nrules: [{eventType: x, eventCount: {}}]\n",
            "eventCount: a count needs gte, lte or both",
        ),
        ("segments/a.yml", "name: A\norder: x\nrules: [{eventType: x}]\n", "order: give a whole number (given: 'x')"),
        (
            "segments/a.yml",
            "name: A\ncreatedAt: 2026-01-01\nrules: [{eventType: x}]\n",
            "createdAt: give a time with a zone, such as 2026-01-31T12:00:00Z (given: '2026-01-01')",
        ),
        ("events.yml", "events: {x: {category: referral, isAction: maybe}}\n", "isAction: give true or false (given"),
        ("segments/a.txt", "select 1\n", "not read: a segment is a file right here, named .yml, .yaml, .json, .sql"),
        ("segments/more/a.yml", "name: A\n", "not read: a segment is a file"),
        ("events.yaml", "events: {}\n", "not read: the file is called events.yml"),
        ("identity.yaml", "hand: []\n", "not read: the file is called identity.yml"),
    ],
)
def test_a_wrong_definition_is_named_with_its_place(tmp_path: Path, file: str, text: str, reason: str) -> None:
    """File, key, and what would be accepted."""
    write(tmp_path / file, text)
    with pytest.raises(UsageError) as refusal:
        load_definitions(tmp_path)
    assert reason in str(refusal.value)
    assert str(tmp_path / file.replace("/more/a.yml", "/more")) in str(refusal.value)


@pytest.mark.parametrize("suffix", [".yml", ".yaml", ".json"])
@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("{name: Same, %s}", "{name: Same, %s}", "segment 'same' is already defined in"),
        ("{name: A, order: 7, %s}", "{name: B, order: 7, %s}", "order 7 is already that of"),
    ],
)
def test_segments_that_cannot_stand_side_by_side_are_refused(
    tmp_path: Path, suffix: str, first: str, second: str, reason: str
) -> None:
    """The second of one id would silently win; with one order nobody says whose a person is."""
    one = write(tmp_path / "segments" / "a.yml", first % "rules: [{eventType: x}]")
    two = write(tmp_path / "segments" / f"b{suffix}", second % "rules: [{eventType: x}]")
    with pytest.raises(UsageError) as refusal:
        load_definitions(tmp_path)
    assert str(refusal.value).startswith(f"{two}: {reason} {one}")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("name: A\n\nrules:\n  - eventType: x\n    eventWindow: 1m\n", 5, "rules.0.eventWindow: give a length"),
        ("name: A\nrules:\n  - event_type: x\n    event_window: 1m\n", 4, "rules.0.event_window: give a length"),
        ("name: A\nrules:\n  - eventType: x\n  - eventTyp: y\n", 4, "unknown key 'eventTyp' (did you mean"),
        ("name: A\nrules:\n  - any:\n      - not: {eventType: [x,\n        5]}\n", 5, "give a text (given: 5)"),
        ("name: A\nrules:\n  property: plan\n", 2, "rules: give a list"),
        ("name: A\nrules: [\n  {sequence: [{eventType: x},\n  y], within: 1d}]\n", 4, "give keys with values"),
        ("- {name: A, rules: [{eventType: x}]}\n- name: B\n", 2, "item 2 line 2: rules: is missing"),
        ("- {name: A, rules: [{eventType: x}]}\n- x\n", 2, "item 2 line 2: give keys with values (given: 'x')"),
        ('[{"name": "A",\n  "rules": [\n    {"eventType": 5}]}]', 3, "item 1 line 3: rules.0.eventType: give a text"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    """Of a wrong shape, too; in either spelling, in lists and in JSON."""
    write(tmp_path / "segments" / "a.yml", text)
    with pytest.raises(UsageError) as refusal:
        load_definitions(tmp_path)
    assert f"line {line}: " in str(refusal.value)
    assert reason in str(refusal.value)


def test_segments_without_an_order_and_files_that_are_no_definitions_do_no_harm(tmp_path: Path) -> None:
    """Only an order that was given can be given twice; editors' files and notes are left alone."""
    for name in ("a", "b"):
        write(tmp_path / "segments" / f"{name}.yml", f"name: {name}\nrules: [{{eventType: x}}]\n")
    for name in (".a.yml.swp", "a.yml~", "README.md"):
        write(tmp_path / "segments" / name, "nothing")
    assert [segment.segment_id for segment in load_definitions(tmp_path).segments] == ["a", "b"]


def test_a_cohort_that_is_not_there_is_named_with_the_file_that_asks_for_it(tmp_path: Path) -> None:
    """A segment may be one of many in the folder."""
    file = write(tmp_path / "segments" / "a.yml", "name: A\nrules: [{cohortId: x}]\n")
    with pytest.raises(UsageError) as refusal:
        load_definitions(tmp_path)
    assert str(refusal.value).startswith(f"{file} line 2: cohort 'x' is neither a segment nor")


def test_a_segment_changes_with_those_that_it_asks_for(tmp_path: Path) -> None:
    """Its stays follow from theirs."""
    file = write(tmp_path / "segments" / "a.yml", "name: A\nrules: [{eventType: x}]\n")
    write(tmp_path / "segments" / "b.yml", "name: B\nrules: [{not: {cohortId: a}}]\n")
    before = definition_hashes(load_definitions(tmp_path))
    file.write_text("name: A\nrules: [{eventType: y}]\n")
    after = definition_hashes(load_definitions(tmp_path))
    assert {name for name in before if before[name] != after[name]} == {"segment:a", "segment:b"}


def test_a_definition_written_otherwise_has_the_same_hash(tmp_path: Path) -> None:
    """Comments and key order are not a change that would rebuild a segment."""
    one = write(tmp_path / "one" / "segments" / "a.yml", "name: A\nrules: [{eventType: x, eventWindow: 7d}]\n")
    two = write(
        tmp_path / "two" / "segments" / "b.yml",
        "# why\nrules:\n  - {event_window: 7d, event_type: x, condition: event}\nname: A\n",
    )
    first, second = (load_definitions(path.parents[1]) for path in (one, two))
    assert definition_hashes(first) == definition_hashes(second)


def test_flags_win_over_the_environment_and_the_environment_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """defaults < gdp.toml < environment < flags."""
    file = write(tmp_path / "gdp.toml", 'tz = "Europe/Berlin"\nthreads = 2\nkeep_generations = 5\n')
    monkeypatch.setenv("GDP_THREADS", "3")
    monkeypatch.setenv("GDP_KEEP_GENERATIONS", "7")
    settings = load_settings(file, {"keep_generations": 9})
    assert (settings.tz, settings.threads, settings.keep_generations) == ("Europe/Berlin", 3, 9)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("tz = 'Mars/Olympus'\n", "is not an IANA time zone"),
        ("threads = -1\n", "threads: give 0 or more (given: -1)"),
        ("memory_limit = 'lots'\n", "memory_limit: give a size such as 500MB or 4GB (given: 'lots')"),
        ("keep_generation = 3\n", "unknown key 'keep_generation' (did you mean 'keep_generations'?)"),
        ("threads = true\n", "threads: give a whole number (given: True)"),
        ("threads = '2'\n", "threads: give a whole number (given: '2')"),
        ("home = 3\n", "home: give a text in quotes (given: 3)"),
        ("threads 3\n", "not TOML"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, reason: str) -> None:
    """The file and the key, in one line."""
    file = write(tmp_path / "gdp.toml", text)
    with pytest.raises(UsageError) as refusal:
        load_settings(file, {})
    assert reason in str(refusal.value)
    assert str(file) in str(refusal.value)


def test_a_wrong_environment_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nobody looks for the mistake in the file."""
    monkeypatch.setenv("GDP_THREADS", "many")
    with pytest.raises(UsageError, match=r"^\$GDP_THREADS: threads"):
        load_settings(None, {})


def test_a_project_is_found_from_a_folder_below_it(tmp_path: Path) -> None:
    """Like git: the nearest gdp.toml at or above."""
    init_project(tmp_path / "p")
    below = tmp_path / "p" / "definitions" / "segments"
    project = find_project(below)
    assert project.folder == tmp_path / "p"
    assert project.home.root == tmp_path / "p" / "data" / "home"
    assert project.definitions_folder == tmp_path / "p" / "definitions"


def test_without_a_project_the_shipped_definitions_serve(tmp_path: Path) -> None:
    """One command on a log file must work before anything is configured."""
    project = find_project(tmp_path)
    assert (project.file, project.definitions_folder) == (None, STARTER / "definitions")


def test_init_touches_nothing_that_exists(tmp_path: Path) -> None:
    """A second init is refused; a file that was there stays."""
    kept = write(tmp_path / "definitions" / "events.yml", "events: {}\n")
    written = init_project(tmp_path)
    assert kept not in written
    assert kept.read_text() == "events: {}\n"
    with pytest.raises(UsageError, match="there is a project already"):
        init_project(tmp_path)
