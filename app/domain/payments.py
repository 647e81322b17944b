"""What the product asks of a payment provider. Adapters live in `app.effects`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import NamedTuple, Protocol

from app.domain.values import Method


class Answer(Enum):
    """What is known of a charge. UNKNOWN is asked about later, never repeated (architecture, rule 9)."""

    TAKEN = "taken"
    DECLINED = "declined"
    UNKNOWN = "unknown"


class ChargeRequest(NamedTuple):
    """One charge. `key` is its idempotency key; `as_of` the instant for which the provider answers (J3)."""

    key: str
    csn: str
    amount_minor: int
    currency: str
    method: Method
    as_of: datetime


class Provider(Protocol):
    """A payment provider. One key is charged at most once, however often it is asked."""

    def charge(self, requests: Sequence[ChargeRequest]) -> list[Answer]:
        """Charge each request, in their order. A key that was charged before gets its old answer."""
        ...

    def find(self, keys: Sequence[str]) -> list[Answer | None]:
        """What became of earlier requests; None for a key the provider has never seen."""
        ...

    def set_declining(self, csn: str, at: datetime, declines: bool) -> None:
        """Test providers only: decline, or take again, every charge of a customer from an instant on."""
        ...
