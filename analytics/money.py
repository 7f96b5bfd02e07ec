"""Amounts of money as reports show them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext

from analytics.query import Engine
from models.currency import CURRENCY_DIGITS


def rounded(amount: Decimal, currency: str) -> Decimal:
    """An amount, rounded half away from zero to the digits of its currency."""
    with localcontext(prec=60):
        return amount.quantize(Decimal(1).scaleb(-CURRENCY_DIGITS.get(currency, 2)), ROUND_HALF_UP)


def reporting_currency(engine: Engine) -> str:
    """The currency in which the build reports amounts of several currencies."""
    [(currency,)] = engine.rows("select any_value(reporting_currency) from fx_rate")
    return str(currency)
