"""Exchange rates as a file: what it says, and mistakes with their line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from models.errors import UsageError
from pipeline.origin import definition_hashes
from warehouse.definitions import load_definitions
from warehouse.fx_file import read_fx

HEADER = "date,currency,rate\n"


def read(tmp_path: Path, text: str) -> list[tuple[str, date, Decimal]]:
    path = tmp_path / "fx.csv"
    path.write_text(text)
    return [(rate.currency, rate.day, rate.rate) for rate in read_fx(path, reporting_currency="usd").rates]


def test_rates_are_read_by_currency_and_day(tmp_path: Path) -> None:
    """Comments, empty lines, capitals, spaces, quotes, a byte-order mark and CR LF are a spreadsheet's matter."""
    text = (
        "\ufeff# from the bank\r\nDate,Currency,Rate\r\n2026-02-01, EUR ,1.18\r\n\r\n"
        '"2026-01-01","eur","1.175"\r\n2026-01-01,jpy,0.006412345678\r\n2026-01-01,usd,1.00\r\n'
    )
    assert read(tmp_path, text) == [
        ("eur", date(2026, 1, 1), Decimal("1.175")),
        ("eur", date(2026, 2, 1), Decimal("1.18")),
        ("jpy", date(2026, 1, 1), Decimal("0.006412345678")),
    ]
    assert read(tmp_path, HEADER) == []


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        ("", None, "is empty: the first line is date,currency,rate"),
        ("# nothing\n\n", None, "is empty: the first line is date,currency,rate"),
        ("2026-01-01,eur,1.1\n", 1, "the first line is date,currency,rate (given: '2026-01-01,eur,1.1')"),
        ("date;currency;rate\n2026-01-01;eur;1,1\n", 1, "the first line is date,currency,rate"),
        (f"{HEADER}2026-01-01,eur\n", 2, "give date, currency, rate (given: 2 cells)"),
        (f"{HEADER}2026-01-01,eur,1,1\n", 2, "give date, currency, rate (given: 4 cells)"),
        (f'{HEADER}2026-01-01,eur,"1.1\n', 2, "not CSV"),
        (f"{HEADER}2026-02-30,eur,1.1\n", 2, "date: give a day such as 2026-01-31 (given: '2026-02-30')"),
        (f"{HEADER}01/02/2026,eur,1.1\n", 2, "date: give a day"),
        (f"{HEADER}20260101,eur,1.1\n", 2, "date: give a day"),
        (f"{HEADER}2026-01-01,eurr,1.1\n", 2, "currency: 'eurr' is none of ISO 4217 (did you mean 'eur'"),
        (f"{HEADER}2026-01-01,,1.1\n", 2, "currency: '' is none of ISO 4217"),
        *(
            (f"{HEADER}# x\n2026-01-01,eur,{rate}\n", 3, "rate: give a number above 0 with a point")
            for rate in ("", "0", "0.000", "-1.1", "1e3", "nan", ".5", "1.", "123456789", "0.1234567890123", "\u0661")
        ),
        (
            f"{HEADER}2026-01-01,eur,1.1\n2026-01-01,EUR,1.1\n",
            3,
            "the rate of eur on 2026-01-01 stands already on line 2",
        ),
        (f"{HEADER}2026-01-01,usd,1.1\n", 2, "usd is the reporting currency, which is always worth 1"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, line: int | None, complaint: str) -> None:
    """File, line and what would be accepted, in one line."""
    with pytest.raises(UsageError) as refusal:
        read(tmp_path, text)
    message = str(refusal.value)
    assert message.startswith(f"{tmp_path / 'fx.csv'}{f' line {line}' if line else ''}: {complaint}"), message
    assert "\n" not in message


def test_definitions_have_the_rates_to_their_reporting_currency(tmp_path: Path) -> None:
    """The hash of rates follows what they say; another reporting currency is another policy."""
    (tmp_path / "fx.csv").write_text(f"{HEADER}2026-01-01,usd,0.9\n")
    (tmp_path / "revenue_policy.yml").write_text("reporting_currency: EUR\n")
    definitions = load_definitions(tmp_path)
    assert definitions.revenue.reporting_currency == "eur"
    assert [rate.currency for rate in definitions.fx.rates] == ["usd"]
    hashes = definition_hashes(definitions)
    (tmp_path / "fx.csv").write_text(f"# the same\n{HEADER}2026-01-01,USD,0.9\n")
    assert definition_hashes(load_definitions(tmp_path)) == hashes
    (tmp_path / "fx.csv").write_text(f"{HEADER}2026-01-01,usd,0.91\n")
    changed = definition_hashes(load_definitions(tmp_path))
    assert {name for name in hashes if hashes[name] != changed[name]} == {"fx"}
    (tmp_path / "revenue_policy.yml").write_text("reporting_currency: euro\n")
    with pytest.raises(UsageError, match=r"reporting_?[cC]urrency: 'euro' is no currency of ISO 4217 \(did you mean"):
        load_definitions(tmp_path)
