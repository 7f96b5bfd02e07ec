"""The fields of user_data, normalised and hashed."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import pytest

from ingest.metafields import HASHED, hashed, normalised
from models.keys import email_sha256

VECTORS = Path(__file__).parents[3] / "shared" / "data" / "meta_capi" / "normalization_vectors.csv"
#: The vectors' names of fields.
FIELDS = {
    "email": "em",
    "phone": "ph",
    "name": "fn",
    "gender": "ge",
    "dob": "db",
    "city": "ct",
    "state": "st",
    "zipCode": "zp",
    "country": "country",
    "externalID": "external_id",
    "externalId": "external_id",
}
SHA = hashlib.sha256(b"ada@example.com").hexdigest()
MD5 = hashlib.md5(b"ada@example.com").hexdigest()


@pytest.mark.skipif(not VECTORS.exists(), reason="the vectors of Meta's libraries are not beside the checkout")
@pytest.mark.parametrize("field", sorted(set(FIELDS.values())))
def test_meta_normalises_the_same(field: str) -> None:
    """Every vector of Meta's own libraries; an empty value and none at all are the same here."""
    with VECTORS.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if FIELDS[row["field"]] == field]
    found = {row["input"]: normalised(field, row["input"]) for row in rows}
    assert found == {row["input"]: row["expected"] or None for row in rows}
    assert len(rows) >= 18


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("em", " Ada@Example.COM ", "ada@example.com"),
        ("em", "ada@example", None),
        ("em", "ada example.com", None),
        ("ph", "+44 (0)20 7946-0958", "4402079460958"),
        ("ph", "0049 30 1234", "49301234"),
        ("ph", "none", None),
        ("fn", "Anne-Marie ", "annemarie"),
        ("ln", "d'Été", "dété"),
        ("ln", "?!", None),
        ("ge", "Mrs.", "f"),
        ("ge", "MALE", "m"),
        ("ge", "other", None),
        ("db", "1990-2-3", "19900203"),
        ("db", "2/3/1990", "19900203"),
        ("db", "23.2.1990", "19900223"),
        ("db", "19900203", "19900203"),
        ("db", "1990-13-03", None),
        ("db", "1990", None),
        ("ct", "São Paulo", "sopaulo"),
        ("ct", "東京", None),
        ("st", "West Virginia", "wv"),
        ("st", "virginia", "va"),
        ("st", "Bayern", "ba"),
        ("country", "Nigeria", "ng"),
        ("country", "The Netherlands", "nl"),
        ("country", "de", "de"),
        ("zp", "SW1A 2AA", "sw1a 2aa"),
        ("zp", "94025-1234", "94025"),
        ("external_id", " User 17 ", "user17"),
        ("external_id", MD5.upper(), MD5),
        ("fi", " A ", "a"),
        ("em", MD5, MD5),
        ("em", SHA.upper(), SHA.upper()),
        ("ph", SHA, SHA),
    ],
)
def test_values_are_brought_into_metas_form(field: str, value: str, expected: str | None) -> None:
    """What cannot be is None; what is a hash stays; fields that nobody knows are trimmed and in lower case."""
    assert normalised(field, value) == expected


@pytest.mark.parametrize("field", [*HASHED, "fi"])
def test_what_is_hashed_is_not_hashed_again(field: str) -> None:
    """A hash comes out in lower case, whatever the field; nothing else comes out as it went in."""
    assert hashed(field, f" {SHA.upper()} ") == SHA
    value = {"em": "ada@example.com", "db": "1990-02-03", "ge": "f", "ph": "4930123"}.get(field, "ada")
    assert hashed(field, value) == hashlib.sha256((normalised(field, value) or "").encode()).hexdigest()
    assert hashed(field, "  ") is None


def test_an_external_id_that_looks_like_an_md5_is_hashed() -> None:
    """Ids of 32 hexadecimal digits are common; of an e-mail it is a hash already."""
    assert hashed("external_id", MD5) == hashlib.sha256(MD5.encode()).hexdigest()
    assert hashed("em", MD5.upper()) == MD5


@pytest.mark.parametrize("address", ["ada@example.com", " ADA@Example.com\t", "zoe\u0308@example.com"])
def test_an_address_has_the_hash_by_which_identity_knows_it(address: str) -> None:
    """Else an e-mail and its hash would be two identifiers."""
    assert hashed("em", address) == email_sha256(address)
