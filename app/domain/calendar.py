"""Days, terms and midnights (D1-D6). Dates come from the anchor day, never from the last period."""

from __future__ import annotations

import calendar as _months
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name. Raises `ZoneInfoNotFoundError` (a KeyError) for an unknown one."""
    return ZoneInfo(name)


@lru_cache(maxsize=65536)
def renewal_date(starts_on: date, months: int, anchor_day: int) -> date:
    """R of a term that starts on `starts_on`: `months` later, on the anchor day or the month's last (D3).

    Monthly from 2026-01-31: 02-28, then 03-31 again.
    """
    index = starts_on.year * 12 + starts_on.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(anchor_day, _months.monthrange(year, month)[1]))


def term_end(starts_on: date, months: int, anchor_day: int) -> date:
    """E: the last day of the term (D3)."""
    return renewal_date(starts_on, months, anchor_day) - ONE_DAY


def months_between(first: date, last: date) -> int:
    """Whole calendar months from the month of `first` to that of `last`, days ignored."""
    return (last.year - first.year) * 12 + last.month - first.month


@lru_cache(maxsize=65536)
def day_start(day: date, zone_name: str) -> datetime:
    """The first instant of a local day, in UTC (D4).

    A day without a midnight begins at its first existing instant; one with two begins at the first.
    Santiago, 2025-09-07: 04:00 UTC, which is 01:00 local. Havana, 2024-11-03: 04:00 UTC.
    A day that a zone left out altogether begins when the next one does.
    """
    tz = zone(zone_name)
    naive = datetime.combine(day, time())
    guess = naive.replace(tzinfo=tz).astimezone(UTC)
    if guess.astimezone(tz).replace(tzinfo=None) == naive:
        return guess
    return _first_instant_not_before(naive, tz)


def _first_instant_not_before(naive: datetime, tz: ZoneInfo) -> datetime:
    """Bisect to the jump: the wall clock leaps over midnight, so look for the instant of the leap."""
    low = naive.replace(tzinfo=UTC) - timedelta(hours=26)
    high = naive.replace(tzinfo=UTC) + timedelta(hours=26)
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(tz).replace(tzinfo=None) >= naive:
            high = middle
        else:
            low = middle
    return high


def local_day(instant: datetime, zone_name: str) -> date:
    """The calendar day of an aware instant in a zone, by `day_start`.

    Where the clocks go back over midnight, the hour after the first midnight belongs to the new day
    even though the wall clock shows the old date again (D4).
    """
    day = instant.astimezone(zone(zone_name)).date()
    return day + ONE_DAY if day_start(day + ONE_DAY, zone_name) <= instant else day
