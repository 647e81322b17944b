"""A scenario that has been read and found sound: what is played."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any

from app.config import Settings
from app.domain.calendar import day_start
from jobs.scenario.commands import Command
from jobs.scenario.parties import Bought, Customer

Plain = str | int | bool | None | list[Any] | dict[str, Any]
"""What expected and actual values are made of. Dates and amounts are text."""


class About(Enum):
    """What an expectation asks. A member's value says how it is written in the file."""

    SUBSCRIPTION = "S1: {state: active}"
    QUOTE = "Q1: {total: '10.00'}"
    CUSTOMER = "'5100000001': {owed: '0.00'}"
    ROWS = "invoices_of: {S1: [{state: paid}]}"
    GROUPS = "groups: [[S1, S2], [S3]]"
    OUTCOMES = "outcomes: {S1: ok}"


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing that must hold: a field of a subject, or a whole list of a subscription."""

    about: About
    subject: str | None
    field: str
    expected: Plain


@dataclass(frozen=True, slots=True)
class Step:
    """One day or instant of the story. `instant` is UTC; `label` is what the file says.

    `fails` is the code with which `command` must be refused. `index` counts from one.
    """

    index: int
    line: int
    label: str
    instant: datetime
    command: Command | None
    fails: str | None
    expect: tuple[Expectation, ...]


@dataclass(frozen=True, slots=True)
class Purchase:
    """One of `subscriptions:` and the instant, in UTC, at which it is bought."""

    instant: datetime
    bought: Bought
    line: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole file. Purchases and steps are in order of time; equal times are in file order.

    `config` is what holds in it: the file's settings and catalogue laid over the defaults.
    """

    file: str
    title: str
    start: date
    end: date
    zone: str
    config: Settings
    customers: tuple[Customer, ...]
    purchases: tuple[Purchase, ...]
    steps: tuple[Step, ...]

    @property
    def begins_at(self) -> datetime:
        """Where the clock starts: the first day's first instant, or that of the earliest purchase's day."""
        first = day_start(self.start, self.zone)
        if not self.purchases or self.purchases[0].instant >= first:
            return first
        return day_start(self.purchases[0].instant.astimezone(UTC).date() - timedelta(days=1), "UTC")

    @property
    def ends_at(self) -> datetime:
        """The first instant after the last day, which is played whole."""
        return day_start(self.end + timedelta(days=1), self.zone)
