"""What the studio sells: products, prices and coupons. Yearly prices divide by twelve, so MRR is exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Interval = Literal["month", "year"]
CURRENCIES = ("usd", "eur")
TRIAL_DAYS = 14


@dataclass(frozen=True, slots=True)
class Product:
    """A plan; ``by_seat`` says whether it is bought for a number of people."""

    product_id: str
    name: str
    by_seat: bool = False


@dataclass(frozen=True, slots=True)
class Price:
    """What a plan costs in a currency for an interval, in minor units."""

    price_id: str
    product: Product
    currency: str
    interval: Interval
    unit_amount: int


@dataclass(frozen=True, slots=True)
class Coupon:
    """A reduction in percent: once, for some months, or for ever."""

    coupon_id: str
    percent_off: int
    duration: Literal["once", "repeating", "forever"]
    months: int | None = None


CREATOR = Product("prod_StudioCreator01", "Creator")
STUDIO = Product("prod_StudioStudio02", "Studio")
TEAM = Product("prod_StudioTeam0003", "Team", by_seat=True)
PRODUCTS = (CREATOR, STUDIO, TEAM)
COUPONS = (
    Coupon("WELCOME20", 20, "forever"),
    Coupon("SPRING50", 50, "repeating", 3),
    Coupon("FIRSTHALF", 50, "once"),
)
_AMOUNTS: dict[str, tuple[int, int, int, int]] = {  # usd and eur a month, usd and eur a year
    CREATOR.product_id: (1900, 1800, 19_200, 18_000),
    STUDIO.product_id: (4900, 4500, 49_200, 45_600),
    TEAM.product_id: (2900, 2700, 30_000, 27_600),
}


def _prices() -> dict[tuple[str, str, Interval], Price]:
    prices = {}
    for product in PRODUCTS:
        amounts = iter(_AMOUNTS[product.product_id])
        intervals: tuple[Interval, ...] = ("month", "year")
        for interval in intervals:
            for currency in CURRENCIES:
                price_id = f"price_1Studio{product.name}{interval.title()}{currency.title()}"
                price = Price(price_id, product, currency, interval, next(amounts))
                prices[product.product_id, currency, interval] = price
    return prices


PRICES = _prices()


def price_of(product: Product, currency: str, interval: Interval) -> Price:
    """The price of a plan."""
    return PRICES[product.product_id, currency, interval]
