"""Subscriptions as values, for tests of the rules: in good standing and with auto-renew off, unless told otherwise."""

from datetime import date
from typing import Any

from app.domain.policy import Policy
from app.domain.states import State
from app.domain.subscription import Subscription, Term
from app.domain.values import TermKind
from tests.factories import CATALOGUE, subscription

POLICY = Policy()
CLOUD = CATALOGUE.offerings["DRIFT"]


def annual(**changes: Any) -> Subscription:
    """Annual from 2025-06-10, so E is 2026-06-09."""
    return subscription(**{"auto_renew": False, "regime_on": date(2025, 6, 10), **changes})


def monthly(**changes: Any) -> Subscription:
    """Monthly from 2026-03-10, so E is 2026-04-09."""
    term = {"kind": TermKind.MONTHLY, "starts_on": date(2026, 3, 10), "ends_on": date(2026, 4, 9)}
    return annual(**{**term, **changes})


def trial(**changes: Any) -> Subscription:
    """A trial of thirty days from 2026-01-01."""
    term = {"kind": TermKind.TRIAL, "starts_on": date(2026, 1, 1), "ends_on": date(2026, 1, 30)}
    return annual(**{**term, "state": State.TRIAL, "method": None, **changes})


def next_term(sub: Subscription) -> Term:
    """The term after the running one, as long as it."""
    starts_on = sub.renews_on
    ends_on = sub.next_end(starts_on, sub.kind, sub.anchor_day)
    return Term(sub.last_number + 1, sub.kind, starts_on, ends_on, sub.seats, sub.offering_code)
