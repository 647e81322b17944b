"""A subscription as the rules see it: a light value that a page of work is decided on.

All dates are local days of the subscription's own zone (D1). Nothing here reads a clock or a database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from app.domain.calendar import ONE_DAY, renewal_date, term_end
from app.domain.catalogue import Offering
from app.domain.money import Price
from app.domain.states import LAPSED, State
from app.domain.values import MONTHS, InstallmentState, Method, Reason, Region, TermKind


@dataclass(slots=True)
class Term:
    """One bought term: `number` counts a subscription's terms from 1 and is never used again."""

    number: int
    kind: TermKind
    starts_on: date
    ends_on: date
    seats: int
    offering: str


@dataclass(slots=True)
class Pending:
    """Changes asked for R (T1); None where nothing changes."""

    term: TermKind | None = None
    seats: int | None = None
    offering: str | None = None

    def __bool__(self) -> bool:
        return not (self.term is None and self.seats is None and self.offering is None)


@dataclass(slots=True)
class Installment:
    """One yearly part of a three-year term, tax included (I1, I2)."""

    id: int
    term_number: int
    part: int
    due_on: date
    price: Price
    state: InstallmentState
    invoice_id: int | None
    tried_on: date | None


@dataclass(slots=True)
class OpenInvoice:
    """An unpaid invoice of the subscription. `counts_from` is the X it causes (L2)."""

    invoice_id: int
    term_number: int
    due_on: date
    counts_from: date
    overdue_told: bool


STORED = (
    "offering", "term", "seats", "term_number", "last_number", "starts_on",
    "ends_on", "anchor_day", "state", "reason", "lapse_on", "grace_days",
    "auto_renew", "method", "regime_on", "tried_on", "declined", "reminded_on",
    "quote_decided_on", "converted", "next_job", "next_on", "partner",
)  # fmt: skip
"""Columns of a subscription's row that can change."""


@dataclass(slots=True)
class Subscription:
    """Facts of one subscription, as stored, with what belongs to its customer beside it."""

    id: int
    ref: str
    customer_id: int
    csn: str
    purchaser: str
    language: str
    customer_zone: str
    region: Region | None
    has_payers: bool
    zone: str
    zone_id: int
    offering_code: str
    offering: Offering
    partner: str | None
    currency: str
    kind: TermKind
    seats: int
    term_number: int
    last_number: int
    """The highest term number ever given; numbers are not used again."""
    starts_on: date
    ends_on: date
    anchor_day: int
    state: State
    reason: Reason | None
    lapse_on: date | None
    grace_days: int
    auto_renew: bool
    method: Method | None
    regime_on: date
    new_regime: bool
    tried_on: date | None
    """Day of the last automatic renewal attempt, or skip, for the term after the running one."""
    declined: bool
    """Whether that attempt was a declined charge (A6)."""
    reminded_on: date | None
    """Every reminder day up to this one is dealt with (W3)."""
    quote_decided_on: date | None
    """Every automatic-quote day up to this one is decided (Q10)."""
    converted: bool
    version: int
    next_job: int | None
    next_on: date | None
    scheduled: Term | None = None
    pending: Pending = field(default_factory=Pending)
    installments: list[Installment] = field(default_factory=list)
    unpaid: list[OpenInvoice] = field(default_factory=list)
    open_quotes: list[int] | None = None
    """Ids of open renewal quotes that hold it; None where the caller did not need them."""
    is_charging: bool = False
    """A charge of it has no outcome yet; nothing else is charged meanwhile."""
    loaded: tuple[object, ...] = ()
    """Its `stored()` values as they were read: what differs from them is written."""

    def stored(self) -> tuple[object, ...]:
        """The values that are kept in its row and can change, in the order of `STORED`."""
        return (
            self.offering_code, self.kind, self.seats, self.term_number, self.last_number, self.starts_on,
            self.ends_on, self.anchor_day, self.state, self.reason, self.lapse_on, self.grace_days,
            self.auto_renew, self.method, self.regime_on, self.tried_on, self.declined, self.reminded_on,
            self.quote_decided_on, self.converted, self.next_job, self.next_on, self.partner,
        )  # fmt: skip

    @property
    def renews_on(self) -> date:
        """R of the running term."""
        return self.ends_on + ONE_DAY

    @property
    def no_grace(self) -> bool:
        """Exempt (L4) or of the older regime (L5): canceled at once, without expired and suspended."""
        return self.offering.lapse_exempt or not self.new_regime

    @property
    def in_lapse(self) -> bool:
        return self.state in LAPSED

    @property
    def is_trial(self) -> bool:
        return self.kind is TermKind.TRIAL

    @property
    def next_kind(self) -> TermKind:
        """Length of the next term, with the pending change (T2)."""
        return self.pending.term or self.kind

    @property
    def next_seats(self) -> int:
        """Seats of the next term, with the pending change (T2)."""
        return self.pending.seats or self.seats

    @property
    def next_offering(self) -> str:
        """Offering of the next term, with the pending change (T2)."""
        return self.pending.offering or self.offering_code

    def next_end(self, starts_on: date, kind: TermKind, anchor_day: int) -> date:
        """E of a term of `kind` that starts on `starts_on` (D3)."""
        return term_end(starts_on, MONTHS[kind], anchor_day)


def anniversaries(starts_on: date, anchor_day: int) -> tuple[date, date]:
    """First and second anniversary of a three-year term's S, by D3 (D6, I1)."""
    return renewal_date(starts_on, 12, anchor_day), renewal_date(starts_on, 24, anchor_day)
