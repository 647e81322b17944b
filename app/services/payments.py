"""Money that reaches an invoice, and invoices that nobody has to pay any more (B3, L9, L6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from app.domain.lifecycle import settle_reason
from app.domain.subscription import Subscription
from app.domain.values import InstallmentState, InvoiceState, NoticeKind
from app.services import schema
from app.services.batch import Batch
from app.store import db


@dataclass(slots=True)
class Owed:
    """An invoice as far as paying it goes."""

    id: int
    number: str
    due_on: date
    total_minor: int
    paid_minor: int
    state: InvoiceState

    @property
    def rest_minor(self) -> int:
        return self.total_minor - self.paid_minor


def load(connection: Connection, ids: Iterable[int]) -> dict[int, Owed]:
    """Invoices by id."""
    query = select(
        db.invoice.c.id,
        db.invoice.c.number,
        db.invoice.c.due_on,
        db.invoice.c.total_minor,
        db.invoice.c.paid_minor,
        db.invoice.c.state,
    ).where(db.invoice.c.id.in_(set(ids)))
    return {row[0]: Owed(*row[:5], InvoiceState(row[5])) for row in connection.execute(query)}


def pay(batch: Batch, invoice: Owed, amount_minor: int, subs: Iterable[Subscription]) -> None:
    """Put money on an open invoice. A rest stays open (B3); a whole one ends what it caused."""
    invoice.paid_minor += amount_minor
    if invoice.rest_minor:
        batch.change(schema.INVOICE_PAID, invoice.id, invoice.paid_minor, InvoiceState.OPEN)
        return
    _close(batch, invoice, InvoiceState.PAID)
    for sub in subs:
        sub.unpaid = [owed for owed in sub.unpaid if owed.invoice_id != invoice.id]
        for part in sub.installments:
            if part.invoice_id == invoice.id:
                part.state = InstallmentState.PAID
                batch.change(schema.INSTALLMENT_STATE, part.id, InstallmentState.PAID)
        sub.installments = [p for p in sub.installments if p.state is not InstallmentState.PAID]
        batch.touch(sub)


def _close(batch: Batch, invoice: Owed, state: InvoiceState) -> None:
    invoice.state = state
    batch.change(schema.INVOICE_PAID, invoice.id, invoice.paid_minor, state)
    batch.change(schema.LINE_CLOSED, invoice.id, False)


def void_unbegun(sub: Subscription, batch: Batch) -> None:
    """A canceled subscription owes nothing for a term that has not begun (L9)."""
    if sub.scheduled is None:
        return
    unbegun = [owed.invoice_id for owed in sub.unpaid if owed.term_number == sub.scheduled.number]
    for invoice in load(batch.connection, unbegun).values():
        _close(batch, invoice, InvoiceState.VOID)
    sub.unpaid = [owed for owed in sub.unpaid if owed.invoice_id not in unbegun]


def settle_reason_after(sub: Subscription, on: date, batch: Batch) -> None:
    """The state stays; reason and X follow the cause that is left (S2)."""
    before = sub.reason
    settle_reason(sub)
    batch.touch(sub)
    if sub.reason is not before:
        batch.decided(sub, "change_reason", on, "L6", f"{before} is cured, {sub.reason} is left")


def tell_overdue(sub: Subscription, on: date, batch: Batch) -> None:
    """The day after D the payers are told that an invoice is past due (B4)."""
    for owed in sub.unpaid:
        if not owed.overdue_told and owed.due_on < on:
            owed.overdue_told = True
            batch.change(schema.OVERDUE_TOLD, owed.invoice_id, True)
            batch.payer_mails.append((NoticeKind.INVOICE_OVERDUE, sub, on, f"invoice:{owed.invoice_id}"))
    batch.touch(sub)
