"""Books to measure on: made by bulk inserts, `due` of them due on the day that is measured."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import Engine, insert, text

from app.clock import SimulatedClock
from app.domain.calendar import day_start
from app.domain.catalogue import Catalogue, Offering
from app.domain.policy import Policy
from app.domain.values import Due, TermKind
from app.effects.memory_provider import MemoryProvider
from app.services import schema
from app.services.context import Context
from app.store import db, writer
from app.store.create import create_all
from app.store.engine import writing

ZONE = "Europe/Oslo"
TODAY = date(2027, 3, 1)
_STARTED = datetime(2026, 1, 1, tzinfo=UTC)
_CHUNK = 20_000
_PLACES = {Due.OPEN_WINDOW: 9, Due.RENEW: 4}
CATALOGUE = Catalogue(offerings={"DRAFT": Offering("Draft", {"EUR": {TermKind.ANNUAL: Decimal("730.00")}})})


def context(engine: Engine, page_size: int = 1000) -> Context:
    """The parts of a run at the beginning of the measured day."""
    clock = SimulatedClock(day_start(TODAY, ZONE))
    return Context(engine, Policy(), CATALOGUE, clock, MemoryProvider(), page_size=page_size)


def build(engine: Engine, total: int, due: int, what: Due) -> None:
    """A book of `total` annual subscriptions, three to a customer; every (total / due)-th is due today."""
    create_all(engine)
    with writing(engine) as connection:
        values = {"id": 1, "name": ZONE, "done_day": TODAY - timedelta(days=1), "done_job": 11}
        connection.execute(insert(db.zone).values(**values))
        connection.execute(insert(db.counter).values(name="subscription", value=total))
    for start in range(0, total, _CHUNK):
        _chunk(engine, range(start + 1, min(total, start + _CHUNK) + 1), total // due, what)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def _chunk(engine: Engine, ids: range, every: int, what: Due) -> None:
    customers = [i for i in ids if i % 3 == 1]
    with writing(engine) as connection:
        columns = (
            "id", "csn", "name", "purchaser", "language", "currency", "timezone", "tax_exempt", "prepay_required",
            "created_at",
        )  # fmt: skip
        rows = [
            (i, f"51{i:08d}", f"Customer {i}", f"buyer{i}@example.test", "nb", "EUR", ZONE, False, False, _STARTED)
            for i in customers
        ]
        writer.insert(connection, db.customer, columns, rows)
        subs = [_subscription(i, i % every == 0, what) for i in ids]
        writer.insert(connection, db.subscription, schema.SUBSCRIPTION.columns, subs)
        terms = [(s[0], 1, "annual", s[11], s[12], s[13], 2, "DRAFT", s[11], False) for s in subs]
        writer.insert(connection, db.term, schema.TERM.columns, terms)


def _subscription(i: int, is_due: bool, what: Due) -> tuple[object, ...]:
    """Due today: its window opens, or it renews by itself. The others are due in half a year."""
    renews = what is Due.RENEW
    day = TODAY if is_due else TODAY + timedelta(days=180 + i % 120)
    ends_on = day - timedelta(days=1) if renews else day + timedelta(days=90)
    starts_on = ends_on - timedelta(days=364)
    state = "renewable" if renews else "active"
    customer = i - (i - 1) % 3
    return (
        i, f"S{i:08d}", customer, 1, "DRAFT", None, "EUR", "annual", 2, 1, 1, starts_on, ends_on, starts_on.day,
        state, None, None, 0, renews, "card", starts_on, None, False, ends_on - timedelta(days=4) if renews else None,
        ends_on - timedelta(days=30) if renews else None, False,
        _PLACES[what], day, False, 0, _STARTED,
    )  # fmt: skip
