"""The table of transitions, and the only function that changes a state.

One unbound machine of the library `transitions` decides for every row; nothing is registered on it.
Landing places are decided by facts: what is left of the causes of a lapse, and whether the renewal
window is open that day (S1b, L6).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from transitions import EventData, Machine, MachineError

from app.domain import lapse
from app.domain.policy import Policy
from app.domain.states import LAPSED, LIVE, State, Trigger
from app.domain.subscription import Subscription

Guard = Callable[[EventData], bool]


class IllegalTransition(Exception):
    """A trigger that the table or its guards do not allow. A bug or a race, never a silent no."""


class Move(NamedTuple):
    """A state change that happened: what the record of it says (S3)."""

    trigger: Trigger
    from_state: State
    to_state: State


def _facts(event: EventData) -> tuple[Subscription, date, Policy]:
    kwargs: Any = event.kwargs
    model: Any = event.model
    return model, kwargs["on"], kwargs["policy"]


def _stage(event: EventData) -> State | None:
    """Where the causes put it that day; worked out once a trigger, and not at all without a cause."""
    kwargs: Any = event.kwargs
    if "stage" not in kwargs:
        kwargs["stage"] = lapse.stage_on(*_facts(event))[0]
    stage: State | None = kwargs["stage"]
    return stage


def remains_expired(event: EventData) -> bool:
    """A cause that is left puts it in the first stage."""
    return _stage(event) is State.EXPIRED


def remains_suspended(event: EventData) -> bool:
    """A cause that is left puts it in the second stage."""
    return _stage(event) is State.SUSPENDED


def window_is_open(event: EventData) -> bool:
    """The renewal window is open that day (W1)."""
    return lapse.is_window_open(*_facts(event))


def has_grace(event: EventData) -> bool:
    """Neither exempt nor of the older regime (L4, L5)."""
    return not _facts(event)[0].no_grace


def has_no_grace(event: EventData) -> bool:
    """Exempt or of the older regime (L4, L5)."""
    return _facts(event)[0].no_grace


def has_no_cause_left(event: EventData) -> bool:
    """Nothing keeps it in a lapse that day."""
    return _stage(event) is None


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table, with the sentence a person reads for it."""

    trigger: Trigger
    sources: frozenset[State]
    dest: State
    when: tuple[Guard, ...]
    sentence: str


_NEW, _TRIAL = frozenset({State.NEW}), frozenset({State.TRIAL})


def _landing(trigger: Trigger, happening: str) -> list[Rule]:
    """Where a subscription in a lapse comes down: by the causes that are left, then by the window (S1b, L6)."""
    remains, opens = f"{happening}, a cause remains", f"{happening}, the window is open"
    return [
        Rule(trigger, LAPSED, State.EXPIRED, (remains_expired,), remains),
        Rule(trigger, LAPSED, State.SUSPENDED, (remains_suspended,), remains),
        Rule(trigger, LAPSED, State.RENEWABLE, (has_no_cause_left, window_is_open), opens),
        Rule(trigger, LAPSED, State.ACTIVE, (has_no_cause_left,), happening),
    ]


def _staying(trigger: Trigger, happening: str) -> list[Rule]:
    """Who is in good standing stays so: a cause that begins that day is the business of `expire` (J1)."""
    return [
        Rule(trigger, LIVE, State.RENEWABLE, (window_is_open,), f"{happening}, the window is open"),
        Rule(trigger, LIVE, State.ACTIVE, (), happening),
    ]


def table() -> list[Rule]:
    """Every transition there is, in the order in which its guards are asked."""
    return [
        Rule(Trigger.PURCHASE, _NEW, State.RENEWABLE, (window_is_open,), "bought, the window is open at once"),
        Rule(Trigger.PURCHASE, _NEW, State.ACTIVE, (), "bought"),
        Rule(Trigger.START_TRIAL, _NEW, State.TRIAL, (), "a trial begins"),
        Rule(
            Trigger.OPEN_WINDOW,
            frozenset({State.ACTIVE}),
            State.RENEWABLE,
            (window_is_open,),
            "the renewal window opens",
        ),
        *_staying(Trigger.RENEW, "the next term is bought"),
        *_landing(Trigger.RENEW, "the next term is bought"),
        *_staying(Trigger.START_TERM, "a term bought early begins"),
        *_landing(Trigger.START_TERM, "a term bought early begins"),
        Rule(Trigger.EXPIRE, LIVE, State.EXPIRED, (has_grace,), "not renewed or not paid: first stage"),
        Rule(Trigger.SUSPEND, frozenset({State.EXPIRED}), State.SUSPENDED, (), "second stage"),
        Rule(Trigger.CANCEL, frozenset({State.SUSPENDED}), State.CANCELED, (), "the shutoff is over"),
        Rule(Trigger.CANCEL, LIVE, State.CANCELED, (has_no_grace,), "not renewed or not paid, and no grace"),
        *_landing(Trigger.CURE, "what was owed is paid"),
        Rule(Trigger.END_TRIAL, _TRIAL, State.TRIAL_ENDED, (), "the trial's last day has passed"),
        Rule(Trigger.CONVERT, _TRIAL, State.TRIAL_ENDED, (), "the trial becomes a purchase"),
    ]


def build(rules: list[Rule]) -> Machine:
    """The machine of a table. No automatic `to_…` triggers; guards are functions, not names."""
    machine = Machine(None, states=State, initial=None, auto_transitions=False, send_event=True)
    for rule in rules:
        sources: list[Any] = sorted(rule.sources)
        machine.add_transition(rule.trigger.value, sources, rule.dest, conditions=list(rule.when))
    return machine


RULES = tuple(table())
MACHINE: Any = build(list(RULES))
_EVENTS: dict[Trigger, Any] = {trigger: MACHINE.events[trigger.value] for trigger in Trigger}


def fire(sub: Subscription, trigger: Trigger, on: date, policy: Policy) -> Move:
    """Move a subscription as of a local day and say what happened. Reason and X follow the state (S2).

    Raises `IllegalTransition` where the table has no such move or its guards say no.
    """
    before = sub.state
    try:
        happened = _EVENTS[trigger].trigger(sub, on=on, policy=policy)
    except MachineError as error:
        raise IllegalTransition(f"{sub.ref}: cannot {trigger} from {before}") from error
    if not happened:
        raise IllegalTransition(f"{sub.ref}: the facts do not allow {trigger} from {before} on {on}")
    settle_reason(sub)
    return Move(trigger, before, sub.state)


def settle_reason(sub: Subscription) -> None:
    """Reason and X of the lapse a subscription is in now; a canceled one keeps its last (S2)."""
    if sub.state in LAPSED or sub.state is State.CANCELED:
        cause = lapse.main_cause(sub)
        if cause is not None:
            sub.reason, sub.lapse_on = cause.reason, cause.lapse_on
    else:
        sub.reason, sub.lapse_on, sub.grace_days = None, None, 0
