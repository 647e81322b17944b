"""A row of an imported book as a subscription in mid-life: what it is, what is bought, billed and owed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b

from app.domain import lapse
from app.domain.catalogue import Offering
from app.domain.errors import InvalidArgument
from app.domain.money import Price
from app.domain.states import FINAL, TRIALS, State
from app.domain.subscription import Subscription, Term
from app.domain.values import MANUAL, ORDERABLE, InstallmentState, Method, Reason, TermKind
from app.services import import_dates
from app.services.billing import Part
from app.services.context import Context
from app.services.import_cells import Bad, Row, nearest
from app.services.import_customers import Customer
from app.services.import_dates import Running

Prices = Callable[[Subscription, Term, date], Price]
"""The price of a term bought on a day, as for a purchase. Raises `InvalidArgument` for what is not sold."""


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """A yearly part of a term and how far it is (I1)."""

    term_number: int
    part: Part
    state: InstallmentState


@dataclass(frozen=True, slots=True)
class Owed:
    """An invoice of the old system that is not paid: of a yearly part, or of the whole term as part 0."""

    part: int
    price: Price
    issued_on: date
    due_on: date


@dataclass(slots=True)
class Draft:
    """A subscription that a row describes, in no table yet."""

    row: Row
    customer: Customer
    sub: Subscription
    today: date
    """The day of the import in the subscription's zone."""
    bought_on: date
    """When the running term was bought, as far as the row tells."""
    users: tuple[str, ...]
    declared: Reason | None
    lapse_on: date | None
    parts: list[PlannedPart] = field(default_factory=list)
    owed: Owed | None = None
    invoice_id: int | None = None

    @property
    def term(self) -> Term:
        sub = self.sub
        return Term(1, sub.kind, sub.starts_on, sub.ends_on, sub.seats, sub.offering_code)

    def mark(self) -> str:
        """A fingerprint of what the row says of the subscription; the same row has the same, at any later day."""
        sub, row = self.sub, self.row
        next_term = sub.scheduled and (sub.scheduled.kind, sub.scheduled.seats, sub.scheduled.offering)
        paid = sum(planned.state is InstallmentState.PAID for planned in self.parts)
        said = (
            sub.csn, sub.ref, sub.zone, sub.currency, sub.offering_code, sub.kind, sub.seats, sub.starts_on,
            sub.ends_on, sub.anchor_day, sub.state, sub.reason, sub.lapse_on, sub.grace_days, sub.auto_renew,
            sub.method, sub.partner, sub.regime_on, self.users, next_term, paid, self.owed and self.owed.due_on,
            row.cells.get("owed"), row.cells.get("term_price"),
        )  # fmt: skip
        text = "|".join(map(str, said))
        return blake2b(text.encode(), digest_size=8).hexdigest()


def draft(ctx: Context, row: Row, customer: Customer, zone: str, today: date) -> Draft:
    """The subscription of a row, its state not judged yet. Raises `Bad`."""
    kind, state = row.need_choice("term", TermKind), _state(row)
    if (kind is TermKind.TRIAL) is not (state in TRIALS):
        raise Bad("state", f"a term {kind} is never {state}")
    when = import_dates.running_term(row, kind, today, ctx.policy)
    sub = _subscription(row, customer, zone, kind, state, when, _offering(ctx, row))
    _refuse_unsold(sub, kind, sub.offering_code, sub.offering, today, "term")
    sub.scheduled = _scheduled(ctx, row, sub, today)
    sub.regime_on = _regime_on(ctx, row, sub, today)
    sub.new_regime = lapse.is_new_regime(sub.region, sub.regime_on, ctx.policy)
    sub.auto_renew = _auto_renew(row, sub)
    declared = row.choice("reason", Reason)
    sub.declined = declared is Reason.PAYMENT_FAILED
    bought_on = min(sub.regime_on, sub.starts_on)
    return Draft(row, customer, sub, today, bought_on, _users(row, sub), declared, row.day("lapse_on", today))


def _subscription(
    row: Row, customer: Customer, zone: str, kind: TermKind, state: State, when: Running, offering: Offering
) -> Subscription:
    """What a row says by itself; what follows from other facts is still to be filled in."""
    owner = customer.known
    return Subscription(
        id=0, ref=row.need("id"), customer_id=customer.id, csn=customer.csn, purchaser=owner["purchaser"],
        language=owner["language"], customer_zone=owner["timezone"], region=customer.region,
        has_payers=bool(owner["payers"]), zone=zone, zone_id=0, offering_code=row.cells["offering"],
        offering=offering, partner=row.word("partner"),
        currency=row.currency("subscription_currency") or owner["currency"], kind=kind, seats=_seats(row, kind),
        term_number=1, last_number=1, starts_on=when.starts_on, ends_on=when.ends_on, anchor_day=when.anchor_day,
        state=state, reason=None, lapse_on=None, grace_days=row.count("grace_days", 0, 3650) or 0,
        auto_renew=False, method=_method(row), regime_on=when.starts_on, new_regime=True, tried_on=None,
        declined=False, reminded_on=None, quote_decided_on=None, converted=False, version=0, next_job=None,
        next_on=None,
    )  # fmt: skip


