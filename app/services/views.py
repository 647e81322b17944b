"""What there is to see of a subscription, a quote and a customer, as plain values (scenario format)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from app.domain import lapse
from app.domain.calendar import ONE_DAY
from app.domain.deadlines import next_event
from app.domain.entitlements import CAPABILITIES, access
from app.domain.money import show
from app.domain.states import FINAL
from app.domain.subscription import Subscription
from app.services.context import Context
from app.store import db
from app.store.engine import reading
from app.store.facts import Facts


def load(ctx: Context, connection: Connection, refs: list[str]) -> list[Subscription]:
    """Subscriptions to look at, with their open quotes; unknown references are left out."""
    facts = Facts(connection, ctx.policy, ctx.catalogue, lock=False)
    subs = facts.by_refs(refs)
    facts.add_open_quotes(subs)
    return subs


def subscription(ctx: Context, ref: str) -> dict[str, Any]:
    """Every field of a subscription; {} for one that does not exist. Dates are dates, amounts text."""
    with reading(ctx.engine) as connection:
        subs = load(ctx, connection, [ref])
        return subscription_view(ctx, connection, subs[0]) if subs else {}


def subscription_view(ctx: Context, connection: Connection, sub: Subscription) -> dict[str, Any]:
    """The fields of a scenario's subscription."""
    ahead = next_event(sub, ctx.policy)
    return {
        "state": sub.state,
        "reason": sub.reason,
        "term": sub.kind,
        "seats": sub.seats,
        "offering": sub.offering_code,
        "currency": sub.currency,
        "starts_on": sub.starts_on,
        "ends_on": sub.ends_on,
        "renews_on": renews_on(sub),
        "window_opens_on": lapse.window_opens_on(sub, ctx.policy),
        "auto_renew": sub.auto_renew,
        "scheduled": _scheduled(sub),
        "pending": _pending(sub),
        "payment": sub.method,
        "assignments": users(connection, sub.id),
        "access": access(sub.state),
        "capabilities": CAPABILITIES[sub.state]._asdict(),
        "next": None if ahead is None else {"event": ahead.due, "on": ahead.on},
    }


def renews_on(sub: Subscription) -> Any:
    """R of the last term bought, as people are shown it: nothing in a lapse or with auto-renew off (D2)."""
    if not sub.auto_renew or sub.in_lapse or sub.state in FINAL or sub.is_trial:
        return None
    last = sub.scheduled.ends_on if sub.scheduled else sub.ends_on
    return last + ONE_DAY


def _scheduled(sub: Subscription) -> dict[str, Any] | None:
    term = sub.scheduled
    if term is None:
        return None
    return {
        "starts_on": term.starts_on,
        "ends_on": term.ends_on,
        "term": term.kind,
        "seats": term.seats,
        "offering": term.offering,
    }


def _pending(sub: Subscription) -> dict[str, Any] | None:
    if not sub.pending:
        return None
    return {"term": sub.pending.term, "seats": sub.pending.seats, "offering": sub.pending.offering}


def users(connection: Connection, id_: int) -> list[str]:
    """The e-mail addresses on its seats, first assigned first."""
    c = db.assignment.c
    query = select(c.email).where(c.subscription_id == id_, c.removed_at.is_(None)).order_by(c.id)
    return [row[0] for row in connection.execute(query)]


def quote(ctx: Context, name: str) -> dict[str, Any]:
    """The fields of a quote, by name or number; {} for one that does not exist."""
    with reading(ctx.engine) as connection:
        is_meant = (db.quote.c.name == name) | (db.quote.c.number == name)
        row = connection.execute(select(db.quote).where(is_meant)).one_or_none()
        return quote_view(connection, row) if row else {}


def quote_view(connection: Connection, row: Any) -> dict[str, Any]:
    """A quote's row with its lines and recipients."""
    line, to = db.quote_line.c, db.quote_recipient.c
    of_sub = db.subscription.c.id == line.subscription_id
    lines = connection.execute(
        select(db.subscription.c.ref)
        .select_from(db.quote_line.join(db.subscription, of_sub))
        .where(line.quote_id == row.id)
        .order_by(line.position)
    ).all()
    recipients = connection.execute(select(to.email).where(to.quote_id == row.id).order_by(to.position)).all()
    return {
        "number": row.number,
        "state": row.state,
        "source": row.source,
        "kind": row.kind,
        "currency": row.currency,
        "subtotal": show(row.subtotal_minor, row.currency),
        "discount": show(row.discount_minor, row.currency),
        "tax": show(row.tax_minor, row.currency),
        "total": show(row.total_minor, row.currency),
        "issued_on": row.issued_on,
        "valid_until": row.valid_until,
        "recipients": [r[0] for r in recipients],
        "lines": len(lines),
        "subscriptions": [r[0] for r in lines],
    }


def customer(ctx: Context, csn: str) -> dict[str, Any]:
    """What a customer owes and has; {} for one that does not exist."""
    with reading(ctx.engine) as connection:
        row = connection.execute(select(db.customer).where(db.customer.c.csn == csn)).one_or_none()
        if row is None:
            return {}
        c = db.invoice.c
        rest = func.coalesce(func.sum(c.total_minor - c.paid_minor), 0)
        is_theirs = (c.customer_id == row.id) & (c.state == "open")
        count, owed = connection.execute(select(func.count(), rest).where(is_theirs)).one()
        return {
            "prepay_required": bool(row.prepay_required),
            "cash_balance": show(0, row.currency),
            "credit_memos": show(0, row.currency),
            "open_invoices": int(count),
            "owed": show(int(owed), row.currency),
        }
