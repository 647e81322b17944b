"""A day on which everything happens: a book in which each job has something to do, and what it comes to.

The daemon was last awake at noon three days before `NOW`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, text
from sqlmodel import SQLModel

from app.clock import SimulatedClock
from app.domain.calendar import renewal_date
from app.domain.policy import Policy
from app.domain.values import MONTHS, Method, TermKind
from app.effects.book_provider import BookProvider
from app.services.commands import managing
from app.services.context import Context
from app.store import db
from app.store.create import create_all
from app.store.engine import open_engine, reading, writing
from jobs.simulation import Simulation
from tests.properties import lives
from tests.properties.lives import CATALOGUE, Command, Customer, Purchase

DAY = date(2026, 3, 10)
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LAST_AWAKE = NOW - timedelta(days=3)
ZONES = ("Europe/Oslo", "America/Havana")
PAYS, DECLINES = "5100000001", "5100000002"
_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Kind:
    """Subscriptions that are alike: they renew `days` after `DAY`, and somebody did something."""

    name: str
    days: int
    term: TermKind = TermKind.ANNUAL
    auto_renew: bool = False
    csn: str = PAYS
    offering: str = "DRAFT"
    commands: tuple[tuple[int, str, dict[str, Any]], ...] = ()
    """Days before `DAY`, name and arguments besides the subscription."""


KINDS = (
    Kind("renew", 0, auto_renew=True),
    Kind("renew-monthly", -1, TermKind.MONTHLY, auto_renew=True),
    Kind("renew-fewer", 0, auto_renew=True, commands=((50, "reduce_seats", {"seats": 1}),)),
    Kind("renew-free", -2, auto_renew=True, offering="GIFT"),
    Kind("declined", 0, auto_renew=True, csn=DECLINES),
    Kind("retried", -4, auto_renew=True, csn=DECLINES),
    Kind("scheduled", -1, commands=((20, "renew", {"payment": Method.CARD}),)),
    Kind("expires", 0),
    Kind("suspends", -15),
    Kind("cancels", -45),
    Kind("cancels-monthly", -30, TermKind.MONTHLY),
    Kind("exempt", 0, offering="CLOUD"),
    Kind("window", 91),
    Kind("quoted", 31),
    Kind("reminded", 5),
    Kind("installment", 730, TermKind.THREE_YEAR, auto_renew=True),
    Kind("installment-declined", 728, TermKind.THREE_YEAR, auto_renew=True, csn=DECLINES),
    Kind("trial", 0, TermKind.TRIAL),
)


def build(engine: Engine, copies: int = 1, page_size: int = 1000) -> Context:
    """Everything is bought and lived with until `LAST_AWAKE`; the provider keeps its record in the book."""
    create_all(engine)
    purchases = [_purchase(kind, n) for kind in KINDS for n in range(copies)]
    commands = [command for kind in KINDS for n in range(copies) for command in _commands(kind, n)]
    clock = SimulatedClock(min(p.at for p in purchases))
    ctx = Context(engine, Policy(), CATALOGUE, clock, BookProvider(engine), page_size=page_size)
    for csn in (PAYS, DECLINES):
        managing.create_customer(ctx, lives.new_customer(Customer(csn, ZONES[0], payers=(f"ap@{csn}.example",))))
    acts = [(p.at, 0, n, p) for n, p in enumerate(purchases)] + [(c.at, 1, n, c) for n, c in enumerate(commands)]
    simulation = Simulation(ctx, clock)
    for at, _, _, act in sorted(acts, key=lambda each: each[:3]):
        simulation.advance(at)
        if isinstance(act, Purchase):
            lives.buy(ctx, act)
            continue
        answer = lives.do(ctx, act)
        assert isinstance(answer[1], dict), f"{act} was refused: {answer}"
    simulation.advance(LAST_AWAKE)
    simulation.deliver()
    return ctx


def _purchase(kind: Kind, n: int) -> Purchase:
    renews_on = DAY + timedelta(days=kind.days)
    if kind.term is TermKind.TRIAL:
        starts_on = renews_on - timedelta(days=30)
    else:
        starts_on = renewal_date(renews_on, -MONTHS[kind.term], renews_on.day)
    return Purchase(
        at=datetime.combine(starts_on, datetime.min.time(), UTC) + timedelta(hours=12),
        ref=f"{kind.name}-{n}",
        csn=kind.csn,
        zone=ZONES[n % len(ZONES)],
        offering=kind.offering,
        kind=kind.term,
        seats=3,
        auto_renew=kind.auto_renew,
        payment=Method.CARD,
    )


def _commands(kind: Kind, n: int) -> list[Command]:
    """What somebody did, users on the seats, and the switch of the customer whose charges are declined."""
    ref = f"{kind.name}-{n}"
    found = []
    for days, name, arguments in kind.commands:
        subject: dict[str, Any] = {"subscriptions": [ref]} if name == "renew" else {"subscription": ref}
        found.append(Command(NOW - timedelta(days=days), name, subject | arguments))
    if kind.name == "renew-fewer":
        found += [
            Command(NOW - timedelta(days=49, minutes=-m), "assign_user", {"subscription": ref, "email": f"u{m}@a.test"})
            for m in range(3)
        ]
    if kind.csn == DECLINES and kind.name == "declined" and n == 0:
        found.append(Command(NOW - timedelta(days=10), "decline_payments", {"csn": DECLINES}))
    return found


def copy(source: Engine, target: Engine) -> None:
    """The same rows in another, empty database, and its series of ids where they stand."""
    create_all(target)
    with reading(source) as origin, writing(target) as connection:
        for table in SQLModel.metadata.sorted_tables:
            rows = [row._asdict() for row in origin.execute(select(table))]
            if rows:
                connection.execute(insert(table), rows)
            if target.dialect.name == "postgresql" and "id" in table.c:
                _continue_ids(connection, table.name)


def _continue_ids(connection: Connection, table: str) -> None:
    series = connection.execute(text("SELECT pg_get_serial_sequence(:table, 'id')"), {"table": table}).scalar()
    if series:
        connection.execute(text(f"SELECT setval('{series}', (SELECT coalesce(max(id), 1) FROM {table}))"))


# ---------------------------------------------------------------- what it comes to


def picture(url: str, mails: Path) -> dict[str, Any]:
    """All that a day came to, without the numbers that a crash may waste."""
    engine = open_engine(url)
    try:
        ctx = Context(engine, Policy(), CATALOGUE, SimulatedClock(NOW), BookProvider(engine))
        with reading(engine) as connection:
            return {
                "subscriptions": {ref: lives.outcome(ctx, ref) for ref in lives.refs(ctx)},
                "notices": sorted(_notices(connection)),
                "events": _events(connection),
                "provider": sorted(_taken(connection)),
                "users": sorted(tuple(row) for row in connection.execute(_USERS)),
                "mails": sorted(set(_read(mails))),
            }
    finally:
        engine.dispose()


_USERS = (
    select(db.subscription.c.ref, db.assignment.c.email)
    .join(db.assignment, db.assignment.c.subscription_id == db.subscription.c.id)
    .where(db.assignment.c.removed_at.is_(None))
)


def _notices(connection: Connection) -> list[tuple[str, ...]]:
    n = db.notice.c
    query = select(db.subscription.c.ref, n.term_number, n.kind, n.due_on, n.recipient, n.state, n.cause).join(
        db.subscription, db.subscription.c.id == n.subscription_id
    )
    return [(*map(str, row[:-1]), row.cause.partition(":")[0]) for row in connection.execute(query)]


def _events(connection: Connection) -> dict[str, list[tuple[str, ...]]]:
    e = db.event.c
    query = (
        select(db.subscription.c.ref, e.kind, e.name, e.from_state, e.to_state, e.effective_on, e.rule)
        .join(db.subscription, db.subscription.c.id == e.subscription_id)
        .order_by(e.id)
    )
    found: dict[str, list[tuple[str, ...]]] = {}
    for ref, *what in connection.execute(query):
        found.setdefault(ref, []).append(tuple(map(str, what)))
    for told in found.values():
        # A mail that is no longer true is dropped while other work goes on.
        told.sort(key=lambda what: what[1] == "drop_notice")
    return found


def _taken(connection: Connection) -> list[tuple[str, ...]]:
    """What the provider has on its own books."""
    p = db.provider_charge.c
    rows = connection.execute(select(p.csn, p.amount_minor, p.currency, p.as_of, p.taken))
    return [tuple(map(str, row)) for row in rows]


def _read(mails: Path) -> list[str]:
    return mails.read_text("utf-8").splitlines() if mails.exists() else []


def recorded(url: str, mails: Path) -> dict[str, int]:
    """How often each mail was handed over that is on record as sent. It must not be handed over again."""
    n = db.notice.c
    query = (
        select(n.due_on, n.kind, n.recipient, db.subscription.c.ref)
        .join(db.subscription, db.subscription.c.id == n.subscription_id)
        .where(n.state == "sent")
    )
    engine = open_engine(url)
    with reading(engine) as connection:
        sent = {" ".join(map(str, row)) for row in connection.execute(query)}
    engine.dispose()
    return {mail: times for mail, times in Counter(_read(mails)).items() if mail in sent}


def check_books(url: str) -> None:
    """Nothing is open, every charge of ours is one of the provider's, and invoices are numbered without a gap."""
    engine = open_engine(url)
    try:
        with reading(engine) as connection:
            ours = connection.execute(select(db.charge.c.key, db.charge.c.state)).all()
            theirs = dict(connection.execute(select(db.provider_charge.c.key, db.provider_charge.c.taken)).all())
            numbers = connection.execute(select(db.invoice.c.number)).scalars().all()
            waiting = connection.execute(select(db.notice.c.id).where(db.notice.c.state == "pending")).all()
            stuck = connection.execute(select(db.stuck.c.error)).scalars().all()
            due = connection.execute(select(db.subscription.c.ref).where(db.subscription.c.next_on <= DAY)).all()
    finally:
        engine.dispose()
    assert dict(ours) == {key: "succeeded" if taken else "declined" for key, taken in theirs.items()}
    assert not waiting
    assert not stuck
    assert not due
    _check_numbers(numbers)


def _check_numbers(numbers: Sequence[str]) -> None:
    by_year: dict[str, list[int]] = {}
    for number in numbers:
        year, _, count = number.partition("-")
        by_year.setdefault(year, []).append(int(count))
    for year, counts in by_year.items():
        assert sorted(counts) == list(range(1, len(counts) + 1)), f"a gap in the invoices of {year}"
