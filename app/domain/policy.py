"""Every figure of the rulebook as values. The defaults are the rulebook's bold figures.

The edge (`app.config`) validates these very classes from `config.yaml` and a scenario's `settings`,
so a figure has one name everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le  # tiny and pure; the edge reads these bounds

from app.domain.values import Region, TermKind


class LateStart(StrEnum):
    """Where a late renewal starts (L7)."""

    ORIGINAL_END = "original_end"
    PAYMENT_DATE = "payment_date"


_STRICT: dict[str, Any] = {"extra": "forbid"}
_PAID_TERMS = (TermKind.MONTHLY, TermKind.ANNUAL, TermKind.THREE_YEAR)


Days = Annotated[int, Ge(0), Le(3650)]
Count = Annotated[int, Ge(1), Le(100_000)]
Percent = Annotated[Decimal, Ge(0), Le(100)]
Amount = Annotated[Decimal, Ge(0), Le(1_000_000_000_000)]
"""Money in whole units, as a person writes it; bounded, so that minor units fit a database integer."""


def written_key(name: str) -> str:
    """How a field is written in YAML: `start` is `from` there, which Python keeps for itself."""
    return "from" if name == "start" else name


DATED = _STRICT | {"alias_generator": written_key}
"""The pydantic configuration of what holds from a day on."""


@dataclass(frozen=True, slots=True)
class Window:
    """W1."""

    __pydantic_config__: ClassVar = _STRICT
    opens_days_before: Days = 90


@dataclass(frozen=True, slots=True)
class Lapse:
    """L1, L3, L7."""

    __pydantic_config__: ClassVar = _STRICT
    expired_days: Days = 15
    suspended_days: dict[TermKind, Days] = field(
        default_factory=lambda: {
            TermKind.MONTHLY: 15,
            TermKind.ANNUAL: 30,
            TermKind.THREE_YEAR: 30,
        }
    )
    cut_over: dict[Region, date] = field(
        default_factory=lambda: {
            Region.EEA: date(2024, 9, 16),
            Region.UK: date(2024, 9, 16),
            Region.CH: date(2024, 9, 16),
            Region.CA: date(2024, 6, 10),
        }
    )
    late_renewal_starts: dict[TermKind, LateStart] = field(
        default_factory=lambda: dict.fromkeys(_PAID_TERMS, LateStart.ORIGINAL_END)
    )


@dataclass(frozen=True, slots=True)
class Notices:
    """W3, A9."""

    __pydantic_config__: ClassVar = _STRICT
    reminder_days: list[Days] = field(default_factory=lambda: [30, 4])
    method_expiry_days: Days = 30


@dataclass(frozen=True, slots=True)
class AutoRenew:
    """A6, I2: days after the renewal or due date on which a declined charge is tried again."""

    __pydantic_config__: ClassVar = _STRICT
    retry_days: list[Days] = field(default_factory=lambda: [3, 7, 14])


@dataclass(frozen=True, slots=True)
class Bulk:
    """A5, M1."""

    __pydantic_config__: ClassVar = _STRICT
    limit: Count = 100


@dataclass(frozen=True, slots=True)
class Quotes:
    """Q2, Q7, Q9, Q10."""

    __pydantic_config__: ClassVar = _STRICT
    validity_days: Days = 30
    recipient_limit: Days = 4
    automatic_days_before: Days = 30
    automatic_terms: list[TermKind] = field(default_factory=lambda: [TermKind.ANNUAL, TermKind.THREE_YEAR])
    method_limit: dict[str, Amount] = field(default_factory=lambda: {"USD": Decimal(25000), "EUR": Decimal(25000)})


@dataclass(frozen=True, slots=True)
class Proration:
    """P1: days that count as a whole term."""

    __pydantic_config__: ClassVar = _STRICT
    standard_days: dict[TermKind, Count] = field(
        default_factory=lambda: {TermKind.MONTHLY: 30, TermKind.ANNUAL: 365, TermKind.THREE_YEAR: 1095}
    )


@dataclass(frozen=True, slots=True)
class Billing:
    """B1, B2."""

    __pydantic_config__: ClassVar = _STRICT
    net_days: Days = 30
    payer_limit: Days = 5
    lock_minutes: Days = 15


@dataclass(frozen=True, slots=True)
class Returns:
    """R1: days after the transaction, inclusive."""

    __pydantic_config__: ClassVar = _STRICT
    days: dict[str, Days] = field(default_factory=lambda: {"monthly": 15, "annual": 30, "three_year": 30, "flex": 30})


@dataclass(frozen=True, slots=True)
class Trials:
    """O4."""

    __pydantic_config__: ClassVar = _STRICT
    days: Count = 30


@dataclass(frozen=True, slots=True)
class Orders:
    """O2."""

    __pydantic_config__: ClassVar = _STRICT
    alert_hours: Count = 24


@dataclass(frozen=True, slots=True)
class DatedRate:
    """A tax rate in per cent that holds from a day on (O3)."""

    __pydantic_config__: ClassVar = DATED
    start: date
    rate: Percent


@dataclass(frozen=True, slots=True)
class Tax:
    """O3. Rates in per cent by ISO country code, oldest first."""

    __pydantic_config__: ClassVar = _STRICT
    seller_country: str | None = None
    rates: dict[str, list[DatedRate]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """All settings that decide what happens to a subscription."""

    __pydantic_config__: ClassVar = _STRICT
    window: Window = field(default_factory=Window)
    lapse: Lapse = field(default_factory=Lapse)
    notices: Notices = field(default_factory=Notices)
    auto_renew: AutoRenew = field(default_factory=AutoRenew)
    bulk: Bulk = field(default_factory=Bulk)
    quotes: Quotes = field(default_factory=Quotes)
    proration: Proration = field(default_factory=Proration)
    billing: Billing = field(default_factory=Billing)
    returns: Returns = field(default_factory=Returns)
    trials: Trials = field(default_factory=Trials)
    orders: Orders = field(default_factory=Orders)
    tax: Tax = field(default_factory=Tax)
