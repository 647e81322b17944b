"""A day begins at its own midnight in its own zone, also where that midnight is missing or comes twice (J2, D4)."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from app.domain.calendar import day_start, local_day, renewal_date
from app.domain.catalogue import Catalogue, Offering
from app.domain.states import State
from app.domain.values import TermKind
from app.effects.memory_provider import MemoryProvider
from app.services import lists
from app.services.context import Context
from jobs import runner
from jobs.simulation import Simulation
from tests.factories import CATALOGUE, at, buy, customer, load, make_context
from tests.properties.lives import memory_book

SECOND = timedelta(seconds=1)
CHANGES = [
    ("America/Havana", date(2026, 3, 8)),
    ("America/Havana", date(2026, 11, 1)),
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Africa/Cairo", date(2026, 10, 30)),
    ("Asia/Beirut", date(2026, 3, 29)),
    ("Asia/Beirut", date(2026, 10, 25)),
    ("America/Santiago", date(2026, 9, 6)),
    ("America/Santiago", date(2026, 4, 5)),
]
"""Days on which the clocks go forward over midnight, or back over it."""


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = memory_book()
    yield engine
    engine.dispose()


def _simulation(engine: Engine, instant: datetime, catalogue: Catalogue = CATALOGUE) -> Simulation:
    ctx = make_context(engine, instant, catalogue=catalogue)
    clock: Any = ctx.clock
    return Simulation(ctx, clock)


def _bought_a_year_before(engine: Engine, renews_on: date, zone: str, **how: Any) -> Simulation:
    first = renewal_date(renews_on, -12, renews_on.day)
    simulation = _simulation(engine, day_start(first, zone) + timedelta(hours=12))
    buy(simulation.ctx, timezone=zone, **how)
    assert load(simulation.ctx).renews_on == renews_on
    return simulation


def _taken(ctx: Context) -> list[datetime]:
    provider = ctx.provider
    assert isinstance(provider, MemoryProvider)
    return [request.as_of for request in provider.taken]


@pytest.mark.parametrize(("zone", "day"), CHANGES)
@pytest.mark.parametrize("off_by", [-1, 0, 1])
def test_the_charge_is_made_at_the_first_instant_of_the_day(engine: Engine, zone: str, day: date, off_by: int) -> None:
    """Once, neither an hour early nor twice: on the day of the change, the day before, and the day after."""
    renews_on = day + timedelta(days=off_by)
    simulation = _bought_a_year_before(engine, renews_on, zone)
    begins_at = day_start(renews_on, zone)
    simulation.advance(begins_at - SECOND)
    assert load(simulation.ctx).renews_on == renews_on
    assert runner.next_wake(simulation.ctx) == begins_at
    simulation.advance(begins_at)
    assert load(simulation.ctx).starts_on == renews_on
    simulation.advance(begins_at + timedelta(hours=30))
    assert _taken(simulation.ctx)[1:] == [begins_at]
    assert [row["on"] for row in lists.of(simulation.ctx, "charges_of", "S1")][1:] == [renews_on]


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_access_lasts_through_the_last_second_of_the_term(engine: Engine, zone: str, day: date) -> None:
    simulation = _bought_a_year_before(engine, day, zone, auto_renew=False)
    simulation.advance(day_start(day, zone) - SECOND)
    assert load(simulation.ctx).state is State.RENEWABLE
    assert local_day(simulation.clock.now(), zone) == day - timedelta(days=1)
    simulation.advance(day_start(day, zone))
    assert load(simulation.ctx).state is State.EXPIRED


@pytest.mark.parametrize("daemon_is_up", [True, False])
def test_the_first_and_the_last_zone_of_a_day(engine: Engine, daemon_is_up: bool) -> None:
    """On Kiritimati the tenth begins 25 hours before it begins in Pago Pago; each is charged at its own midnight."""
    simulation = _simulation(engine, at("2025-06-10 11:30"))
    ctx = simulation.ctx
    buy(ctx, "PAGO", "monthly", timezone="Pacific/Pago_Pago")
    buy(ctx, "KIRI", "monthly", timezone="Pacific/Kiritimati")
    assert (load(ctx, "PAGO").starts_on, load(ctx, "KIRI").starts_on) == (date(2025, 6, 10), date(2025, 6, 11))
    if not daemon_is_up:
        simulation.stop_daemon()
    simulation.advance(at("2025-07-10 10:59:59"))
    assert load(ctx, "PAGO").starts_on == date(2025, 6, 10)
    assert load(ctx, "KIRI").starts_on == date(2025, 7 if daemon_is_up else 6, 11)
    simulation.advance(at("2025-07-12 00:00"))
    if not daemon_is_up:
        simulation.start_daemon()
    assert _taken(ctx)[2:] == [at("2025-07-10 10:00"), at("2025-07-10 11:00")]
    assert (load(ctx, "PAGO").starts_on, load(ctx, "KIRI").starts_on) == (date(2025, 7, 10), date(2025, 7, 11))


@pytest.mark.parametrize(("changes_on", "amount"), [(date(2026, 7, 8), "200.00"), (date(2026, 7, 9), "100.00")])
@pytest.mark.parametrize("daemon_is_up", [True, False])
def test_the_price_is_that_of_the_customers_day(
    engine: Engine, changes_on: date, amount: str, daemon_is_up: bool
) -> None:
    """On Kiritimati the tenth begins while it is the eighth where the customer is: 23:00 in Pago Pago (D5, J9)."""
    monthly = TermKind.MONTHLY
    priced = Offering(
        "Priced", {"EUR": {monthly: Decimal(100)}}, prices_from={changes_on: {"EUR": {monthly: Decimal(200)}}}
    )
    simulation = _simulation(engine, at("2026-06-09 12:00"), Catalogue(offerings={"PRICED": priced}))
    customer(simulation.ctx, timezone="Pacific/Pago_Pago")
    buy(simulation.ctx, "S1", "monthly", offering="PRICED", seats=1, timezone="Pacific/Kiritimati")
    if not daemon_is_up:
        simulation.stop_daemon()
    simulation.advance(at("2026-07-20 12:00"))
    if not daemon_is_up:
        simulation.start_daemon()
    charges = [(row["on"], row["amount"]) for row in lists.of(simulation.ctx, "charges_of", "S1")]
    assert charges == [(date(2026, 6, 10), "100.00"), (date(2026, 7, 10), amount)]
