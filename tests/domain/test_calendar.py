"""Days, terms and midnights, by the rulebook's own dates (D1-D6)."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendar import day_start, local_day, months_between, renewal_date, term_end, zone
from app.domain.subscription import anniversaries
from app.domain.values import MONTHS

FIRST, LAST = date(2020, 1, 1), date(2104, 12, 31)
SECOND = timedelta(seconds=1)
days = st.dates(FIRST, LAST)
zone_names = st.sampled_from(sorted(available_timezones() - {"localtime"}))


def _renewals(first: date, months: int, count: int) -> list[date]:
    """Renewal dates one after the other, each term begun on the one before."""
    found, starts_on = [], first
    for _ in range(count):
        starts_on = renewal_date(starts_on, months, first.day)
        found.append(starts_on)
    return found


def test_the_end_of_a_term() -> None:
    """Bought 2025-06-10, annual: E = 2026-06-09, R = 2026-06-10 (D1)."""
    assert term_end(date(2025, 6, 10), 12, 10) == date(2026, 6, 9)
    assert renewal_date(date(2025, 6, 10), 12, 10) == date(2026, 6, 10)
    assert day_start(date(2026, 6, 10), "Europe/Amsterdam") == datetime(2026, 6, 9, 22, tzinfo=UTC)


def test_months_return_to_the_anchor() -> None:
    """Monthly from 2026-01-31: 02-28, 03-31, 04-30; annual from 2024-02-29 (D3)."""
    assert _renewals(date(2026, 1, 31), 1, 3) == [date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]
    assert _renewals(date(2024, 2, 29), 12, 4) == [date(y, 2, 29 if y == 2028 else 28) for y in range(2025, 2029)]


def test_three_years_and_their_anniversaries() -> None:
    assert _renewals(date(2024, 2, 29), 36, 2) == [date(2027, 2, 28), date(2030, 2, 28)]
    assert anniversaries(date(2024, 2, 29), 29) == (date(2025, 2, 28), date(2026, 2, 28))
    assert anniversaries(date(2027, 2, 28), 29) == (date(2028, 2, 29), date(2029, 2, 28))


def test_months_between() -> None:
    assert months_between(date(2025, 12, 31), date(2026, 1, 1)) == 1
    assert months_between(date(2026, 3, 1), date(2026, 3, 31)) == 0


@given(days, st.sampled_from(sorted(MONTHS.values())))
def test_no_renewal_date_drifts(first: date, months: int) -> None:
    """From 2020 to 2104: always the anchor day, or the month's last where that is earlier (D3)."""
    starts_on = first
    while starts_on <= LAST:
        renews_on = renewal_date(starts_on, months, first.day)
        is_last_of_month = (renews_on + timedelta(days=1)).day == 1
        assert renews_on.day == first.day or (is_last_of_month and renews_on.day < first.day)
        assert months_between(starts_on, renews_on) == months
        assert term_end(starts_on, months, first.day) == renews_on - timedelta(days=1)
        starts_on = renews_on


# ---------------------------------------------------------------- midnights (D4)


@pytest.mark.parametrize(
    ("zone_name", "day", "instant", "wall"),
    [
        ("America/Santiago", date(2025, 9, 7), datetime(2025, 9, 7, 4), "01:00"),
        ("America/Havana", date(2026, 3, 8), datetime(2026, 3, 8, 5), "01:00"),
        ("Africa/Cairo", date(2026, 4, 24), datetime(2026, 4, 23, 22), "01:00"),
        ("Asia/Beirut", date(2026, 3, 29), datetime(2026, 3, 28, 22), "01:00"),
    ],
)
def test_a_day_without_a_midnight_begins_at_its_first_instant(
    zone_name: str, day: date, instant: datetime, wall: str
) -> None:
    begins_at = day_start(day, zone_name)
    assert begins_at == instant.replace(tzinfo=UTC)
    assert f"{begins_at.astimezone(ZoneInfo(zone_name)):%Y-%m-%d %H:%M}" == f"{day} {wall}"
    _check_day(day, zone_name)


@pytest.mark.parametrize(
    ("zone_name", "day", "instant"),
    [
        ("America/Havana", date(2024, 11, 3), datetime(2024, 11, 3, 4)),
        ("Atlantic/Azores", date(2026, 10, 25), datetime(2026, 10, 25, 0)),
    ],
)
def test_a_day_with_two_midnights_begins_at_the_first(zone_name: str, day: date, instant: datetime) -> None:
    """In Havana it strikes 00:00 at 04:00 UTC and again an hour later."""
    assert day_start(day, zone_name) == instant.replace(tzinfo=UTC)
    _check_day(day, zone_name)


