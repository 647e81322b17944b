"""A person's command that dies between the provider's yes and our record of it is finished by the next run (J4)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.clock import SimulatedClock
from app.domain.payments import Answer, ChargeRequest
from app.domain.policy import Policy
from app.domain.values import Method, TermKind
from app.effects.memory_provider import MemoryProvider
from app.services.commands import COMMANDS, buying, managing
from app.services.context import Context
from jobs.simulation import Simulation
from tests.properties import lives
from tests.properties.lives import CATALOGUE, Customer, Purchase

BOUGHT = datetime(2025, 3, 10, 12, tzinfo=UTC)


class DiesAfterYes(MemoryProvider):
    """Takes the money; then the power goes."""

    def charge(self, requests: Sequence[ChargeRequest]) -> list[Answer]:
        super().charge(requests)
        raise KeyboardInterrupt


class DiesBefore(MemoryProvider):
    """The power goes before it is asked."""

    def charge(self, requests: Sequence[ChargeRequest]) -> list[Answer]:
        raise KeyboardInterrupt


@dataclass(frozen=True)
class Case:
    """A command that charges at once, and after how many days it is given."""

    name: str
    days: int
    arguments: dict[str, Any]
    kind: TermKind = TermKind.ANNUAL
    auto_renew: bool = True


CASES = [
    Case("renew", 360, {"subscriptions": ["S1"]}),
    Case("renew", 380, {"subscriptions": ["S1"], "term": TermKind.THREE_YEAR, "seats": 1}, auto_renew=False),
    Case("accept_quote", 350, {"quote": "S1", "payment": Method.PAYPAL}, auto_renew=False),
    Case("convert_trial", 10, {"subscription": "S1", "name": "C1", "term": TermKind.MONTHLY, "seats": 2,
                               "payment": Method.CARD}, kind=TermKind.TRIAL),
    Case("buy", 10, {"csn": "1", "items": [buying.Item("N1", "DRAFT", TermKind.ANNUAL, 1),
                                           buying.Item("N2", "DRAFT", TermKind.ANNUAL, 2)]}),
    Case("pay_invoices", 370, {"csn": "1", "invoices": ["S1"], "payment": Method.CARD}, kind=TermKind.THREE_YEAR),
    Case("change_payment_method", 370, {"subscription": "S1", "payment": Method.PAYPAL}),
    Case("set_auto_renew", 370, {"subscriptions": ["S1"], "enabled": True}, auto_renew=False),
]  # fmt: skip


@contextmanager
def _lived(case: Case) -> Iterator[Simulation]:
    """A book in memory just before the command; what is paid by itself in it is declined until then."""
    engine = lives.memory_book()
    clock = SimulatedClock(BOUGHT)
    ctx = Context(engine, Policy(), CATALOGUE, clock, MemoryProvider())
    managing.create_customer(ctx, lives.new_customer(Customer("1", "UTC")))
    lives.buy(ctx, Purchase(BOUGHT, "S1", "1", "UTC", kind=case.kind, auto_renew=case.auto_renew))
    ctx.provider.set_declining("1", BOUGHT + timedelta(hours=1), True)
    simulation = Simulation(ctx, clock)
    simulation.advance(BOUGHT + timedelta(days=case.days))
    ctx.provider.set_declining("1", clock.now(), False)
    yield simulation
    engine.dispose()


def _outcome(simulation: Simulation) -> dict[str, Any]:
    """What there is to see three weeks later."""
    simulation.advance(simulation.clock.now() + timedelta(days=21))
    return {ref: lives.outcome(simulation.ctx, ref) for ref in lives.refs(simulation.ctx)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.kind}-{case.days}")
@pytest.mark.parametrize("power_goes", [DiesAfterYes, DiesBefore])
def test_a_command_that_dies_is_finished_by_the_next_run(case: Case, power_goes: Callable[[], MemoryProvider]) -> None:
    with _lived(case) as simulation:
        COMMANDS[case.name](simulation.ctx, **case.arguments)
        expected = _outcome(simulation)
    with _lived(case) as simulation:
        ctx = simulation.ctx
        dying = power_goes()
        dying.__dict__ |= vars(ctx.provider)
        with pytest.raises(KeyboardInterrupt):
            COMMANDS[case.name](replace(ctx, provider=dying), **case.arguments)
        simulation.work()
        assert _outcome(simulation) == expected
        assert isinstance(ctx.provider, MemoryProvider)
        keys = [request.key for request in ctx.provider.taken]
        assert len(keys) == len(set(keys))
