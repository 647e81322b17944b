"""What the jobs will make of the whole book: a copy is played ahead by the same code, then counted.

Mail and payments are caught: the copy has an outbox of its own that nobody carries, and the payment
provider's records are the copy's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, Table, func, select

from app.clock import SimulatedClock
from app.domain.calendar import ONE_DAY, day_start
from app.domain.errors import InvalidArgument
from app.domain.money import show
from app.domain.states import State
from app.effects.book_provider import BookProvider
from app.services.context import Context
from app.store import db, zones
from app.store.engine import reading
from app.store.snapshot import copied
from jobs import happenings
from jobs.happenings import Mark
from jobs.simulation import Simulation

Progress = Callable[[date, date, date], None]
"""Told the first day, the day that is reached and the last."""
KINDS = ("transitions", "charges", "invoices", "notices", "quotes")
_STUCK_SHOWN = 100


def _nobody(_first: date, _reached: date, _last: date) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Money:
    """Sums of one currency, in minor units."""

    charged_minor: int = 0
    declined_minor: int = 0
    invoiced_minor: int = 0


@dataclass(frozen=True, slots=True)
class StuckRow:
    """A subscription that could not be processed, and why (J5)."""

    subscription: str
    due: str
    due_on: date
    error: str


Counts = dict[str, dict[str, int]]
"""Kind of event (`transitions`) → name (`expire`) → how many."""


@dataclass(slots=True)
class BookSimulation:
    """What came of a book until the end of a day, day by day. Days are each subscription's own."""

    starts_on: date
    until: date
    subscriptions: int
    days: dict[date, Counts] = field(default_factory=dict)
    """Only days on which something happened. Days before `starts_on` are work that was overdue."""
    money: dict[str, Money] = field(default_factory=dict)
    states: dict[date, dict[str, int]] = field(default_factory=dict)
    """How many subscriptions are in each state at the end of each day."""
    stuck: list[StuckRow] = field(default_factory=list)
    """The first hundred."""
    stuck_count: int = 0

    def totals(self) -> Counts:
        """The counts of all days together."""
        found: Counts = {kind: defaultdict(int) for kind in KINDS}
        for counts in self.days.values():
            for kind, names in counts.items():
                for name, number in names.items():
                    found[kind][name] += number
        return {kind: dict(sorted(names.items())) for kind, names in found.items()}

    def as_json(self) -> dict[str, Any]:
        """Plain values only; amounts are strings in the currency's own decimals."""
        return {
            "from": self.starts_on.isoformat(),
            "until": self.until.isoformat(),
            "subscriptions": self.subscriptions,
            "totals": self.totals(),
            "money": {currency: _money(sums, currency) for currency, sums in self.money.items()},
            "days": [{"on": on.isoformat(), **counts} for on, counts in self.days.items()],
            "states": [{"on": on.isoformat(), **counts} for on, counts in self.states.items()],
            "stuck": {
                "count": self.stuck_count,
                "first": [
                    {"subscription": s.subscription, "due": s.due, "due_on": s.due_on.isoformat(), "error": s.error}
                    for s in self.stuck
                ],
            },
        }


def _money(sums: Money, currency: str) -> dict[str, str]:
    return {
        "charged": show(sums.charged_minor, currency),
        "declined": show(sums.declined_minor, currency),
        "invoiced": show(sums.invoiced_minor, currency),
    }


def simulate_book(
    ctx: Context, until: date, progress: Progress = _nobody, folder: Path | None = None
) -> BookSimulation:
    """Play a copy of the book to the end of a day in its last zone and count what happens. The book is only read.

    The copy lies under `folder` while it is needed. Raises `InvalidArgument` for a day that is over, and
    `NoSpace`.
    """
    with copied(ctx.engine, folder) as copy:
        with reading(copy) as connection:
            mark = happenings.mark(connection)
            states = _by_state(connection)
        first = play(ctx, copy, until, progress)
        with reading(copy) as connection:
            found = BookSimulation(first, until, sum(states.values()))
            _count(connection, found, mark)
            found.states = _states_over_time(connection, found, mark, states)
            found.money = _sums(connection, mark, until)
            _add_stuck(connection, found)
    return found


def play(ctx: Context, copy: Engine, until: date, progress: Progress = _nobody) -> date:
    """Do on a copy what the jobs do from now to the end of a day in every zone; answers the first day."""
    with reading(copy) as connection:
        names = [zone.name for zone in zones.progress(connection)] or [ctx.default_timezone]
    first = min(ctx.today(name) for name in names)
    if until < first:
        raise InvalidArgument(f"{until} is over")
    ends_at = max(day_start(until + ONE_DAY, name) for name in names) - timedelta(microseconds=1)
    clock = SimulatedClock(ctx.now())
    simulation = Simulation(replace(ctx, engine=copy, clock=clock, provider=BookProvider(copy)), clock)

    def watch(instant: datetime) -> None:
        progress(first, max(first, min(until, instant.date())), until)

    simulation.work()
    simulation.advance(ends_at, watch)
    progress(first, until, until)
    return first