@pytest.mark.parametrize(
    ("zone_name", "day"),
    [
        ("Africa/Cairo", date(2026, 10, 30)),
        ("Asia/Beirut", date(2026, 10, 25)),
        ("America/Santiago", date(2026, 4, 5)),
    ],
)
def test_a_day_that_ends_twice(zone_name: str, day: date) -> None:
    """The clocks go back at midnight: its day before is 25 hours long, and 23:59:59 comes twice."""
    yesterday, tomorrow = day - timedelta(days=1), day + timedelta(days=1)
    starts = [day_start(each, zone_name) for each in (yesterday, day, tomorrow)]
    assert timedelta(hours=25) in [after - before for before, after in pairwise(starts)]
    _check_day(yesterday, zone_name)
    _check_day(day, zone_name)


def test_one_day_begins_in_twenty_six_hours() -> None:
    """Kiritimati is the first to see a day and Pago Pago the last, 25 hours later."""
    day = date(2026, 6, 10)
    assert day_start(day, "Pacific/Kiritimati") == datetime(2026, 6, 9, 10, tzinfo=UTC)
    assert day_start(day, "Pacific/Pago_Pago") == datetime(2026, 6, 10, 11, tzinfo=UTC)
    instant = datetime(2026, 6, 10, 10, 30, tzinfo=UTC)
    assert local_day(instant, "Pacific/Kiritimati") == date(2026, 6, 11)
    assert local_day(instant, "Pacific/Pago_Pago") == date(2026, 6, 9)


def test_a_day_that_a_zone_left_out() -> None:
    """Samoa had no 2011-12-30: it begins when the next one does, and nobody's day it is."""
    gone, after = date(2011, 12, 30), date(2011, 12, 31)
    assert day_start(gone, "Pacific/Apia") == day_start(after, "Pacific/Apia")
    assert local_day(day_start(gone, "Pacific/Apia"), "Pacific/Apia") == after
    assert local_day(day_start(after, "Pacific/Apia") - SECOND, "Pacific/Apia") == date(2011, 12, 29)


@given(days, zone_names)
def test_days_of_every_zone(day: date, zone_name: str) -> None:
    _check_day(day, zone_name)


@pytest.mark.parametrize("year", [2020, 2026, 2104])
def test_days_on_which_clocks_change(year: int) -> None:
    """Every zone's, and the days beside them."""
    noons = [datetime(year, 1, 1, 12, tzinfo=UTC) + timedelta(days=n) for n in range(365)]
    found = 0
    for zone_name in sorted(available_timezones() - {"localtime"}):
        tz = ZoneInfo(zone_name)
        offsets = [noon.astimezone(tz).utcoffset() for noon in noons]
        for noon, (before, after) in zip(noons, pairwise(offsets), strict=False):
            if before != after:
                found += 1
                for n in range(3):
                    _check_day((noon + timedelta(days=n)).date(), zone_name)
    assert found > 100


@pytest.mark.soak
@pytest.mark.parametrize("zone_name", sorted(available_timezones() - {"localtime"}))
def test_all_days_of_every_zone(zone_name: str) -> None:
    """No zone leaves out a day between 2020 and 2040, nor has one twice."""
    starts = [day_start(FIRST + timedelta(days=n), zone_name) for n in range(7305)]
    assert all(timedelta(hours=20) < after - before < timedelta(hours=28) for before, after in pairwise(starts))
    assert [local_day(start, zone_name) for start in starts] == [FIRST + timedelta(days=n) for n in range(7305)]


def _check_day(day: date, zone_name: str) -> None:
    """A day begins at its first instant: what lies before it, however close, is the day before."""
    begins_at = day_start(day, zone_name)
    ends_at = day_start(day + timedelta(days=1), zone_name)
    assert begins_at < ends_at
    assert local_day(begins_at, zone_name) == day
    assert local_day(ends_at - SECOND, zone_name) == day
    assert local_day(begins_at - SECOND, zone_name) == day - timedelta(days=1)
    before = (begins_at - SECOND).astimezone(ZoneInfo(zone_name))
    first = begins_at.astimezone(ZoneInfo(zone_name))
    assert before.date() < day, "an instant of the day before it begins"
    assert first.date() == day


@given(st.datetimes(datetime(2020, 1, 1), datetime(2104, 12, 31), timezones=st.just(UTC)), zone_names)
def test_every_instant_has_one_day(instant: datetime, zone_name: str) -> None:
    day = local_day(instant, zone_name)
    assert day_start(day, zone_name) <= instant < day_start(day + timedelta(days=1), zone_name)


def test_an_unknown_zone() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        zone("Europe/Atlantis")
