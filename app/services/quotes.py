"""The automatic quote and the end of quotes (Q7, Q8, Q10)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import Connection, select

from app.domain import lapse
from app.domain.calendar import ONE_DAY
from app.domain.deadlines import quote_skip
from app.domain.errors import Refusal
from app.domain.money import Price
from app.domain.subscription import Subscription, Term
from app.domain.values import NoticeKind, QuoteState
from app.services import reminders, renewals, schema, sweeps
from app.services.batch import Batch
from app.store import db, zones


def issue_automatic(sub: Subscription, on: date, batch: Batch) -> None:
    """Decide the automatic quote of a term once, by what holds on its day, and record it (Q10)."""
    sub.quote_decided_on = on
    batch.touch(sub)
    why_not = quote_skip(sub, on, batch.ctx.policy)
    if why_not is None:
        term = renewals.term_with_pending_change(sub, on, batch)
        try:
            price = renewals.price_of(sub, term, on, batch)
        except Refusal as refusal:
            why_not = str(refusal)
    if why_not is not None:
        batch.decided(sub, "skip_quote", on, "Q10", why_not)
        return
    quote_id = _write(sub, term, price, on, batch)
    batch.decided(sub, "issue_quote", on, "Q10", number_of(quote_id))
    batch.notify(sub, NoticeKind.QUOTE, on, cause=f"quote:{quote_id}")
    reminders.replaced_by_quote(sub, on, batch)


def number_of(quote_id: int) -> str:
    return f"Q{quote_id:08d}"


def _write(sub: Subscription, term: Term, price: Price, on: date, batch: Batch) -> int:
    quote_id = batch.id("quote")
    issued_on = batch.customer_day(sub, on)
    zone_id = sub.zone_id
    if sub.customer_zone != sub.zone:
        zone_id = zones.id_of(batch.connection, sub.customer_zone, batch.now)
    batch.add(
        schema.QUOTE, quote_id, number_of(quote_id), None, sub.customer_id, zone_id, sub.partner, "system",
        "renewal", sub.currency, issued_on, valid_until(sub, issued_on, batch), QuoteState.OPEN,
        price.subtotal_minor, price.discount_minor, price.tax_minor, price.total_minor, batch.now,
    )  # fmt: skip
    batch.add(
        schema.QUOTE_LINE, quote_id, 0, sub.id, term.number, term.offering, term.kind, term.seats,
        price.subtotal_minor, price.discount_minor, price.tax_minor, price.total_minor, True, True,
    )  # fmt: skip
    batch.add(schema.QUOTE_RECIPIENT, quote_id, 0, sub.purchaser)
    return quote_id


def valid_until(sub: Subscription, issued_on: date, batch: Batch) -> date:
    """Thirty days from the issue, never past the window's last day (Q7)."""
    policy = batch.ctx.policy
    last = lapse.window_last_day(sub, policy)
    return max(issued_on, min(issued_on + timedelta(days=policy.quotes.validity_days), last))


def expire_due(batch: Batch, zone_id: int, day: date, limit: int) -> int:
    """Expire a page of a zone's quotes whose last day has passed, and say how many (Q7)."""
    query = (
        select(db.quote.c.id)
        .where(db.quote.c.zone_id == zone_id, db.quote.c.state == "open", db.quote.c.valid_until < day)
        .order_by(db.quote.c.valid_until, db.quote.c.id)
        .limit(limit)
    )
    ids = [row[0] for row in batch.connection.execute(query)]
    sweeps.close(batch.connection, QuoteState.EXPIRED, ids)
    return len(ids)


def ends(connection: Connection, subscription_ids: Sequence[int]) -> list[tuple[int, str, date]]:
    """Id, zone and the day after the last of each open quote that holds one of some subscriptions (Q7)."""
    line, q = db.quote_line.c, db.quote.c
    query = (
        select(q.id, db.zone.c.name, q.valid_until)
        .distinct()
        .select_from(db.quote_line.join(db.quote, q.id == line.quote_id).join(db.zone, db.zone.c.id == q.zone_id))
        .where(line.is_open, line.subscription_id.in_(subscription_ids))
    )
    return [(id_, zone, last + ONE_DAY) for id_, zone, last in connection.execute(query)]