def _by_state(connection: Connection) -> dict[str, int]:
    query = select(db.subscription.c.state, func.count()).group_by(db.subscription.c.state)
    return dict(connection.execute(query).all())


def _count(connection: Connection, found: BookSimulation, mark: Mark) -> None:
    e, c, i, n, q = db.event.c, db.charge.c, db.invoice.c, db.notice.c, db.quote.c
    is_move = (e.id > mark.event) & (e.kind == "transition")
    is_told = (n.id > mark.notice) & (n.state != "dropped")
    queries = {
        "transitions": _a_day(db.event, e.effective_on, e.name, is_move, found.until),
        "charges": _a_day(db.charge, c.charged_on, c.state, happenings.is_new_charge(mark), found.until),
        "invoices": _a_day(db.invoice, i.issued_on, i.state, i.id > mark.invoice, found.until),
        "notices": _a_day(db.notice, n.due_on, n.kind, is_told, found.until),
        "quotes": _a_day(db.quote, q.issued_on, q.source, q.id > mark.quote, found.until),
    }
    days: dict[date, Counts] = {}
    for kind, query in queries.items():
        for on, name, number in connection.execute(query):
            days.setdefault(on, {}).setdefault(kind, {})[name] = number
    found.days = dict(sorted(days.items()))


def _a_day(
    table: Table, on: ColumnElement[date], name: ColumnElement[str], is_new: ColumnElement[bool], until: date
) -> Select[date, str, int]:
    """How many rows of each name there are a day."""
    query = select(on, name, func.count()).select_from(table).where(is_new, on <= until)
    return query.group_by(on, name).order_by(name)


def _states_over_time(
    connection: Connection, found: BookSimulation, mark: Mark, before: dict[str, int]
) -> dict[date, dict[str, int]]:
    """From the counts at the start and each day's moves; overdue moves count on the first day."""
    moves = _moves(connection, found, mark)
    now = {state.value: before.get(state, 0) for state in State if state is not State.NEW}
    days: dict[date, dict[str, int]] = {}
    for offset in range((found.until - found.starts_on).days + 1):
        day = found.starts_on + timedelta(days=offset)
        for state, change in moves.get(day, {}).items():
            now[state] += change
        days[day] = dict(now)
    return days


def _moves(connection: Connection, found: BookSimulation, mark: Mark) -> dict[date, dict[str, int]]:
    e = db.event.c
    query = (
        select(e.effective_on, e.from_state, e.to_state, func.count())
        .where(e.id > mark.event, e.kind == "transition", e.effective_on <= found.until)
        .group_by(e.effective_on, e.from_state, e.to_state)
    )
    moves: dict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for on, before, after, number in connection.execute(query):
        day = moves[max(on, found.starts_on)]
        day[after] += number
        if before is not None:
            day[before] -= number
    return moves


def _sums(connection: Connection, mark: Mark, until: date) -> dict[str, Money]:
    c, i = db.charge.c, db.invoice.c
    charges = (
        select(c.currency, c.state, func.sum(c.amount_minor))
        .where(happenings.is_new_charge(mark), c.charged_on <= until)
        .group_by(c.currency, c.state)
    )
    invoices = (
        select(i.currency, func.sum(i.total_minor))
        .where(i.id > mark.invoice, i.issued_on <= until)
        .group_by(i.currency)
    )
    charged = {(currency, state): total for currency, state, total in connection.execute(charges)}
    invoiced: dict[str, int] = dict(connection.execute(invoices).all())
    return {
        currency: Money(
            charged.get((currency, "succeeded"), 0), charged.get((currency, "declined"), 0), invoiced.get(currency, 0)
        )
        for currency in sorted({*invoiced, *(currency for currency, _ in charged)})
    }


def _add_stuck(connection: Connection, found: BookSimulation) -> None:
    s = db.stuck.c
    found.stuck_count = connection.execute(select(func.count()).select_from(db.stuck)).scalar_one()
    query = (
        select(db.subscription.c.ref, s.due, s.due_on, s.error)
        .join_from(db.stuck, db.subscription, db.subscription.c.id == s.subscription_id)
        .order_by(s.subscription_id)
        .limit(_STUCK_SHOWN)
    )
    found.stuck = [StuckRow(*row) for row in connection.execute(query)]
