"""From what a scenario writes to instants: bare days, local times, and times with an offset."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time

from app.domain.calendar import zone

_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)

YEARS = range(1970, 2200)
"""What a simulated clock can show; far outside, calendars and time zones end."""


def noon(on: date, zone_name: str) -> datetime:
    """12:00 of a local day, in UTC: when a bare date happens. Raises ValueError where there is none."""
    return _from_local(datetime.combine(on, time(12)), zone_name)


def instant(written: str, zone_name: str) -> datetime:
    """The instant in UTC of `2026-06-10T00:00:00`, local to the zone, or of one with an offset.

    A local time that occurs twice is the first of the two: in Amsterdam 2025-10-26T02:30:00 is 00:30 UTC.
    Raises ValueError for one that does not exist, and for any other spelling.
    """
    if not _INSTANT.fullmatch(written):
        raise ValueError("must be an instant such as 2026-06-10T00:00:00")
    try:
        given = datetime.fromisoformat(written)
    except ValueError:
        raise ValueError(f"{written} is not in the calendar") from None
    if given.tzinfo is None:
        return _from_local(given, zone_name)
    _check_year(given)
    return given.astimezone(UTC)


def _from_local(naive: datetime, zone_name: str) -> datetime:
    tz = zone(zone_name)
    _check_year(naive)
    found = naive.replace(tzinfo=tz, fold=0).astimezone(UTC)
    if found.astimezone(tz).replace(tzinfo=None) != naive:
        raise ValueError(f"{naive.isoformat()} does not exist in {zone_name}: the clocks leap over it")
    return found


def _check_year(when: datetime) -> None:
    if when.year not in YEARS:
        raise ValueError(f"must lie between {YEARS[0]} and {YEARS[-1]}")
