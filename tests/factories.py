"""Invented customers, offerings and purchases for tests, on a clock that the test moves.

ctx = make_context(engine)
buy(ctx, "S1", "annual")
ctx.clock.move_to(at("2026-06-10"))
"""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, select

from app.clock import SimulatedClock
from app.domain.catalogue import Catalogue, Offering
from app.domain.policy import Policy
from app.domain.states import State
from app.domain.subscription import Subscription
from app.domain.values import Method, OfferingKind, Region, TermKind
from app.effects.memory_provider import MemoryProvider
from app.services.commands import buying, managing
from app.services.context import Context
from app.store import db
from app.store.engine import reading
from app.store.facts import Facts

START = datetime(2025, 6, 10, 10, 0, tzinfo=UTC)
"""Noon in Amsterdam."""
ZONE = "Europe/Amsterdam"
CSN = "5100000001"

CATALOGUE = Catalogue(
    offerings={
        "REED": Offering("Reedmark Drawing", {
            "EUR": {
                TermKind.MONTHLY: Decimal("95.00"),
                TermKind.ANNUAL: Decimal("730.00"),
                TermKind.THREE_YEAR: Decimal("2190.00"),
            },
            "JPY": {TermKind.MONTHLY: Decimal("15000"), TermKind.ANNUAL: Decimal("116800")},
        }),
        "DRIFT": Offering(
            "Driftbox Cloud",
            {"EUR": {TermKind.MONTHLY: Decimal("45.00"), TermKind.ANNUAL: Decimal("360.00")}},
            kind=OfferingKind.CLOUD,
            lapse_exempt=True,
            returnable=False,
        ),
    },
    regions={Region.EEA: ["NL", "BE", "DE", "NO"], Region.UK: ["GB"], Region.CH: ["CH"], Region.CA: ["CA"]},
)  # fmt: skip
"""REED has every stage of the shutoff; DRIFT is a cloud without any (L4)."""


def at(written: str) -> datetime:
    """`2026-06-10` or `2026-06-10 12:30` in UTC."""
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def make_context(
    engine: Engine,
    clock_start: datetime = START,
    *,
    catalogue: Catalogue = CATALOGUE,
    page_size: int = 1000,
    **policy: Any,
) -> Context:
    """A context on a simulated clock, with a provider in memory. `policy`: sections, `bulk=Bulk(limit=3)`."""
    clock = SimulatedClock(clock_start)
    own = replace(Policy(), **policy)
    return Context(engine, own, catalogue, clock, MemoryProvider(), page_size=page_size, default_timezone=ZONE)


def customer(ctx: Context, csn: str = CSN, **known: Any) -> str:
    """Put a customer on file and answer its number. `known`: fields of `managing.NewCustomer`."""
    fields: dict[str, Any] = {
        "name": f"Atelier {csn}",
        "purchaser": f"buyer@{csn}.example",
        "currency": "EUR",
        "timezone": ZONE,
        "country": "NL",
    }
    managing.create_customer(ctx, managing.NewCustomer(csn=csn, **fields | known))
    return csn


def buy(
    ctx: Context,
    ref: str = "S1",
    term: TermKind | str = TermKind.ANNUAL,
    *,
    csn: str = CSN,
    offering: str = "REED",
    seats: int = 2,
    payment: Method | str | None = Method.CARD,
    **more: Any,
) -> str:
    """Buy a subscription now and answer its reference; a customer that is not on file yet is put there."""
    if not _is_on_file(ctx, csn):
        customer(ctx, csn)
    item = buying.Item(ref, offering, TermKind(term), seats)
    method = None if payment is None or item.term is TermKind.TRIAL else Method(payment)
    buying.buy(ctx, csn, [item], method, is_paid=True, **more)
    return ref


def load(ctx: Context, ref: str = "S1") -> Subscription:
    """A subscription as it is stored."""
    with reading(ctx.engine) as connection:
        (found,) = Facts(connection, ctx.policy, ctx.catalogue, lock=False).by_refs([ref])
    return found


def subscription(**known: Any) -> Subscription:
    """A subscription that is in no database: annual, active, from 2025-06-10 to 2026-06-09."""
    fields: dict[str, Any] = {
        "id": 1, "ref": "S1", "customer_id": 1, "csn": CSN, "purchaser": "buyer@noord.example",
        "language": "en", "customer_zone": ZONE, "region": Region.EEA, "has_payers": False,
        "zone": ZONE, "zone_id": 1, "offering_code": "REED", "partner": None, "currency": "EUR",
        "kind": TermKind.ANNUAL, "seats": 2, "term_number": 1, "last_number": 1,
        "starts_on": date(2025, 6, 10), "ends_on": date(2026, 6, 9), "anchor_day": 10,
        "state": State.ACTIVE, "reason": None, "lapse_on": None, "grace_days": 0, "auto_renew": True,
        "method": Method.CARD, "regime_on": date(2025, 6, 10), "new_regime": True, "tried_on": None,
        "declined": False, "reminded_on": None, "quote_decided_on": None, "converted": False, "version": 0,
        "next_job": None, "next_on": None,
    } | known  # fmt: skip
    fields.setdefault("offering", CATALOGUE.offerings[fields["offering_code"]])
    return Subscription(**fields)


def _is_on_file(ctx: Context, csn: str) -> bool:
    with reading(ctx.engine) as connection:
        query = select(db.customer.c.id).where(db.customer.c.csn == csn)
        return connection.execute(query).first() is not None
