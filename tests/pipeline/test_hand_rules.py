"""Adding links and cuts to identity.yml."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from models.errors import UsageError
from models.identity import IdentityRules, hashed
from pipeline.hand_rules import add_hand_rule
from pipeline.project import Project, find_project, init_project

ADDED = '- cut: ["user_id:1", "user_id:2"]\n  reason: "two: people"\n'
TWINS = "  # twins\n  - link: ['user_id:8', 'user_id:9']  # so\n    reason: 'x'  # why\n"
#: A file, and the same with the cut of user 1 and user 2.
FILES = {
    "nothing": ("", f"hand:\n{ADDED}"),
    "only a comment, no line end": ("# ours", f"# ours\nhand:\n{ADDED}"),
    "another key": ("hub_threshold: 3  # few\n", f"hub_threshold: 3  # few\nhand:\n{ADDED}"),
    "an empty list": ("hand: []  # none yet\nhub_threshold: 3\n", f"hand:  # none yet\n{ADDED}hub_threshold: 3\n"),
    "a list, with comments": (
        f"hand:\n{TWINS}\n# end\nhub_threshold: 3\n",
        (f'hand:\n{TWINS}  - cut: ["user_id:1", "user_id:2"]\n    reason: "two: people"\n\n# end\nhub_threshold: 3\n'),
    ),
    "a list whose text goes on": (
        (
            "hand:\n- reason: |\n    two\n    lines\n  link: ['user_id:8', 'user_id:9']\n- link:\n  - 'user_id:7'\n"
            "  - 'user_id:6'\n  reason: >-\n    long\n    text"
        ),
        (
            "hand:\n- reason: |\n    two\n    lines\n  link: ['user_id:8', 'user_id:9']\n- link:\n  - 'user_id:7'\n"
            f"  - 'user_id:6'\n  reason: >-\n    long\n    text\n{ADDED}"
        ),
    ),
    "a text block, then a key": (
        "hand:\n- link: ['user_id:8', 'user_id:9']\n  reason: |\n    text\nhub_threshold: 3\n",
        f"hand:\n- link: ['user_id:8', 'user_id:9']\n  reason: |\n    text\n{ADDED}hub_threshold: 3\n",
    ),
    "a list in brackets": (
        "hand: [{link: ['user_id:8', 'user_id:9'], reason: x}] # end\n",
        (
            "hand: [{link: ['user_id:8', 'user_id:9'], reason: x}, "
            '{cut: ["user_id:1", "user_id:2"], reason: "two: people"}] # end\n'
        ),
    ),
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A new project."""
    init_project(tmp_path)
    return find_project(tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_a_rule_is_added_and_all_else_is_kept(name: str, project: Project) -> None:
    """Comments, order and quotes stay as they were, wherever the list stands."""
    before, after = FILES[name]
    path = project.definitions_folder / "identity.yml"
    path.write_text(before)
    known = project.definitions().identity
    add_hand_rule(project, "cut", ("user_id: 1", "user_id:2"), reason="two: people")
    assert path.read_text() == after
    now = project.definitions().identity
    assert now.hand[:-1] == known.hand
    assert now.hand[-1].cut == ("user_id:1", "user_id:2")
    assert now.model_copy(update={"hand": ()}) == known.model_copy(update={"hand": ()})


def test_lines_end_as_they_did(project: Project) -> None:
    """Also where they end as on Windows."""
    path = project.definitions_folder / "identity.yml"
    path.write_bytes(b"hand: []  # none\r\nhub_threshold: 3\r\n")
    add_hand_rule(project, "cut", ("user_id:1", "user_id:2"), reason="two: people")
    whole = f"hand:  # none\n{ADDED}hub_threshold: 3\n"
    assert path.read_bytes().decode() == whole.replace("\n", "\r\n")


def test_a_file_that_is_no_text_is_refused(project: Project) -> None:
    """As a build refuses it, and it stays as it is."""
    path = project.definitions_folder / "identity.yml"
    path.write_bytes(b"hand: []\n\xff")
    with pytest.raises(UsageError, match="identity.yml: not UTF-8 at byte 9"):
        add_hand_rule(project, "cut", ("user_id:1", "user_id:2"), reason="two: people")
    assert path.read_bytes() == b"hand: []\n\xff"


def test_rules_can_be_added_one_after_the_other(project: Project) -> None:
    """From no file at all; odd texts come back as they were said."""
    reason = 'quote " colon: hash # backslash \\ \x01 é \N{SNOWMAN}'
    add_hand_rule(project, "link", ("email:Ada@Example.com", "custom:crm:4:7"), reason=reason, author="ops: me")
    add_hand_rule(project, "cut", ("user_id:1", "user_id:2"), reason="x")
    rules: IdentityRules = project.definitions().identity
    assert [(rule.link, rule.cut, rule.reason, rule.author) for rule in rules.hand] == [
        (("email:ada@example.com", "custom:crm:4:7"), None, reason, "ops: me"),
        (None, ("user_id:1", "user_id:2"), "x", None),
    ]


def test_a_rule_may_name_nobody(project: Project) -> None:
    """By alias it is the same rule, and says when it was decided."""
    at = datetime(2026, 6, 1, 10, tzinfo=timezone.utc)
    pair = ("email:ada@example.com", "user_id:1")
    added = add_hand_rule(project, "link", pair, reason="she said so", decided_at=at, by_alias=True)
    assert "ada" not in (project.definitions_folder / "identity.yml").read_text()
    [rule] = project.definitions().identity.hand
    assert rule.pair == added.pair == tuple(map(hashed, pair))
    assert rule.decided_at == at
    with pytest.raises(UsageError, match="that link is there already: she said so"):
        add_hand_rule(project, "link", pair, reason="again")


@pytest.mark.parametrize(
    ("kind", "pair", "message"),
    [
        ("cut", ("user_id:2", "user_id:1"), "that cut is there already: apart"),
        ("link", ("user_id:1", "user_id:2"), "user_id:1 and user_id:2 are both linked and cut"),
        ("cut", ("user_id:5", "user_id:7"), "user_id:5 and user_id:7 are both linked and cut"),
        ("link", ("user_id:1", "user_id:1"), "is given twice"),
        ("link", ("ada", "user_id:1"), "'ada' is no type of identifier"),
    ],
)
def test_a_contradiction_changes_nothing(kind: str, pair: tuple[str, str], message: str, project: Project) -> None:
    """The file is left as it is when a rule is refused."""
    path = project.definitions_folder / "identity.yml"
    path.write_text(
        "hand:\n- {cut: ['user_id:1', 'user_id:2'], reason: apart}\n"
        "- {link: ['user_id:5', 'user_id:6'], reason: one}\n- {link: ['user_id:7', 'user_id:6'], reason: one}\n"
    )
    before = path.read_text()
    with pytest.raises(UsageError, match=message):
        add_hand_rule(project, kind, pair, reason="y")  # type: ignore[arg-type]
    assert path.read_text() == before


def test_a_project_without_definitions_gets_no_rule(tmp_path: Path) -> None:
    """The rules that we ship are not the user's to change."""
    with pytest.raises(UsageError, match="no folder of definitions"):
        add_hand_rule(find_project(tmp_path), "cut", ("user_id:1", "user_id:2"), reason="x")