def _state(row: Row) -> State:
    state = row.need_choice("state", State)
    if state is State.NEW:
        raise Bad("state", '"new" is no state that a subscription is kept in')
    return state


def _offering(ctx: Context, row: Row) -> Offering:
    code = row.need("offering")
    offering = ctx.catalogue.offerings.get(code)
    if offering is None:
        known = ctx.catalogue.offerings
        hint = f"; the nearest is {nearest(code, known)}" if known else ""
        raise Bad("offering", f'the catalogue has no "{code}"{hint}')
    return offering


def _seats(row: Row, kind: TermKind) -> int:
    seats = row.count("seats", 1)
    if seats is None and kind is not TermKind.TRIAL:
        raise Bad("seats", "is missing")
    return seats or 1


def _method(row: Row) -> Method | None:
    method = row.choice("payment", Method)
    if method is not None and method not in ORDERABLE:
        raise Bad("payment", f"nothing is bought with {method}")
    return method


def _users(row: Row, sub: Subscription) -> tuple[str, ...]:
    users = row.emails("users", sub.seats, "users")
    if users and sub.state in FINAL:
        raise Bad("users", f"there are none on what is {sub.state} (S4)")
    return users


def _refuse_unsold(sub: Subscription, kind: TermKind, code: str, offering: Offering, today: date, column: str) -> None:
    """What goes on must be for sale; what has ended is history."""
    if sub.is_trial or sub.state in FINAL:
        return
    if offering.list_price(sub.currency, kind, today) is None:
        raise Bad(column, f"{code} is not sold for a term {kind} in {sub.currency}")


def _scheduled(ctx: Context, row: Row, sub: Subscription, today: date) -> Term | None:
    """The next term, bought before the running one is over (M2)."""
    kind = row.choice("scheduled_term", TermKind)
    if kind is None:
        if also := next((c for c in ("scheduled_seats", "scheduled_offering") if c in row.cells), None):
            raise Bad("scheduled_term", f"is missing beside {also}")
        return None
    if sub.is_trial or sub.state in FINAL or kind is TermKind.TRIAL:
        raise Bad("scheduled_term", f"a term {sub.kind} that is {sub.state} has no next term {kind}")
    opens_on = lapse.window_opens_on(sub, ctx.policy)
    if opens_on is None or opens_on > today:
        raise Bad("scheduled_term", f"cannot be bought before the window opens on {opens_on} (M1)")
    code = row.word("scheduled_offering") or sub.offering_code
    offering = ctx.catalogue.offerings.get(code)
    if offering is None:
        raise Bad("scheduled_offering", f'the catalogue has no "{code}"')
    _refuse_unsold(sub, kind, code, offering, today, "scheduled_term")
    seats = row.count("scheduled_seats", 1) or sub.seats
    sub.last_number = 2
    return Term(2, kind, sub.renews_on, sub.next_end(sub.renews_on, kind, sub.anchor_day), seats, code)


def _regime_on(ctx: Context, row: Row, sub: Subscription, today: date) -> date:
    """The latest purchase decides the regime (L1): the running term's first day, or that of the window in which
    the next term was bought, unless the row says it."""
    on = row.day("regime_on", today)
    if on is None:
        opens_on = lapse.window_opens_on(sub, ctx.policy) if sub.scheduled else None
        return opens_on or sub.starts_on
    if on > today:
        raise Bad("regime_on", f"{on} lies in the future")
    return on


def _auto_renew(row: Row, sub: Subscription) -> bool:
    """As the row says; else as a purchase would set it (A1, A3, L5)."""
    wanted = row.flag("auto_renew")
    never = sub.is_trial or sub.method in MANUAL
    if wanted and never:
        rule = "a trial is not renewed (O4)" if sub.is_trial else f"{sub.method} never renews by itself (A3)"
        raise Bad("auto_renew", rule)
    if wanted is not None:
        return wanted
    return sub.new_regime and sub.method is not None and not never and sub.state not in FINAL


def price(draft: Draft, term: Term, on: date, prices: Prices) -> Price:
    """What a term costs: as the row says for the running one, else by the list."""
    said = draft.row.amount("term_price", draft.sub.currency) if term.number == 1 else None
    if said is not None:
        return Price(said)
    try:
        return prices(draft.sub, term, on)
    except InvalidArgument as refusal:
        raise Bad("term", refusal.detail) from None
