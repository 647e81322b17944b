"""The dates of an imported term: either end follows from the other (D3)."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from app.domain.calendar import ONE_DAY, renewal_date, term_end
from app.domain.policy import Policy
from app.domain.values import MONTHS, TermKind
from app.services.import_cells import Bad, Row

_EXTENDED_BY = {TermKind.MONTHLY: 0, TermKind.ANNUAL: 12, TermKind.THREE_YEAR: 36}
"""Months by which an extension may have moved the end (C2)."""


class Running(NamedTuple):
    """S, E and the anchor of a running term."""

    starts_on: date
    ends_on: date
    anchor_day: int


def running_term(row: Row, kind: TermKind, today: date, policy: Policy) -> Running:
    """The running term of a row. Raises `Bad` for one that has not begun or cannot be as long as it is."""
    starts_on, ends_on = row.day("starts_on", today), row.day("ends_on", today)
    return _running(starts_on, ends_on, row.count("anchor_day", 1, 31), kind, today, policy.trials.days)


@lru_cache(maxsize=16384)
def _running(
    starts_on: date | None, ends_on: date | None, anchor: int | None, kind: TermKind, today: date, trial_days: int
) -> Running:
    """Terms of a book are much alike: each is worked out once."""
    if starts_on is None and ends_on is None:
        raise Bad("starts_on", "is missing, and ends_on too")
    if kind is TermKind.TRIAL:
        when = _trial(starts_on, ends_on, trial_days)
    elif ends_on is None:
        assert starts_on is not None
        when = _from_start(starts_on, kind, anchor)
    elif starts_on is None:
        when = _from_end(ends_on, kind, anchor)
    else:
        when = Running(starts_on, ends_on, anchor or _anchor(starts_on, ends_on, kind))
    _check(when, kind, today, "ends_on" if starts_on is None else "starts_on")
    return when


def _trial(starts_on: date | None, ends_on: date | None, days: int) -> Running:
    """S … S + 29 (O4)."""
    length = timedelta(days=days - 1)
    first = starts_on or (ends_on or date.max) - length
    return Running(first, ends_on or first + length, first.day)


def _from_start(starts_on: date, kind: TermKind, anchor: int | None) -> Running:
    return Running(starts_on, term_end(starts_on, MONTHS[kind], anchor or starts_on.day), anchor or starts_on.day)


def _from_end(ends_on: date, kind: TermKind, anchor: int | None) -> Running:
    """A whole term back from R: a book that says when its terms end needs no more."""
    renews_on = ends_on + ONE_DAY
    day = anchor or renews_on.day
    return Running(renewal_date(renews_on, -MONTHS[kind], day), ends_on, day)


def _anchor(starts_on: date, ends_on: date, kind: TermKind) -> int:
    """The day of S if that leads to E; else E was moved, and the day of the new R counts (C4)."""
    return starts_on.day if term_end(starts_on, MONTHS[kind], starts_on.day) == ends_on else (ends_on + ONE_DAY).day


def _check(when: Running, kind: TermKind, today: date, column: str) -> None:
    starts_on, ends_on, anchor = when
    if ends_on < starts_on:
        raise Bad("ends_on", f"{ends_on} lies before the first day, {starts_on}")
    if starts_on > today:
        raise Bad(column, f"the term begins on {starts_on}, in the future: import what runs now")
    if kind is TermKind.TRIAL:
        return
    is_last_of_month = (starts_on + ONE_DAY).day == 1  # 02-28 may stand for an anchor day of 31
    latest = term_end(starts_on, MONTHS[kind] + _EXTENDED_BY[kind], 31 if is_last_of_month else starts_on.day)
    if ends_on > latest:
        raise Bad("ends_on", f"a term {kind} from {starts_on} ends on {latest} at the latest (D3, C2)")
    renews_on = ends_on + ONE_DAY
    if renews_on.day != anchor and renews_on.day != min(anchor, monthrange(renews_on.year, renews_on.month)[1]):
        raise Bad("anchor_day", f"the next term would begin on {renews_on}, which is no day {anchor} (D3)")


def anniversary_anchor(when: Running) -> int:
    """The day of the month of a three-year term's yearly parts: an extension leaves them where they were (C4)."""
    is_whole = term_end(when.starts_on, MONTHS[TermKind.THREE_YEAR], when.anchor_day) == when.ends_on
    return when.anchor_day if is_whole else when.starts_on.day
