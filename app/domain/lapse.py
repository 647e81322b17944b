"""The shutoff: its causes, its stages and their days (L1-L7, S2)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from app.domain.calendar import ONE_DAY
from app.domain.policy import Policy
from app.domain.states import State
from app.domain.subscription import Subscription
from app.domain.values import Reason, Region, TermKind


class Cause(NamedTuple):
    """Why a shutoff begins after day X. Sorts by S2: earlier X first, non-payment first on one day."""

    lapse_on: date
    rank: int
    reason: Reason


class Stages(NamedTuple):
    """First days of each stage; without grace only `canceled_on` counts."""

    expired_on: date
    suspended_on: date
    canceled_on: date


def is_new_regime(region: Region | None, regime_on: date, policy: Policy) -> bool:
    """Whether the newer shutoff holds for what was last bought on `regime_on` (L1)."""
    cut_over = policy.lapse.cut_over.get(region) if region else None
    return cut_over is None or regime_on >= cut_over


def unrenewed(sub: Subscription) -> Cause | None:
    """The cause that the end of the last bought term is, or None while the next term is bought."""
    if sub.scheduled is not None or sub.is_trial:
        return None
    failed = sub.declined and sub.auto_renew
    return Cause(sub.ends_on, 1, Reason.PAYMENT_FAILED if failed else Reason.NON_RENEWAL)


def unpaid(sub: Subscription) -> Cause | None:
    """The cause that its earliest unpaid invoice is, or None."""
    if not sub.unpaid:
        return None
    return Cause(min(invoice.counts_from for invoice in sub.unpaid), 0, Reason.NON_PAYMENT)


def main_cause(sub: Subscription) -> Cause | None:
    """The cause with the earliest X gives reason and X (S2). It may still lie ahead."""
    first, second = unrenewed(sub), unpaid(sub)
    if first is None or second is None:
        return first or second
    return min(first, second)


def stages(sub: Subscription, lapse_on: date, policy: Policy) -> Stages:
    """First day of each stage after X (L3), moved by a grace an operator gave (L10).

    Annual, X 2026-06-09: expired 06-10, suspended 06-25, canceled 07-25.
    """
    if sub.no_grace:
        return Stages(lapse_on + ONE_DAY, lapse_on + ONE_DAY, lapse_on + ONE_DAY)
    grace = timedelta(days=sub.grace_days)
    suspended_on = lapse_on + timedelta(days=policy.lapse.expired_days + 1)
    canceled_on = suspended_on + timedelta(days=policy.lapse.suspended_days[sub.kind])
    if sub.state is not State.SUSPENDED:
        suspended_on += grace
    return Stages(lapse_on + ONE_DAY, suspended_on, canceled_on + grace)


def stage_on(sub: Subscription, on: date, policy: Policy) -> tuple[State | None, Cause | None]:
    """The stage a subscription's causes put it in on a day: None, expired, suspended or canceled."""
    cause = main_cause(sub)
    if cause is None or cause.lapse_on >= on:
        return None, None
    days = stages(sub, cause.lapse_on, policy)
    if on >= days.canceled_on:
        return State.CANCELED, cause
    return (State.SUSPENDED if on >= days.suspended_on else State.EXPIRED), cause


def window_opens_on(sub: Subscription, policy: Policy) -> date | None:
    """The day on which the running term's renewal window opens, never before S; None for a trial (W1)."""
    if sub.is_trial:
        return None
    opens = sub.ends_on - timedelta(days=policy.window.opens_days_before)
    return opens if opens > sub.starts_on else sub.starts_on


def window_last_day(sub: Subscription, policy: Policy) -> date:
    """The last day on which the running term can be renewed (W1): E without grace (L4, L5)."""
    if sub.no_grace:
        return sub.ends_on
    return stages(sub, sub.ends_on, policy).canceled_on - ONE_DAY


def is_window_open(sub: Subscription, on: date, policy: Policy) -> bool:
    """Whether the next term can be bought on that day (W1)."""
    opens = window_opens_on(sub, policy)
    return opens is not None and sub.scheduled is None and on >= opens


def late_start_is_payment_date(kind: TermKind, policy: Policy) -> bool:
    """Whether a late renewal of this term starts on the day of payment (L7)."""
    return policy.lapse.late_renewal_starts.get(kind) == "payment_date"
