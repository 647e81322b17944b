"""The next term: bought by hand, by quote or by the automatic charge; now or for its day (A, L6, L7, M2)."""

from __future__ import annotations

from datetime import date, datetime

from app.domain import lapse
from app.domain.deadlines import renewal_skip
from app.domain.errors import Refusal
from app.domain.lifecycle import settle_reason
from app.domain.money import Price
from app.domain.states import Trigger
from app.domain.subscription import Pending, Subscription, Term
from app.domain.values import CHARGEABLE, NoticeKind, QuoteState, TermKind
from app.services import billing, charging, schema
from app.services.batch import Batch


def next_term(sub: Subscription, on: date, batch: Batch, kind: TermKind, seats: int, offering: str) -> Term:
    """The term that would be bought on a day: it starts at R, also when R has passed (L7)."""
    is_late = on > sub.renews_on
    from_payment = is_late and lapse.late_start_is_payment_date(sub.kind, batch.ctx.policy)
    starts_on = on if from_payment else sub.renews_on
    anchor = on.day if from_payment else sub.anchor_day
    return Term(sub.last_number + 1, kind, starts_on, sub.next_end(starts_on, kind, anchor), seats, offering)


def term_with_pending_change(sub: Subscription, on: date, batch: Batch) -> Term:
    """The next term as the automatic charge and a plain renewal buy it (T2)."""
    return next_term(sub, on, batch, sub.next_kind, sub.next_seats, sub.next_offering)


def price_of(sub: Subscription, term: Term, on: date, batch: Batch, at: datetime | None = None) -> Price:
    """The price of a next term on a day, by the customer's zone (D5); `at` as in `Batch.customer_day`."""
    return batch.price(term.offering, term.kind, sub.currency, term.seats, batch.customer_day(sub, on, at))


def is_billed_in_parts(sub: Subscription, term: Term, on: date, batch: Batch) -> bool:
    """Three years bought since the cut-over are billed in yearly parts (I1), older ones whole (L5)."""
    return term.kind is TermKind.THREE_YEAR and lapse.is_new_regime(sub.region, on, batch.ctx.policy)


def parts_of(sub: Subscription, term: Term, price: Price, on: date, batch: Batch) -> list[billing.Part]:
    """What is due at the transaction and later for a next term."""
    anchor = _anchor(sub, term)
    in_parts = is_billed_in_parts(sub, term, on, batch)
    return billing.parts_of(price, term, anchor, on, in_parts=in_parts)


def _anchor(sub: Subscription, term: Term) -> int:
    """A term that starts at R keeps the anchor; one that starts on the day of payment sets it (L7)."""
    return sub.anchor_day if term.starts_on == sub.renews_on else term.starts_on.day


def attempt(sub: Subscription, on: date, batch: Batch) -> None:
    """Charge the next term as of a day, or record why not (A2, L6).

    On R, at a planned retry, or when a person's change asks for it.
    """
    why_not = renewal_skip(sub, on)
    if why_not is not None:
        skip(sub, on, batch, why_not, "L6")
        return
    term = term_with_pending_change(sub, on, batch)
    try:
        price = price_of(sub, term, on, batch)
    except Refusal as refusal:
        skip(sub, on, batch, str(refusal), "A2")
        return
    now_due = parts_of(sub, term, price, on, batch)[0].price
    if now_due.total_minor == 0:
        complete_automatic(sub, on, batch, charge_id=None)
    elif sub.method in CHARGEABLE:
        charging.intend(batch, sub, "renewal", on, now_due.total_minor, term_number=term.number)
    else:
        skip(sub, on, batch, f"no automatic charge by {sub.method or 'any method'}", "A2")


def skip(sub: Subscription, on: date, batch: Batch, why: str, rule: str) -> None:
    """The automatic renewal is not made, and that is recorded (L6)."""
    sub.tried_on, sub.declined = on, False
    batch.decided(sub, "skip_renewal", on, rule, why)
    batch.touch(sub)


def complete_automatic(
    sub: Subscription, on: date, batch: Batch, charge_id: int | None, asked_at: datetime | None = None
) -> None:
    """The charge went through: the next term begins (A2), at the price of the instant it was asked for."""
    term = term_with_pending_change(sub, on, batch)
    price = price_of(sub, term, on, batch, asked_at)
    parts = parts_of(sub, term, price, on, batch)
    apply(sub, term, on, batch, rule="A2")
    invoice_id = billing.issue(batch, [billing.Line(sub, term, parts[0].part, parts[0].price)], on, paid=True)
    billing.add_installments(batch, sub, term, parts, invoice_id, paid=True)
    batch.notify(sub, NoticeKind.RENEWED, on, cause=f"charge:{charge_id}")


def declined(sub: Subscription, on: date, batch: Batch, charge_id: int) -> None:
    """The charge was declined: it is tried again by A6, and the shutoff runs meanwhile."""
    sub.tried_on, sub.declined = on, True
    if sub.in_lapse:
        settle_reason(sub)
    batch.decided(sub, "charge_declined", on, "A6", f"charge {charge_id} for the next term")
    batch.notify(sub, NoticeKind.PAYMENT_FAILED, on, cause=f"charge:{charge_id}")
    batch.touch(sub)


def apply(sub: Subscription, term: Term, on: date, batch: Batch, rule: str) -> None:
    """The next term is bought on `on`: scheduled before R, begun from R on (M2, L7). It has been paid for."""
    anchor = _anchor(sub, term)
    batch.add(
        schema.TERM, sub.id, term.number, term.kind, term.starts_on, term.ends_on, anchor, term.seats,
        term.offering, on, False,
    )  # fmt: skip
    sub.last_number = term.number
    sub.regime_on, sub.new_regime = on, lapse.is_new_regime(sub.region, on, batch.ctx.policy)
    if sub.pending:
        sub.pending = Pending()
        batch.pending_taken.append(sub.id)
    batch.quote_closings[QuoteState.SUPERSEDED].append(sub.id)
    if on < term.starts_on:
        sub.scheduled = term
        batch.fire(sub, Trigger.RENEW, on, rule)
        return
    begin(sub, term, anchor, on, batch)
    # A late renewal may buy a term that is itself over; what was due since follows as of its own dates (L7).
    batch.fire(sub, Trigger.RENEW, on, rule, as_of=min(on, term.ends_on))


def begin(sub: Subscription, term: Term, anchor_day: int, on: date, batch: Batch) -> None:
    """The term becomes the running one, with its seats and offering."""
    if term.seats < sub.seats:
        batch.trims.append((sub, term.seats, on))
    sub.kind, sub.seats, sub.term_number = term.kind, term.seats, term.number
    sub.starts_on, sub.ends_on, sub.anchor_day = term.starts_on, term.ends_on, anchor_day
    if sub.offering_code != term.offering:
        sub.offering_code, sub.offering = term.offering, batch.ctx.catalogue.offerings[term.offering]
    sub.scheduled, sub.tried_on, sub.declined = None, None, False


def start_term(sub: Subscription, on: date, batch: Batch) -> None:
    """The job on R of a term bought early: it begins (M2)."""
    term = sub.scheduled
    assert term is not None
    begin(sub, term, sub.anchor_day, on, batch)
    batch.fire(sub, Trigger.START_TERM, on, "M2")
