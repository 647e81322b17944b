"""Invoices and installments: what a term costs, when, and what is owed for it (I1-I3, B6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.domain import money
from app.domain.calendar import ONE_DAY
from app.domain.money import Price
from app.domain.subscription import Installment, OpenInvoice, Subscription, Term, anniversaries
from app.domain.values import InstallmentState, InvoiceState, NoticeKind, TermKind
from app.services import schema
from app.services.batch import Batch

WHOLE = 0
"""The `part` of an invoice line that bills a term whole (I3)."""


@dataclass(frozen=True, slots=True)
class Part:
    """One yearly part of a term's price (I1), or all of it as part 0."""

    part: int
    due_on: date
    price: Price


@dataclass(frozen=True, slots=True)
class Line:
    """What an invoice bills of one subscription's term."""

    sub: Subscription
    term: Term
    part: int
    price: Price


def parts_of(price: Price, term: Term, anchor_day: int, on: date, *, in_parts: bool) -> list[Part]:
    """The parts in which a term bought on `on` is billed: three yearly ones for three years, else one."""
    if term.kind is not TermKind.THREE_YEAR or not in_parts:
        return [Part(WHOLE, on, price)]
    first, second = anniversaries(term.starts_on, anchor_day)
    subtotals, discounts = money.thirds(price.subtotal_minor), money.thirds(price.discount_minor)
    taxes = money.thirds(price.tax_minor)
    return [
        Part(n + 1, due_on, Price(subtotals[n], discounts[n], taxes[n], price.promotion))
        for n, due_on in enumerate((on, first, second))
    ]


def total(prices: Sequence[Price]) -> Price:
    """The sum of prices."""
    return Price(
        sum(p.subtotal_minor for p in prices),
        sum(p.discount_minor for p in prices),
        sum(p.tax_minor for p in prices),
        None,
    )


def issue(
    batch: Batch,
    lines: Sequence[Line],
    issued_on: date,
    *,
    paid: bool,
    due_on: date | None = None,
    order_id: int | None = None,
) -> int:
    """Issue one invoice for lines of one customer and answer its id; payers get it by mail (B4, B6).

    An unpaid one counts from its due day, but never before S - 1 of a term that has not begun (L2).
    """
    first = lines[0].sub
    sums = total([line.price for line in lines])
    invoice_id = batch.id("invoice")
    due = due_on or issued_on
    state = InvoiceState.PAID if paid or sums.total_minor == 0 else InvoiceState.OPEN
    is_open = state is InvoiceState.OPEN
    batch.add(
        schema.INVOICE, invoice_id, "", first.customer_id, order_id, first.currency, issued_on, due,
        sums.subtotal_minor, sums.discount_minor, sums.tax_minor, sums.total_minor,
        0 if is_open else sums.total_minor, state, batch.now,
    )  # fmt: skip
    for position, line in enumerate(lines):
        counts_from = max(due, line.term.starts_on - ONE_DAY)
        _add_line(batch, invoice_id, position, line, counts_from, is_open)
        if is_open:
            number = line.term.number
            line.sub.unpaid.append(OpenInvoice(invoice_id, number, due, counts_from, False))
        if line.sub.has_payers:
            batch.payer_mails.append((NoticeKind.INVOICE, line.sub, issued_on, f"invoice:{invoice_id}"))
    return invoice_id


def _add_line(batch: Batch, invoice_id: int, position: int, line: Line, counts_from: date, is_open: bool) -> None:
    term, price = line.term, line.price
    batch.add(
        schema.INVOICE_LINE, invoice_id, position, line.sub.id, term.number, line.part, "term", term.offering,
        term.kind, term.seats, price.subtotal_minor, price.discount_minor, price.tax_minor, price.total_minor,
        counts_from, is_open, False,
    )  # fmt: skip


def add_installments(
    batch: Batch, sub: Subscription, term: Term, parts: Sequence[Part], invoice_id: int, *, paid: bool
) -> None:
    """Put a three-year term's parts on file: the first is billed with the transaction (I1)."""
    if parts[0].part == WHOLE:
        return
    first = InstallmentState.PAID if paid else InstallmentState.OPEN
    for part in parts:
        is_first = part is parts[0]
        state = first if is_first else InstallmentState.SCHEDULED
        price = part.price
        row_id = batch.id("installment")
        batch.add(
            schema.INSTALLMENT, row_id, sub.id, term.number, 0, part.part, part.due_on,
            price.subtotal_minor, price.discount_minor, price.tax_minor, price.total_minor, state,
            invoice_id if is_first else None, None,
        )  # fmt: skip
        if state is not InstallmentState.PAID:
            billed_by = invoice_id if is_first else None
            sub.installments.append(
                Installment(row_id, term.number, part.part, part.due_on, price, state, billed_by, None)
            )
