"""Digits of currencies: one list, in Python and in SQL."""

from __future__ import annotations

from pathlib import Path

import jinja2

from models.currency import CURRENCY_DIGITS

MACROS = Path(__file__).parents[2] / "dbt_project" / "macros" / "currency.sql"


def test_the_tables_know_the_same_currencies() -> None:
    """With the same digits."""
    found: list[dict[int, list[str]]] = []
    module = jinja2.Environment(autoescape=False).from_string(MACROS.read_text(), globals={"return": found.append})
    module.make_module().currencies_by_digits()  # type: ignore[attr-defined]
    assert {name: digits for digits, names in found[0].items() for name in names} == dict(CURRENCY_DIGITS)


def test_amounts_have_the_digits_that_stripe_gives_them() -> None:
    """Its exceptions to ISO 4217 too."""
    names = ("usd", "jpy", "kwd", "mga", "isk", "ugx", "huf", "clp", "lyd")
    assert [CURRENCY_DIGITS[name] for name in names] == [2, 0, 3, 0, 2, 2, 2, 0, 3]
    assert "xyz" not in CURRENCY_DIGITS
    assert all(name.islower() and len(name) == 3 for name in CURRENCY_DIGITS)
