"""Identity rules as a definitions file says them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.errors import UsageError
from models.identity import HandRule, IdentityRules, hashed, identifier_id
from models.keys import email_sha256, identifier_uuid
from pipeline.identity_macros import identity_macros
from warehouse.definitions import load_definitions

ALIAS = hashed("email:a@b.c")
GENERATED = Path(__file__).parents[2] / "dbt_project" / "macros" / "generated" / "identity_rules.sql"


def test_nothing_said_means_the_usual_rules() -> None:
    """One user id per person, five of what people have several of, any number of devices."""
    rules = IdentityRules()
    assert rules.most == {"user_id": 1, "stripe_id": 5, "email": 5, "google_id": 5, "github_id": 5}
    assert ("*", "undefined") in rules.blocked_values


def test_what_is_said_is_added_to_the_usual_rules() -> None:
    """A limit replaces the usual one of its type, null lifts it; blocked values come on top."""
    rules = IdentityRules.model_validate(
        {
            "limits": {"email": 2, "github_id": None, "custom:crm": 1},
            "blocked": {"email": [" Info@Example.com"]},
            "hubThreshold": 3,
        }
    )
    assert rules.most == {"user_id": 1, "stripe_id": 5, "email": 2, "google_id": 5, "custom:crm": 1}
    assert ("email", "info@example.com") in rules.blocked_values
    assert ("*", "undefined") in rules.blocked_values


def test_a_hand_rule_names_two_identifiers() -> None:
    """Written as people write them, compared as landing does."""
    rules = IdentityRules.model_validate(
        {
            "hand": [
                {"link": ["email: Ada@Example.com", "custom:crm:a:b"], "reason": "she wrote to us"},
                {"cut": ["user_id:Ada", "device_id:d"], "reason": "a library"},
            ]
        }
    )
    assert [rule.pair for rule in rules.hand] == [
        ("email:ada@example.com", "custom:crm:a:b"),
        ("user_id:Ada", "device_id:d"),
    ]


def test_an_alias_names_an_identifier_that_the_file_does_not_hold() -> None:
    """Its UUID stands for it, of an e-mail and of its SHA-256 the same."""
    plain = HandRule(cut=("email: Ada@Example.com", "user_id:1"), reason="x")
    digest = email_sha256("ada@example.com")
    alias = HandRule(cut=(hashed("email:ada@example.com"), f"alias: {identifier_id('user_id:1')}"), reason="x")
    assert alias.keys == plain.keys
    assert alias.pair == (f"alias:{identifier_uuid('email_sha256', digest)}", hashed("user_id:1"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("limits: {mail: 3}", "'mail' is no type of identifier (did you mean 'email'?)"),
        ("limits: {email: 0}", "limits.email: give 1 or more"),
        ("limits: {'custom:': 1}", "'custom:' is no type of identifier"),
        ("hub_threshold: many", "hub_threshold: give a whole number"),
        ("blocked: {mail: [x]}", "'mail' is no type of identifier"),
        ("hand: [{link: [ada, 'user_id:1'], reason: x}]", "'ada' is no type of identifier"),
        ("hand: [{link: ['user_id:', 'user_id:1'], reason: x}]", "'user_id:' is no identifier; write type:value"),
        ("hand: [{link: ['user_id:1', ' user_id:2'], reason: x}]", "' user_id' is no type of identifier"),
        ("hand: [{link: ['user_id:1', 'user_id: 1'], reason: x}]", "'user_id:1' is given twice"),
        ("hand: [{reason: x}]", "either a link or a cut"),
        ("hand: [{link: ['alias:17', 'user_id:1'], reason: x}]", "'alias:17' is no alias; write alias: and the UUID"),
        (f"hand: [{{link: ['{hashed('user_id:1')}', 'user_id:1'], reason: x}}]", "'user_id:1' is given twice"),
        (
            f"hand: [{{link: ['user_id:1', 'email:a@b.c'], reason: x}}, {{cut: ['{ALIAS}', 'user_id:1'], reason: y}}]",
            "are both linked and cut",
        ),
        ("hand: [{link: ['user_id:1', 'user_id:2']}]", "hand.0.reason: is missing"),
        (
            "hand: [{link: ['user_id:1', 'email:a@b.c'], reason: x}, {cut: ['email:a@b.c', 'user_id:1'], reason: y}]",
            "email:a@b.c and user_id:1 are both linked and cut",
        ),
    ],
)
def test_a_rule_that_cannot_be_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    """With the file, the place and what would be accepted."""
    (tmp_path / "identity.yml").write_text(text)
    with pytest.raises(UsageError) as refusal:
        load_definitions(tmp_path)
    assert complaint in str(refusal.value)
    assert str(tmp_path / "identity.yml") in str(refusal.value)


@pytest.mark.parametrize("value", ["x' or true --", "{{ 1 }}", "{% x %}", "a\\b", "it's"])
def test_a_blocked_value_is_only_ever_a_text(value: str) -> None:
    """It reaches neither SQL nor Jinja as anything but itself."""
    body = identity_macros(IdentityRules.model_validate({"blocked": {"user_id": [value]}}))
    usual: Any = identity_macros(IdentityRules())
    assert body != usual
    assert value not in body


def test_the_shipped_project_has_the_usual_rules() -> None:
    """The macro file in the repository is what no definitions give."""
    assert GENERATED.read_text() == identity_macros(IdentityRules())
