"""A small book with some of everything, five weeks before its annual terms end, and a fingerprint of its tables."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Engine, select
from sqlmodel import SQLModel

from app.domain.errors import PaymentDeclined
from app.domain.values import Method, TermKind
from app.effects.book_provider import BookProvider
from app.services.commands import buying, managing
from app.services.context import Context
from app.store.engine import reading
from jobs.simulation import Simulation
from tests.factories import at, buy, customer, make_context

NOORD, OOST, WEST, ZUID = "5100000001", "5100000002", "5100000003", "5100000004"
ZONES = {NOORD: "Europe/Amsterdam", OOST: "Pacific/Auckland", WEST: "Pacific/Honolulu", ZUID: "Europe/Amsterdam"}
NOW = at("2026-05-08 09:30")


def build(engine: Engine, page_size: int = 3) -> Context:
    """Played day by day until `NOW`; its payment provider keeps its record in the book, as a live one."""
    ctx = make_context(engine, at("2025-05-25 10:00"), page_size=page_size)
    ctx = replace(ctx, provider=BookProvider(engine))
    for csn, zone in ZONES.items():
        payers = {"payers": [f"ap@{csn}.example"], "net_days": 30} if csn == NOORD else {}
        customer(ctx, csn, timezone=zone, **payers)
    buy(ctx, "Z-QUOTED", csn=ZUID, auto_renew=False)
    simulation = Simulation(ctx, _clock(ctx))
    simulation.advance(at("2025-06-10 10:00"))
    _annuals(ctx)
    simulation.advance(at("2026-04-24 12:00"))
    _monthlies(ctx)
    simulation.advance(NOW)
    simulation.deliver()
    return ctx


def _annuals(ctx: Context) -> None:
    buy(ctx, "N-OFF", csn=NOORD, auto_renew=False)
    buy(ctx, "N-AUTO", csn=NOORD)
    buy(ctx, "O-THREE", "three_year", csn=OOST)
    buy(ctx, "O-OFF", csn=OOST, auto_renew=False, offering="DRIFT")
    items = [buying.Item(ref, "REED", TermKind.ANNUAL, 1) for ref in ("W-ONE", "W-TWO")]
    buying.buy(ctx, WEST, items, Method.CARD)
    buy(ctx, "Z-BANK", csn=ZUID, payment=Method.BANK_TRANSFER)
    managing.assign_user(ctx, "N-OFF", "tekenaar@noord.example")
    managing.assign_user(ctx, "N-OFF", "stagiair@noord.example")
    managing.unassign_user(ctx, "N-OFF", "stagiair@noord.example")


def _monthlies(ctx: Context) -> None:
    buy(ctx, "N-MONTH", "monthly", csn=NOORD)
    buy(ctx, "W-TRIAL", "trial", csn=WEST)
    ctx.provider.set_declining(WEST, ctx.now(), True)
    try:
        buy(ctx, "W-NEVER", "monthly", csn=WEST)
    except PaymentDeclined:
        return
    raise AssertionError("the provider declines this customer")


def _clock(ctx: Context) -> Any:
    return ctx.clock


def run_on(ctx: Context, until: str) -> None:
    """The days that follow, on the book itself."""
    simulation = Simulation(ctx, _clock(ctx))
    simulation.work()
    simulation.advance(at(until))


def rows(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with reading(engine) as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in SQLModel.metadata.sorted_tables
        }
