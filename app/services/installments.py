"""Yearly parts of three-year terms: billed on their day, tried again, and what a decline does (I1, I2)."""

from __future__ import annotations

from datetime import date, timedelta

from app.domain.deadlines import installment_retry
from app.domain.subscription import Installment, Subscription, Term
from app.domain.values import CHARGEABLE, InstallmentState, NoticeKind
from app.services import billing, charging, payments, schema
from app.services.batch import Batch


def bill(sub: Subscription, on: date, batch: Batch) -> None:
    """Issue the invoices of the parts due on or before a day, and charge them (I2).

    On a method that cannot be charged the invoice is due after the customer's net days.
    """
    due = [p for p in sub.installments if p.state is InstallmentState.SCHEDULED and p.due_on <= on]
    for part in due:
        is_charged = sub.method in CHARGEABLE
        due_on = on if is_charged else on + timedelta(days=batch.ctx.policy.billing.net_days)
        term = Term(part.term_number, sub.kind, sub.starts_on, sub.ends_on, sub.seats, sub.offering_code)
        line = billing.Line(sub, term, part.part, part.price)
        is_free = part.price.total_minor == 0
        part.invoice_id = billing.issue(batch, [line], on, paid=is_free, due_on=due_on)
        part.state = InstallmentState.PAID if is_free else InstallmentState.OPEN
        part.tried_on = on if is_charged else None
        batch.change(schema.INSTALLMENT_BILLED, part.id, part.state, part.invoice_id, part.tried_on)
        if is_charged and not is_free:
            charge(sub, part, on, batch, part.price.total_minor)
    batch.touch(sub)


def charge_rest(sub: Subscription, part: Installment, on: date, batch: Batch) -> None:
    """Charge what is still open of a part: some of it may have been paid by hand (B3)."""
    owed = payments.load(batch.connection, [part.invoice_id or 0])
    charge(sub, part, on, batch, sum(invoice.rest_minor for invoice in owed.values()))


def charge(sub: Subscription, part: Installment, on: date, batch: Batch, amount_minor: int) -> None:
    """Write the intent of a part's charge as of a day."""
    part.tried_on = on
    batch.change(schema.INSTALLMENT_BILLED, part.id, part.state, part.invoice_id, on)
    charging.intend(batch, sub, "installment", on, amount_minor, term_number=part.term_number, part=part.part)
    batch.touch(sub)


def retry(sub: Subscription, on: date, batch: Batch) -> None:
    """Try declined parts again whose planned day has come (I2, A6)."""
    for part in sub.installments:
        retry_on = installment_retry(sub, part, batch.ctx.policy)
        if retry_on is not None and retry_on <= on:
            charge_rest(sub, part, on, batch)


def declined(sub: Subscription, on: date, batch: Batch, charge_id: int) -> None:
    """The invoice stays open; its due day is X (I2)."""
    batch.decided(sub, "charge_declined", on, "I2", f"charge {charge_id} for an installment")
    batch.notify(sub, NoticeKind.PAYMENT_FAILED, on, cause=f"charge:{charge_id}")
    batch.touch(sub)


def cancel_unbilled(sub: Subscription, batch: Batch) -> None:
    """Parts not yet billed are not billed any more (L9)."""
    for part in sub.installments:
        if part.state is InstallmentState.SCHEDULED:
            batch.change(schema.INSTALLMENT_STATE, part.id, InstallmentState.CANCELED)
    sub.installments = [p for p in sub.installments if p.state is not InstallmentState.SCHEDULED]
