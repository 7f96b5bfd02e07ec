"""Exchange rates as a file of definitions: CSV with the columns date, currency and rate."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from models.currency import CURRENCY_DIGITS
from models.errors import UsageError, nearest
from models.fx import FxRate, FxRates
from warehouse.yaml_file import read_text

HEADER = ["date", "currency", "rate"]
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RATE = re.compile(r"[0-9]{1,8}(?:\.[0-9]{1,12})?")


def read_fx(path: Path, *, reporting_currency: str) -> FxRates:
    """Read and check a file of exchange rates; lines that begin with # and empty ones are skipped.

    Raises:
        UsageError: with the file, the line, and what would be accepted.
    """
    found: dict[tuple[str, date], tuple[int, FxRate]] = {}
    for line, cells in _lines(path):
        at = f"{path} line {line}"
        rate = _rate(at, cells)
        if rate.currency == reporting_currency and rate.rate != 1:
            raise UsageError(f"{at}: {reporting_currency} is the reporting currency, which is always worth 1")
        known = found.setdefault((rate.currency, rate.day), (line, rate))
        if known[0] != line:
            raise UsageError(f"{at}: the rate of {rate.currency} on {rate.day} stands already on line {known[0]}")
    rates = sorted((rate for _, rate in found.values()), key=lambda rate: (rate.currency, rate.day))
    return FxRates(rates=tuple(rate for rate in rates if rate.currency != reporting_currency))


def _lines(path: Path) -> Iterator[tuple[int, Sequence[str]]]:
    """The cells of each line that says something, behind the header."""
    texts = read_text(path).removeprefix("\ufeff").splitlines()
    said = [(line, text) for line, text in enumerate(texts, start=1) if text.strip() and not text.startswith("#")]
    rows = [(line, _cells(f"{path} line {line}", text)) for line, text in said]
    if not rows:
        raise UsageError(f"{path}: is empty: the first line is {','.join(HEADER)}")
    line, header = rows[0]
    if [cell.lower() for cell in header] != HEADER:
        raise UsageError(f"{path} line {line}: the first line is {','.join(HEADER)} (given: {','.join(header)[:60]!r})")
    yield from rows[1:]


def _cells(at: str, text: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader(io.StringIO(text), strict=True))]
    except csv.Error as error:
        raise UsageError(f"{at}: not CSV: {error}") from None


def _rate(at: str, cells: Sequence[str]) -> FxRate:
    if len(cells) != len(HEADER):
        raise UsageError(f"{at}: give {', '.join(HEADER)} (given: {len(cells)} cells)")
    day, currency, rate = cells
    currency = currency.lower()
    if currency not in CURRENCY_DIGITS:
        hint = nearest(currency, CURRENCY_DIGITS)
        raise UsageError(f"{at}: currency: {cells[1][:60]!r} is none of ISO 4217 ({hint})")
    if not _RATE.fullmatch(rate) or not Decimal(rate):
        raise UsageError(
            f"{at}: rate: give a number above 0 with a point, of at most 8 digits before it and 12 behind it"
            f" (given: {rate[:60]!r})"
        )
    return FxRate(day=_day(at, day), currency=currency, rate=Decimal(rate))


def _day(at: str, text: str) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise UsageError(f"{at}: date: give a day such as 2026-01-31 (given: {text[:60]!r})")
