"""Ids that are computed: the same everywhere, for ever."""

from __future__ import annotations

import uuid

import pytest

from models.keys import NAMESPACE, email_sha256, identifier_uuid, key_of, normalise_email, normalise_id


def test_the_namespace_never_changes() -> None:
    """Every id ever given out hangs on this constant."""
    assert str(NAMESPACE) == str(uuid.uuid5(uuid.NAMESPACE_URL, "growth-data-plane"))
    assert str(identifier_uuid("user_id", "user-1")) == str(uuid.uuid5(NAMESPACE, "user_id:user-1"))


def test_an_email_and_its_sha256_are_one_identifier() -> None:
    """Meta sends the hash, the application the address; both are the same mailbox."""
    assert identifier_uuid("email", " Ada@Example.com ") == identifier_uuid(
        "email_sha256", email_sha256("ada@example.com")
    )


def test_a_key_is_the_first_fifteen_digits() -> None:
    """The integer form keeps 60 bits, so it fits a signed 64-bit column."""
    assert key_of(uuid.UUID("0123456789abcdef0123456789abcdef")) == 0x0123456789ABCDE
    assert key_of(uuid.UUID(int=2**128 - 1)) < 2**63


@pytest.mark.parametrize(
    ("given", "expected"),
    [("  Aa ", "Aa"), ("cafe\u0301", "caf\u00e9"), ("\ufb01", "\ufb01"), ("A+tag@x", "A+tag@x")],
)
def test_an_identifier_keeps_its_case(given: str, expected: str) -> None:
    """Trimmed and composed (NFC), not folded: short ids that differ in case are different people."""
    assert normalise_id(given) == expected


def test_an_email_is_lower_cased_and_its_tag_kept() -> None:
    """Guessing that a+tag@ is a@ would join people."""
    assert normalise_email(" Ada+News@Example.COM ") == "ada+news@example.com"
