"""Plays a scenario: purchases, steps and the days between them, on a simulated clock and a fresh database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from app.clock import SimulatedClock
from app.domain.errors import NotInThisVersion, Refusal
from app.domain.values import Method, TermKind
from app.effects.memory_provider import MemoryProvider
from app.services import lists, views
from app.services.commands import COMMANDS, buying, managing
from app.services.commands.base import Result
from app.services.context import Context
from app.store.create import create_all
from jobs import by_hand
from jobs.scenario.commands import Command
from jobs.scenario.matching import Check, Outcome, evaluate
from jobs.scenario.parties import Customer
from jobs.scenario.results import Played
from jobs.scenario.story import Purchase, Scenario, Step
from jobs.scenario.timeline import timeline
from jobs.simulation import Simulation


def play(scenario: Scenario, engine: Engine) -> Played:
    """Play a whole scenario on an empty database and answer its checks and its timeline."""
    create_all(engine)
    return Player(scenario, engine).play()


class Player:
    """One playing of one scenario."""

    def __init__(self, scenario: Scenario, engine: Engine) -> None:
        self.scenario = scenario
        self.clock = SimulatedClock(scenario.begins_at)
        config = scenario.config
        self.ctx = Context(
            engine, config.policy, config.catalogue, self.clock, MemoryProvider(), default_timezone=scenario.zone
        )
        self.simulation = Simulation(self.ctx, self.clock)
        self.views = StoredViews(self.ctx)
        self.checks: list[Check] = []
        self.quotes: dict[str, str] = {}

    def play(self) -> Played:
        """Every purchase and step at its instant, then on to the end of the last day."""
        for customer in self.scenario.customers:
            managing.create_customer(self.ctx, _new_customer(customer, self.scenario.zone, self.ctx))
        for instant, act in self._story():
            self.simulation.advance(instant)
            act()
            self.simulation.deliver()
        self.simulation.advance(self.scenario.ends_at)
        moments = timeline(self.ctx)
        return Played(self.scenario.file, self.scenario.title, self.checks, moments)

    def _story(self) -> list[tuple[datetime, Callable[[], None]]]:
        """Purchases before steps of the same instant."""
        acts: list[tuple[datetime, int, Callable[[], None]]] = []
        for purchase in self.scenario.purchases:
            acts.append((purchase.instant, 0, _bound(self._purchase, purchase)))
        for step in self.scenario.steps:
            acts.append((step.instant, 1, _bound(self._step, step)))
        return [(instant, act) for instant, _, act in sorted(acts, key=lambda item: item[:2])]

    def _purchase(self, purchase: Purchase) -> None:
        """One of `subscriptions:`, taken as paid on its day where it is paid by hand (M3)."""
        bought = purchase.bought
        refusal, outcome = None, Outcome()
        try:
            buying.buy(
                self.ctx,
                bought.csn,
                [buying.Item(bought.id, bought.offering, bought.term, bought.seats)],
                payment=None if bought.term is TermKind.TRIAL else bought.payment,
                auto_renew=bought.auto_renew,
                partner=bought.partner,
                currency=bought.currency,
                timezone=bought.timezone,
                is_paid=True,
                actor="scenario",
            )
        except Refusal as error:
            refusal = error.code
        except NotInThisVersion as error:
            outcome = Outcome(missing=f"not in this version: {error}")
        if refusal or outcome.missing:
            label = purchase.instant.astimezone(UTC).isoformat()
            actual = refusal or outcome.missing
            self.checks.append(Check(0, label, bought.id, "do", "ok", actual, False))

    def _step(self, step: Step) -> None:
        outcome = self._do(step.command) if step.command else Outcome()
        self.simulation.deliver()
        self.checks += evaluate(step, self.views, outcome)

    def _do(self, command: Command) -> Outcome:
        """Carry a command out as the command line and the API do."""
        try:
            result = self._carry_out(command)
        except Refusal as refusal:
            return Outcome(refusal=refusal.code)
        except NotInThisVersion as error:
            return Outcome(missing=f"not in this version: {error}")
        return Outcome(groups=result.groups, outcomes=result.outcomes)

    def _carry_out(self, command: Command) -> Result:
        match command.do:
            case "stop_daemon":
                self.simulation.stop_daemon()
            case "start_daemon":
                self.simulation.start_daemon()
            case "run_job":
                arguments = command.model_dump(exclude={"do"})
                by_hand.run_job(self.ctx, arguments["job"], arguments["date"], self.simulation.mailer)
            case name if name in COMMANDS:
                return COMMANDS[name](self.ctx, **_arguments(command))
            case name:
                raise NotInThisVersion(name)
        return Result()


def _bound(act: Callable[[Any], None], argument: Any) -> Callable[[], None]:
    return lambda: act(argument)


def _arguments(command: Command) -> dict[str, Any]:
    """A command's parameters by the names that services have for them."""
    given = {key: getattr(command, key) for key in command.model_fields_set if key != "do"}
    if given.get("amount") is not None:
        given["amount"] = _decimal(given["amount"])
    if command.do == "buy":
        items = [buying.Item(i.as_, i.offering, i.term, i.seats) for i in given.pop("items")]
        return {**{key: value for key, value in given.items() if key != "as_"}, "items": items}
    return {"name" if key == "as_" else key: value for key, value in given.items()}


def _new_customer(customer: Customer, zone: str, ctx: Context) -> managing.NewCustomer:
    terms = customer.net_terms
    return managing.NewCustomer(
        csn=customer.csn,
        name=customer.name,
        purchaser=customer.purchaser,
        currency=customer.currency,
        timezone=customer.timezone or zone,
        language=customer.language,
        country=customer.country,
        region=customer.region if customer.names_its_region else False,
        vat_number=customer.vat_number,
        tax_exempt=customer.tax_exempt,
        agreement_manager=customer.agreement_manager,
        primary_admin=customer.primary_admin,
        method=Method(customer.payment) if customer.payment else None,
        method_expires_on=customer.payment_expires,
        net_days=None if terms is None else ctx.policy.billing.net_days if terms.days is None else terms.days,
        credit_limit=None if terms is None or terms.credit_limit is None else _decimal(terms.credit_limit),
        payers=() if terms is None else terms.payers,
    )


def _decimal(amount: Any) -> Any:
    from decimal import Decimal

    return Decimal(amount)


class StoredViews:
    """What is stored, for expectations: while the daemon is down nothing is caught up by looking (J8)."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def subscription(self, ref: str) -> dict[str, Any]:
        return views.subscription(self._ctx, ref)

    def quote(self, name: str) -> dict[str, Any]:
        return views.quote(self._ctx, name)

    def customer(self, csn: str) -> dict[str, Any]:
        return views.customer(self._ctx, csn)

    def rows(self, list_name: str, ref: str) -> list[dict[str, Any]]:
        return lists.of(self._ctx, list_name, ref)
