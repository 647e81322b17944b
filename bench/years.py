"""Ten simulated years of a thousand subscriptions (c)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import perf_counter

from app.clock import SimulatedClock
from app.domain.calendar import day_start
from app.domain.policy import Policy
from app.domain.values import TermKind
from app.effects.memory_provider import MemoryProvider
from app.services.commands import buying, managing
from app.services.context import Context
from app.store.create import create_all
from app.store.engine import open_engine
from bench.books import CATALOGUE, ZONE
from bench.days import Size
from jobs.simulation import Simulation

_SUBSCRIPTIONS = 1000
_YEARS = 10


def measure(size: Size) -> None:
    """Print the time of the simulated years; a third of the subscriptions do not renew by themselves."""
    count = _SUBSCRIPTIONS if size.rounds > 2 else _SUBSCRIPTIONS // 10
    engine = open_engine("sqlite://")
    create_all(engine)
    clock = SimulatedClock(datetime(2026, 1, 1, 12, tzinfo=UTC))
    ctx = Context(engine, Policy(), CATALOGUE, clock, MemoryProvider())
    simulation = Simulation(ctx, clock)
    new = managing.NewCustomer("5100000001", "Bench", "bench@example.test", "EUR", ZONE)
    managing.create_customer(ctx, new)
    start = perf_counter()
    for i in range(count):
        if i % 10 == 0:
            simulation.advance(clock.now() + timedelta(days=3))
        item = buying.Item(f"S{i}", "DRAFT", TermKind.ANNUAL, 1)
        buying.buy(ctx, "5100000001", [item], auto_renew=i % 3 > 0)
    bought = perf_counter()
    end = day_start(clock.now().date().replace(year=clock.now().year + _YEARS), ZONE)
    simulation.advance(end)
    seconds = perf_counter() - bought
    engine.dispose()
    print(
        f"(c) {_YEARS} simulated years of {count:,} subscriptions: {seconds:.1f} s, "
        f"{_YEARS / seconds:.2f} years a second (buying them: {bought - start:.1f} s)",
        flush=True,
    )
