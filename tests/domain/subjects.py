"""Subscriptions as values, for tests of the rules: one in good standing, changed as a test says."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from app.domain.catalogue import Offering
from app.domain.policy import Policy
from app.domain.states import State
from app.domain.subscription import Subscription, Term
from app.domain.values import Method, TermKind

POLICY = Policy()
DRAFT = Offering("Draft", {"EUR": {TermKind.ANNUAL: Decimal(730)}})
CLOUD = replace(DRAFT, name="Cloud", lapse_exempt=True)

_ANNUAL: dict[str, Any] = {
    "id": 1,
    "ref": "S1",
    "customer_id": 1,
    "csn": "5100000001",
    "purchaser": "buyer@example.test",
    "language": "en",
    "customer_zone": "Europe/Brussels",
    "region": None,
    "has_payers": False,
    "zone": "Europe/Brussels",
    "zone_id": 1,
    "offering_code": "DRAFT",
    "offering": DRAFT,
    "partner": None,
    "currency": "EUR",
    "kind": TermKind.ANNUAL,
    "seats": 2,
    "term_number": 1,
    "last_number": 1,
    "starts_on": date(2025, 6, 10),
    "ends_on": date(2026, 6, 9),
    "anchor_day": 10,
    "state": State.ACTIVE,
    "reason": None,
    "lapse_on": None,
    "grace_days": 0,
    "auto_renew": False,
    "method": Method.CARD,
    "regime_on": date(2025, 6, 10),
    "new_regime": True,
    "tried_on": None,
    "declined": False,
    "reminded_on": None,
    "quote_decided_on": None,
    "converted": False,
    "version": 0,
    "next_job": None,
    "next_on": None,
}


def annual(**changes: Any) -> Subscription:
    """Annual from 2025-06-10, so E is 2026-06-09; auto-renew off, nothing owed."""
    return Subscription(**{**_ANNUAL, **changes})


def monthly(**changes: Any) -> Subscription:
    """Monthly from 2026-03-10, so E is 2026-04-09; auto-renew off, nothing owed."""
    term = {"kind": TermKind.MONTHLY, "starts_on": date(2026, 3, 10), "ends_on": date(2026, 4, 9)}
    return annual(**{**term, "regime_on": date(2026, 3, 10), **changes})


def trial(**changes: Any) -> Subscription:
    """A trial of thirty days from 2026-01-01."""
    term = {"kind": TermKind.TRIAL, "starts_on": date(2026, 1, 1), "ends_on": date(2026, 1, 30)}
    return annual(**{**term, "state": State.TRIAL, "method": None, **changes})


def next_term(sub: Subscription) -> Term:
    """The term after the running one, as long as it."""
    starts_on = sub.renews_on
    return Term(sub.last_number + 1, sub.kind, starts_on, sub.next_end(starts_on, sub.kind, sub.anchor_day), 2, "DRAFT")
