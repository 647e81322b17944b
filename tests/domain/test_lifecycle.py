"""Every state and every trigger: what the table allows, and that nothing else moves a subscription (S1)."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from app.domain import lifecycle
from app.domain.lifecycle import MACHINE, RULES, IllegalTransition, fire
from app.domain.states import FINAL, LAPSED, LIVE, TRIALS, State, Trigger
from app.domain.subscription import OpenInvoice, Subscription
from app.domain.values import Reason
from tests.domain.subjects import CLOUD, POLICY, annual, next_term, trial

ROOT = Path(__file__).parents[2]
E = date(2026, 6, 9)
MID_TERM, IN_WINDOW, IN_FIRST, IN_SECOND, PAST_ALL = (
    date(2025, 12, 1),
    date(2026, 6, 1),
    date(2026, 6, 12),
    date(2026, 7, 1),
    date(2026, 9, 1),
)
DAYS = (MID_TERM, IN_WINDOW, IN_FIRST, IN_SECOND, PAST_ALL)
"""In a term that ends on E: its window closed, open, then the first stage, the second, and after the shutoff."""

ALLOWED = {
    (State.NEW, Trigger.PURCHASE): {State.ACTIVE, State.RENEWABLE},
    (State.NEW, Trigger.START_TRIAL): {State.TRIAL},
    (State.TRIAL, Trigger.END_TRIAL): {State.TRIAL_ENDED},
    (State.TRIAL, Trigger.CONVERT): {State.TRIAL_ENDED},
    (State.ACTIVE, Trigger.OPEN_WINDOW): {State.RENEWABLE},
    (State.ACTIVE, Trigger.RENEW): {State.ACTIVE, State.RENEWABLE},
    (State.RENEWABLE, Trigger.RENEW): {State.ACTIVE, State.RENEWABLE},
    (State.EXPIRED, Trigger.RENEW): {State.ACTIVE, State.RENEWABLE, State.EXPIRED, State.SUSPENDED},
    (State.SUSPENDED, Trigger.RENEW): {State.ACTIVE, State.RENEWABLE, State.EXPIRED, State.SUSPENDED},
    (State.ACTIVE, Trigger.START_TERM): {State.ACTIVE, State.RENEWABLE},
    (State.RENEWABLE, Trigger.START_TERM): {State.ACTIVE, State.RENEWABLE},
    (State.EXPIRED, Trigger.START_TERM): {State.ACTIVE, State.RENEWABLE, State.EXPIRED, State.SUSPENDED},
    (State.SUSPENDED, Trigger.START_TERM): {State.ACTIVE, State.RENEWABLE, State.EXPIRED, State.SUSPENDED},
    (State.EXPIRED, Trigger.CURE): {State.ACTIVE, State.RENEWABLE, State.EXPIRED, State.SUSPENDED},
    (State.SUSPENDED, Trigger.CURE): {State.ACTIVE, State.RENEWABLE, State.EXPIRED, State.SUSPENDED},
    (State.ACTIVE, Trigger.EXPIRE): {State.EXPIRED},
    (State.RENEWABLE, Trigger.EXPIRE): {State.EXPIRED},
    (State.EXPIRED, Trigger.SUSPEND): {State.SUSPENDED},
    (State.SUSPENDED, Trigger.CANCEL): {State.CANCELED},
    (State.ACTIVE, Trigger.CANCEL): {State.CANCELED},
    (State.RENEWABLE, Trigger.CANCEL): {State.CANCELED},
}
"""S1 in full: where a trigger may lead from a state. Every other pair is refused."""


def _all_facts(state: State) -> Iterator[tuple[Subscription, date]]:
    """A subscription in a state, under all the facts that the guards ask for."""
    for scheduled, owed_on, offering, day in product(
        (False, True), (None, date(2026, 5, 20), E), (annual().offering, CLOUD), DAYS
    ):
        sub = trial() if state in TRIALS else annual()
        sub.state, sub.offering = state, offering
        sub.scheduled = next_term(annual()) if scheduled and state not in TRIALS else None
        sub.unpaid = [OpenInvoice(1, 1, owed_on, owed_on, False)] if owed_on else []
        yield sub, day


@pytest.mark.parametrize(("state", "trigger"), list(product(State, Trigger)))
def test_every_state_and_every_trigger(state: State, trigger: Trigger) -> None:
    reached = set()
    for sub, day in _all_facts(state):
        before = replace(sub)
        try:
            move = fire(sub, trigger, day, POLICY)
        except IllegalTransition:
            assert sub == before
        else:
            assert move == (trigger, state, sub.state)
            reached.add(sub.state)
    assert reached == ALLOWED.get((state, trigger), set())


def test_final_states_are_final() -> None:
    assert not [pair for pair in ALLOWED if pair[0] in FINAL]


def test_the_table_says_what_is_allowed() -> None:
    """The rows of the table, from which diagrams and explanations are made, are the moves that happen."""
    told: dict[tuple[State, Trigger], set[State]] = {}
    for rule in RULES:
        for source in rule.sources:
            told.setdefault((source, rule.trigger), set()).add(rule.dest)
    assert told == ALLOWED


def test_the_machine_has_no_triggers_of_its_own() -> None:
    assert set(MACHINE.events) == {trigger.value for trigger in Trigger}
    assert not [name for name in MACHINE.events if name.startswith("to_")]
    assert set(MACHINE.states) == {state.name for state in State}


def test_nothing_is_registered_on_the_machine() -> None:
    for _ in range(3):
        fire(annual(), Trigger.OPEN_WINDOW, IN_WINDOW, POLICY)
    assert MACHINE.models == []
    assert MACHINE.initial is None


# ---------------------------------------------------------------- guards


@dataclass(frozen=True)
class Case:
    """A move that is refused though its state has the trigger, and why."""

    why: str
    sub: Subscription
    trigger: Trigger
    on: date


@pytest.mark.parametrize(
    "case",
    [
        Case("the window opens on 2026-03-11", annual(), Trigger.OPEN_WINDOW, date(2026, 3, 10)),
        Case("exempt: there is no first stage (L4)", annual(offering=CLOUD), Trigger.EXPIRE, IN_FIRST),
        Case("older regime: there is no first stage (L5)", annual(new_regime=False), Trigger.EXPIRE, IN_FIRST),
        Case("not canceled without the stages before (L3)", annual(), Trigger.CANCEL, PAST_ALL),
        Case("not renewed: nothing is cured", annual(state=State.SUSPENDED), Trigger.CURE, PAST_ALL),
    ],
    ids=lambda case: case.why,
)
def test_what_the_facts_forbid(case: Case) -> None:
    before = replace(case.sub)
    with pytest.raises(IllegalTransition, match="S1: the facts do not allow"):
        fire(case.sub, case.trigger, case.on, POLICY)
    assert case.sub == before


def test_a_trigger_that_a_state_does_not_have() -> None:
    with pytest.raises(IllegalTransition, match="S1: cannot renew from canceled"):
        fire(annual(state=State.CANCELED), Trigger.RENEW, IN_WINDOW, POLICY)


# ---------------------------------------------------------------- where one comes down (S1b, L6), reason and X (S2)


@pytest.mark.parametrize("trigger", [Trigger.RENEW, Trigger.START_TERM])
@pytest.mark.parametrize("state", sorted(LIVE | LAPSED))
def test_lands_by_the_window(state: State, trigger: Trigger) -> None:
    running = annual(state=state)
    assert fire(replace(running), trigger, MID_TERM, POLICY).to_state is State.ACTIVE
    assert fire(replace(running), trigger, IN_WINDOW, POLICY).to_state is State.RENEWABLE
    bought = replace(running, scheduled=next_term(running))
    assert fire(bought, trigger, IN_WINDOW, POLICY).to_state is State.ACTIVE


def test_a_cause_that_is_left_keeps_it_in_its_stage() -> None:
    """Suspended for an invoice of May; paid in June, but its term ended meanwhile: back to the first stage (S2)."""
    sub = annual(state=State.SUSPENDED, reason=Reason.NON_PAYMENT, lapse_on=date(2026, 5, 20))
    move = fire(sub, Trigger.CURE, date(2026, 6, 12), POLICY)
    assert (move.from_state, move.to_state) == (State.SUSPENDED, State.EXPIRED)
    assert (sub.reason, sub.lapse_on) == (Reason.NON_RENEWAL, E)


def test_reason_and_day_of_two_causes() -> None:
    """The earlier X counts; on one day the unpaid invoice does (S2)."""
    owed = [OpenInvoice(1, 1, E, E, False)]
    sub = annual(unpaid=owed)
    fire(sub, Trigger.EXPIRE, IN_FIRST, POLICY)
    assert (sub.reason, sub.lapse_on) == (Reason.NON_PAYMENT, E)
    sub = annual(unpaid=[replace(owed[0], due_on=IN_FIRST, counts_from=IN_FIRST)])
    fire(sub, Trigger.EXPIRE, IN_FIRST, POLICY)
    assert (sub.reason, sub.lapse_on) == (Reason.NON_RENEWAL, E)


def test_a_declined_charge_is_the_reason() -> None:
    sub = annual(auto_renew=True, declined=True, tried_on=date(2026, 6, 10))
    fire(sub, Trigger.EXPIRE, date(2026, 6, 10), POLICY)
    assert (sub.reason, sub.lapse_on) == (Reason.PAYMENT_FAILED, E)


def test_a_canceled_one_keeps_its_reason_and_a_cured_one_has_none() -> None:
    lapsed: dict[str, Any] = {"state": State.SUSPENDED, "reason": Reason.NON_RENEWAL, "lapse_on": E}
    canceled = annual(**lapsed)
    fire(canceled, Trigger.CANCEL, PAST_ALL, POLICY)
    assert (canceled.reason, canceled.lapse_on) == (Reason.NON_RENEWAL, E)
    renewed = annual(**lapsed, grace_days=7)
    renewed.scheduled = next_term(renewed)
    fire(renewed, Trigger.RENEW, IN_SECOND, POLICY)
    assert (renewed.state, renewed.reason, renewed.lapse_on, renewed.grace_days) == (State.ACTIVE, None, None, 0)


# ---------------------------------------------------------------- one writer of state


NOT_SUBSCRIPTIONS = {"part", "invoice"}
"""Names of what else has a state: an installment, an invoice."""


def test_only_fire_changes_the_state_of_a_subscription() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{line} {name}.state"
        for path, tree in _modules()
        for name, line in _assigned_states(tree)
        if name not in NOT_SUBSCRIPTIONS
    }
    assert not found, "Only lifecycle.fire() changes a state, through `transitions`."


def test_only_the_batch_fires() -> None:
    """The one place that also writes the event and the intents, in one transaction."""
    callers = {
        str(path.relative_to(ROOT)) for path, tree in _modules() if any(map(_reaches_the_machine, ast.walk(tree)))
    }
    assert callers == {"app/services/batch.py"}
    assert lifecycle.fire is fire


@cache
def _modules() -> list[tuple[Path, ast.Module]]:
    paths = [path for folder in ("app", "jobs") for path in (ROOT / folder).rglob("*.py")]
    return [(path, ast.parse(path.read_bytes())) for path in paths]


def _reaches_the_machine(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom) and node.module == "app.domain.lifecycle":
        return any(alias.name in ("fire", "MACHINE") for alias in node.names)
    return isinstance(node, ast.Attribute) and ast.unparse(node) in ("lifecycle.fire", "lifecycle.MACHINE")


def _assigned_states(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """What is left of `.state =`, also by setattr and by a changed copy."""
    for node in ast.walk(tree):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            for each in ast.walk(target):
                if isinstance(each, ast.Attribute) and each.attr == "state" and isinstance(each.ctx, ast.Store):
                    yield ast.unparse(each.value), each.lineno
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in ("setattr", "object.__setattr__") and any(
                isinstance(argument, ast.Constant) and argument.value == "state" for argument in node.args
            ):
                yield called, node.lineno
            if called.endswith("replace") and any(keyword.arg == "state" for keyword in node.keywords):
                yield called, node.lineno
