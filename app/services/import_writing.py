"""Writes a page of imported subscriptions, and settles what lies before the day of the import."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from app.domain.calendar import ONE_DAY
from app.domain.deadlines import automatic_quote_on, reminder_days
from app.domain.states import FINAL
from app.domain.subscription import Subscription
from app.domain.values import InstallmentState, InvoiceState, NoticeKind
from app.services import reminders, schema
from app.services.batch import Batch
from app.services.import_drafts import Draft, PlannedPart
from app.store import db, writer, zones

NAME = "import"
"""The name of an import's command and transition in the record."""
_JUST_REMINDED = timedelta(days=3)


def write(batch: Batch, drafts: Sequence[Draft], source: str) -> None:
    """Write new subscriptions whose customers are in the book. Everything by bulk statements."""
    zone_ids = _zone_ids(batch, drafts)
    for draft in drafts:
        sub = draft.sub
        sub.id, sub.customer_id, sub.zone_id = batch.id("subscription"), draft.customer.id, zone_ids[sub.zone]
        batch.create(sub)
        _add_record(batch, draft, source)
        _add_terms(batch, draft)
        _add_parts(batch, draft, _add_invoice_line(batch, draft))
        settle_past(batch, sub, draft.today)
    writer.insert(batch.connection, db.invoice, schema.INVOICE.columns, list(_invoices(batch, drafts)))
    batch.write()
    users = [(draft.sub.id, email, batch.now) for draft in drafts for email in draft.users]
    writer.insert(batch.connection, db.assignment, ("subscription_id", "email", "assigned_at"), users)


def _zone_ids(batch: Batch, drafts: Iterable[Draft]) -> dict[str, int]:
    """The zones of subscriptions and customers, with an id; one that is new begins with yesterday done (J2)."""
    known = {zone.name: zone.id for zone in zones.progress(batch.connection)}
    for name in {zone for draft in drafts for zone in (draft.sub.zone, draft.sub.customer_zone)} - set(known):
        known[name] = zones.id_of(batch.connection, name, batch.now)
    return known


def _add_record(batch: Batch, draft: Draft, source: str) -> None:
    """The command with its line, and the first transition: to where it stands, as of the term's first day."""
    sub = draft.sub
    batch.commanded(sub, NAME, draft.today, "S1", f"{source}:{draft.row.line} {draft.mark()}")
    batch.add(
        schema.EVENT, sub.id, None, "transition", NAME, None, sub.state, sub.starts_on, batch.now, batch.cause,
        "S1", None,
    )  # fmt: skip


def _add_terms(batch: Batch, draft: Draft) -> None:
    sub, running = draft.sub, draft.term
    for term, bought_on in ((running, draft.bought_on), (sub.scheduled, sub.regime_on)):
        if term is not None:
            batch.add(
                schema.TERM, sub.id, term.number, term.kind, term.starts_on, term.ends_on, sub.anchor_day,
                term.seats, term.offering, bought_on, False,
            )  # fmt: skip


def _add_invoice_line(batch: Batch, draft: Draft) -> int | None:
    """The line of an unpaid invoice; answers the invoice's id."""
    owed, sub = draft.owed, draft.sub
    if owed is None:
        return None
    invoice_id = batch.id("invoice")
    told = owed.due_on + ONE_DAY < draft.today
    price, counts_from = owed.price, max(owed.due_on, sub.starts_on - ONE_DAY)
    batch.add(
        schema.INVOICE_LINE, invoice_id, 0, sub.id, 1, owed.part, "term", sub.offering_code, sub.kind, sub.seats,
        price.subtotal_minor, price.discount_minor, price.tax_minor, price.total_minor, counts_from, True, told,
    )  # fmt: skip
    for unpaid in sub.unpaid:
        unpaid.invoice_id = invoice_id
    draft.invoice_id = invoice_id
    return invoice_id


