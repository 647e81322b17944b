"""Lives: a few subscriptions, what people do to them and when, and a daemon that may be down meanwhile.

`play` lets a life pass on a simulated clock and answers everything that people can see of it afterwards.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Engine, select
from sqlmodel import SQLModel

from app.clock import SimulatedClock
from app.domain.catalogue import Catalogue, Offering, Promotion
from app.domain.errors import NotInThisVersion, Refusal
from app.domain.policy import Policy
from app.domain.values import Method, Region, TermKind
from app.effects.memory_provider import MemoryProvider
from app.services import lists, views
from app.services.commands import COMMANDS, buying, managing
from app.services.context import Context
from app.store import db
from app.store.create import create_all
from app.store.engine import open_engine, reading
from jobs import runner
from jobs.simulation import Simulation

_EACH = {TermKind.MONTHLY: Decimal("10.01"), TermKind.ANNUAL: Decimal("100.10"), TermKind.THREE_YEAR: Decimal("250.01")}
_DEARER = {kind: price + Decimal("3.33") for kind, price in _EACH.items()}
_YEN = {kind: Decimal(int(price) * 101) for kind, price in _EACH.items()}
CATALOGUE = Catalogue(
    offerings={
        "DRAFT": Offering(
            "Draft",
            {"EUR": _EACH, "JPY": _YEN},
            prices_from={date(2024, 3, 1): {"EUR": _DEARER}, date(2027, 1, 1): {"EUR": _EACH}},
        ),
        "CLOUD": Offering("Cloud", {"EUR": _EACH, "JPY": _YEN}, lapse_exempt=True),
        "GIFT": Offering("Gift", {"EUR": dict.fromkeys(_EACH, Decimal(0)), "JPY": dict.fromkeys(_EACH, Decimal(0))}),
    },
    promotions=[
        Promotion(
            "SPRING",
            Decimal("12.5"),
            ["DRAFT"],
            [TermKind.MONTHLY, TermKind.ANNUAL],
            date(2025, 2, 1),
            date(2025, 5, 31),
        )
    ],
)


@dataclass(frozen=True, slots=True)
class Customer:
    """Who buys, and where."""

    csn: str
    zone: str
    region: Region | None = None
    currency: str = "EUR"
    payers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Purchase:
    """A subscription and the instant at which it is bought."""

    at: datetime
    ref: str
    csn: str
    zone: str
    offering: str = "DRAFT"
    kind: TermKind = TermKind.ANNUAL
    seats: int = 3
    auto_renew: bool | None = None
    payment: Method = Method.CARD


@dataclass(frozen=True, slots=True)
class Command:
    """What somebody does at an instant."""

    at: datetime
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Life:
    """A story without a daemon: that is what a test adds."""

    customers: tuple[Customer, ...]
    purchases: tuple[Purchase, ...]
    commands: tuple[Command, ...]
    ends_at: datetime

    @property
    def begins_at(self) -> datetime:
        return min(purchase.at for purchase in self.purchases)


@dataclass(slots=True)
class Seen:
    """What a life came to: each subscription with its lists, and the answer to each command."""

    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: list[tuple[str, Any]] = field(default_factory=list)


Move = Callable[[Simulation, datetime], None]
"""How time passes until an instant."""


def daemon_up(simulation: Simulation, until: datetime) -> None:
    """Every job runs at the instant at which it is due."""
    simulation.advance(until)


def at_one_go(simulation: Simulation, until: datetime) -> None:
    """The clock leaps, and the daemon finds at once what was due meanwhile."""
    simulation.clock.move_to(until)
    simulation.work()
    runner.note_done(simulation.ctx)


@dataclass(frozen=True, slots=True)
class WithDowntime:
    """The daemon is down in the given spans; at the end of each everything missed is done."""

    spans: Sequence[tuple[datetime, datetime]]

    def __call__(self, simulation: Simulation, until: datetime) -> None:
        begins_at = simulation.clock.now()
        edges = {edge for span in self.spans for edge in span if begins_at < edge < until}
        for instant in sorted(edges | {until}):
            is_down = any(since < instant <= back for since, back in self.spans)
            if is_down == simulation.daemon_is_up:
                simulation.stop_daemon() if is_down else simulation.start_daemon()
            simulation.advance(instant)


def play(
    life: Life,
    move: Move = daemon_up,
    *,
    engine: Engine | None = None,
    page_size: int = 1000,
    order: Sequence[int] | None = None,
    look: Callable[[Simulation], None] = lambda _: None,
) -> Seen:
    """Let a life pass and answer what is to be seen at its end, when everything due is done.

    `order` permutes the purchases of one instant; `look` is called after each step.
    """
    opened = engine or memory_book()
    clock = SimulatedClock(life.begins_at)
    ctx = Context(opened, Policy(), CATALOGUE, clock, MemoryProvider(), page_size=page_size)
    simulation, seen = Simulation(ctx, clock), Seen()
    for customer in life.customers:
        managing.create_customer(ctx, new_customer(customer))
    try:
        for instant, act in _story(life, order):
            move(simulation, instant)
            answer = act(ctx)
            if answer is not None:
                seen.answers.append(answer)
            simulation.deliver()
            look(simulation)
        move(simulation, life.ends_at)
        if not simulation.daemon_is_up:
            simulation.start_daemon()
        look(simulation)
        seen.subscriptions = {ref: outcome(ctx, ref) for ref in refs(ctx)}
    finally:
        if engine is None:
            opened.dispose()
    return seen


def _story(life: Life, order: Sequence[int] | None) -> list[tuple[datetime, Callable[[Context], Any]]]:
    purchases = [life.purchases[i] for i in order] if order else list(life.purchases)
    acts: list[tuple[datetime, int, Callable[[Context], Any]]] = [
        (purchase.at, 0, _bound(buy, purchase)) for purchase in purchases
    ]
    acts += [(command.at, 1, _bound(do, command)) for command in life.commands]
    return [(instant, act) for instant, _, act in sorted(acts, key=lambda each: each[:2])]


def _bound(act: Callable[[Context, Any], Any], argument: Any) -> Callable[[Context], Any]:
    return lambda ctx: act(ctx, argument)


def buy(ctx: Context, bought: Purchase) -> None:
    """Buy one subscription, by hand or by card: the money is there."""
    is_trial = bought.kind is TermKind.TRIAL
    buying.buy(
        ctx,
        bought.csn,
        [buying.Item(bought.ref, bought.offering, bought.kind, bought.seats)],
        payment=None if is_trial else bought.payment,
        auto_renew=bought.auto_renew,
        timezone=bought.zone,
        is_paid=True,
    )


def do(ctx: Context, command: Command) -> tuple[str, Any]:
    """Carry a command out; its answer is its outcomes, or the code of its refusal."""
    try:
        result = COMMANDS[command.name](ctx, **command.arguments)
    except Refusal as refusal:
        return command.name, refusal.code
    except NotInThisVersion:
        return command.name, "not in this version"
    return command.name, dict(sorted(result.outcomes.items()))


def new_customer(customer: Customer) -> managing.NewCustomer:
    """A customer as the product puts it on file."""
    return managing.NewCustomer(
        csn=customer.csn,
        name=f"Customer {customer.csn}",
        purchaser=f"buyer@{customer.csn}.example",
        currency=customer.currency,
        timezone=customer.zone,
        region=customer.region,
        payers=customer.payers,
    )


def refs(ctx: Context) -> list[str]:
    """Every subscription of the book."""
    with reading(ctx.engine) as connection:
        return [row[0] for row in connection.execute(select(db.subscription.c.ref).order_by(db.subscription.c.ref))]


def outcome(ctx: Context, ref: str) -> dict[str, Any]:
    """All there is to see of a subscription, mail and numbers of documents left out.

    Numbers are given in the order of processing, which downtime changes. So are notices: one that is
    no longer true when the daemon is back is dropped (W4).
    """
    seen: dict[str, Any] = {"view": views.subscription(ctx, ref)}
    for name in ("invoices_of", "installments_of", "quotes_of", "charges_of", "transitions_of"):
        seen[name] = [{key: value for key, value in row.items() if key != "number"} for row in lists.of(ctx, name, ref)]
    seen["terms"] = terms(ctx, ref)
    return seen


def terms(ctx: Context, ref: str) -> list[tuple[Any, ...]]:
    """The terms a subscription was bought for, by their first day."""
    c = db.term.c
    query = (
        select(c.starts_on, c.ends_on, c.term, c.seats, c.offering, c.anchor_day, c.bought_on)
        .join(db.subscription, db.subscription.c.id == c.subscription_id)
        .where(db.subscription.c.ref == ref, ~c.undone)
        .order_by(c.starts_on)
    )
    with reading(ctx.engine) as connection:
        return [tuple(row) for row in connection.execute(query)]


@cache
def _empty_book() -> sqlite3.Connection:
    engine = open_engine("sqlite://")
    create_all(engine)
    kept = sqlite3.connect(":memory:")
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.backup(kept)
    engine.dispose()
    return kept


def memory_book() -> Engine:
    """An empty book in memory; copied, because that is quicker than making its tables."""
    engine = open_engine("sqlite://")
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        _empty_book().backup(driver)
    return engine


def contents(engine: Engine, without: Sequence[str] = ()) -> dict[str, list[Any]]:
    """Every row of every table: to see that nothing has changed."""
    with reading(engine) as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in SQLModel.metadata.sorted_tables
            if table.name not in without
        }
