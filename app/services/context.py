"""What every use case is given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Engine

from app.clock import Clock
from app.domain.calendar import local_day
from app.domain.catalogue import Catalogue
from app.domain.payments import Provider
from app.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class Context:
    """The parts that `bootstrap` wires together."""

    engine: Engine
    policy: Policy
    catalogue: Catalogue
    clock: Clock
    provider: Provider
    page_size: int = 1000
    default_timezone: str = "UTC"

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return self.clock.now().astimezone(UTC)

    def today(self, zone_name: str) -> date:
        """The day that has begun last in a zone (J9)."""
        return local_day(self.clock.now(), zone_name)