def _invoices(batch: Batch, drafts: Iterable[Draft]) -> Iterable[tuple[Any, ...]]:
    """Unpaid invoices keep out of our own series of numbers: it was the old system that issued them (B5)."""
    for draft in drafts:
        owed, sub = draft.owed, draft.sub
        if owed is not None:
            price = owed.price
            yield (
                draft.invoice_id, f"import-{sub.ref}", sub.customer_id, None, sub.currency, owed.issued_on,
                owed.due_on, price.subtotal_minor, price.discount_minor, price.tax_minor, price.total_minor, 0,
                InvoiceState.OPEN, batch.now,
            )  # fmt: skip


def _add_parts(batch: Batch, draft: Draft, invoice_id: int | None) -> None:
    """Yearly parts: paid ones without an invoice of ours, the unpaid one with it, later ones to come (I1)."""
    live = iter(draft.sub.installments)
    for planned in draft.parts:
        row_id, tried_on = batch.id("installment"), None
        is_open = planned.state is InstallmentState.OPEN
        if planned.state is not InstallmentState.PAID:
            part = next(live)
            part.id, tried_on = row_id, part.tried_on
            part.invoice_id = invoice_id if is_open else None
        batch.add(schema.INSTALLMENT, *_part_row(row_id, draft.sub, planned, invoice_id if is_open else None, tried_on))


def _part_row(
    row_id: int, sub: Subscription, planned: PlannedPart, invoice_id: int | None, tried_on: date | None
) -> tuple[Any, ...]:
    part, price = planned.part, planned.part.price
    return (
        row_id, sub.id, planned.term_number, 0, part.part, part.due_on, price.subtotal_minor,
        price.discount_minor, price.tax_minor, price.total_minor, planned.state, invoice_id, tried_on,
    )  # fmt: skip


def settle_past(batch: Batch, sub: Subscription, today: date) -> None:
    """What lies before today was dealt with where the book comes from, but for a reminder (Q10, W3)."""
    if sub.state in FINAL or sub.is_trial or sub.scheduled is not None:
        return
    policy = batch.ctx.policy
    if (sub.ends_on - today).days > max(policy.quotes.automatic_days_before, *policy.notices.reminder_days):
        return
    quote_on = automatic_quote_on(sub, policy)
    if quote_on is not None and quote_on < today:
        sub.quote_decided_on = quote_on
        batch.decided(sub, "skip_quote", quote_on, "Q10", "imported after its day")
    _collapse_reminders(batch, sub, today)


def _collapse_reminders(batch: Batch, sub: Subscription, today: date) -> None:
    """Of the reminders missed only the latest is sent, by the next run of `remind` (W3).

    One whose day comes just after it is dropped as well: a term imported on 2026-06-04 that ends on 06-09 is
    recalled once, not on 06-04 for 05-10 and again on 06-05. `remind` would send that one too, so in this case
    it is the import that has it send the late one, and then counts the next one as done.
    """
    days = sorted(on for on in reminder_days(sub, batch.ctx.policy) if on > sub.starts_on)
    missed = [on for on in days if on < today]
    if not missed:
        return
    if today >= sub.ends_on or today in days:
        sub.reminded_on = missed[-1]
        if today < sub.ends_on:
            _drop(batch, sub, missed, "a later reminder is due")
        return
    *earlier, late = missed
    _drop(batch, sub, earlier, "a later reminder is due")
    sub.reminded_on = earlier[-1] if earlier else None
    soon = [on for on in days if today < on <= today + _JUST_REMINDED]
    if soon:
        reminders.remind(sub, late, batch)
        _drop(batch, sub, soon, "a late reminder is sent with the import")
        sub.reminded_on = soon[-1]


def _drop(batch: Batch, sub: Subscription, days: Iterable[date], why: str) -> None:
    for on in days:
        batch.notify(sub, NoticeKind.RENEWAL_REMINDER, on, dropped=why)
        batch.decided(sub, "drop_reminder", on, "W3", why)
