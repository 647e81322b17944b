"""What is invoiced is what was charged, however late the provider's answer is known (D5, J4, J9)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from app.domain.catalogue import Catalogue, Offering
from app.domain.payments import Answer, ChargeRequest
from app.domain.values import TermKind
from app.effects.memory_provider import MemoryProvider
from app.services import lists
from app.services.commands import COMMANDS
from app.services.context import Context
from jobs import runner
from tests.factories import at, buy, customer, make_context

TOKYO, LOS_ANGELES = "Asia/Tokyo", "America/Los_Angeles"


class SlowToSay(MemoryProvider):
    """Makes the charge, but its answer is only known when it is asked again."""

    def charge(self, requests: Sequence[ChargeRequest]) -> list[Answer]:
        super().charge(requests)
        return [Answer.UNKNOWN for _ in requests]


def _dearer_from_the_tenth() -> Catalogue:
    """730.00, and 800.00 from the day on which the customer's zone shows 2026-06-10."""
    prices = {"EUR": {TermKind.ANNUAL: Decimal("730.00")}}
    dearer = {date(2026, 6, 10): {"EUR": {TermKind.ANNUAL: Decimal("800.00")}}}
    return Catalogue(offerings={"REED": Offering("Reedmark Drawing", prices, prices_from=dearer)})


@pytest.fixture
def ctx(engine: Engine) -> Context:
    """S1 renews when 2026-06-10 begins in Tokyo: in its customer's Los Angeles that is still the 9th."""
    ctx = make_context(engine, at("2025-06-10 03:00"), catalogue=_dearer_from_the_tenth())
    customer(ctx, timezone=LOS_ANGELES)
    buy(ctx, "S1", seats=1, timezone=TOKYO)
    ctx.clock.move_to(at("2026-06-09 15:00"))  # type: ignore[attr-defined]
    runner.run_due(replace(ctx, provider=SlowToSay()))
    return ctx


@pytest.mark.parametrize("by", ["command", "retry"])
def test_an_answer_that_is_known_later_buys_at_the_price_that_was_charged(ctx: Context, by: str) -> None:
    ctx.clock.move_to(at("2026-06-10 12:00"))  # type: ignore[attr-defined]
    if by == "command":
        COMMANDS["assign_user"](ctx, subscription="S1", email="ada@noord.example")
    else:
        assert runner.retry_stuck(ctx, timedelta(0)) == 1
    charged = [(row["on"], row["amount"], row["result"]) for row in lists.of(ctx, "charges_of", "S1")][1:]
    assert charged == [(date(2026, 6, 10), "730.00", "succeeded")]
    invoiced = [(row["issued_on"], row["total"], row["paid"]) for row in lists.of(ctx, "invoices_of", "S1")][1:]
    assert invoiced == [(date(2026, 6, 10), "730.00", "730.00")]
