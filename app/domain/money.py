"""Exact money: whole minor units of a currency, and decimals only at the edges."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from iso4217 import Currency


@lru_cache(maxsize=256)
def exponent(currency: str) -> int:
    """Decimals of a currency by ISO 4217: EUR 2, JPY 0, KWD 3. Raises ValueError for an unknown code."""
    return Currency(currency).exponent or 0


def to_minor(amount: Decimal, currency: str) -> int:
    """Round half up to whole minor units (P2)."""
    return int(amount.scaleb(exponent(currency)).quantize(Decimal(1), ROUND_HALF_UP))


def exact_minor(amount: Decimal, currency: str) -> int:
    """Minor units of an amount that must not need rounding. Raises ValueError where it would."""
    minor = to_minor(amount, currency)
    if to_decimal(minor, currency) != amount:
        raise ValueError(f"{amount} has more decimals than {currency} has")
    return minor


def to_decimal(minor: int, currency: str) -> Decimal:
    """The amount in the currency's own decimals."""
    return Decimal(minor).scaleb(-exponent(currency))


def show(minor: int, currency: str) -> str:
    """`730.00`, `98000`: the amount with the currency's own decimals, without its name."""
    return f"{to_decimal(minor, currency):.{exponent(currency)}f}"


def thirds(minor: int) -> tuple[int, int, int]:
    """Three parts rounded down, what is left over on the last (I1). 2500.00 → 833.33, 833.33, 833.34."""
    part = minor // 3
    return part, part, minor - 2 * part


@dataclass(frozen=True, slots=True)
class Price:
    """What something costs, in minor units. subtotal - discount + tax = total."""

    subtotal_minor: int
    discount_minor: int = 0
    tax_minor: int = 0
    promotion: str | None = None

    @property
    def total_minor(self) -> int:
        return self.subtotal_minor - self.discount_minor + self.tax_minor
