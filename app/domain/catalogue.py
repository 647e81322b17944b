"""What is sold, at which list price, in which currency and from which day (D5, P1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import ClassVar

from app.domain.policy import DATED, Amount, Percent
from app.domain.values import OfferingKind, Region, TermKind

Prices = dict[str, dict[TermKind, Amount]]
"""Currency → term → list price of one seat for one whole term, without tax."""

_STRICT = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class Offering:
    """One product of the catalogue. `prices_from` replaces single prices from a day on (D5)."""

    __pydantic_config__: ClassVar = _STRICT
    name: str
    prices: Prices
    kind: OfferingKind = OfferingKind.SUBSCRIPTION
    lapse_exempt: bool = False
    returnable: bool = True
    prices_from: dict[date, Prices] = field(default_factory=dict)

    def list_price(self, currency: str, term: TermKind, on: date) -> Decimal | None:
        """The price in force on a day of the customer's zone, or None where it is not sold so."""
        price = self.prices.get(currency, {}).get(term)
        for start in sorted(self.prices_from):
            if start <= on:
                price = self.prices_from[start].get(currency, {}).get(term, price)
        return price


@dataclass(frozen=True, slots=True)
class Promotion:
    """A discount in per cent between two days, both included, in the customer's zone (O2b)."""

    __pydantic_config__: ClassVar = DATED
    code: str
    percent: Percent
    offerings: list[str]
    terms: list[TermKind]
    start: date
    until: date

    def applies(self, offering: str, term: TermKind, on: date) -> bool:
        return self.start <= on <= self.until and offering in self.offerings and term in self.terms


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Offerings by code, promotions, and which country lies in which region (L1)."""

    __pydantic_config__: ClassVar = _STRICT
    offerings: dict[str, Offering] = field(default_factory=dict)
    promotions: list[Promotion] = field(default_factory=list)
    regions: dict[Region, list[str]] = field(default_factory=dict)

    def region_of(self, country: str | None) -> Region | None:
        """The region of an ISO country code, or None: then the newer regime holds."""
        return next((region for region, countries in self.regions.items() if country in countries), None)
