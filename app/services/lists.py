"""The lists a subscription has: invoices, installments, quotes, charges, notices, transitions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, func, select

from app.domain.money import show
from app.services import views
from app.services.context import Context
from app.store import db
from app.store.engine import reading

Rows = list[dict[str, Any]]


def of(ctx: Context, list_name: str, ref: str) -> Rows:
    """A list of a subscription by its name in a scenario (`invoices_of`), in the order in which it was made."""
    with reading(ctx.engine) as connection:
        id_ = connection.execute(select(db.subscription.c.id).where(db.subscription.c.ref == ref)).scalar()
        return [] if id_ is None else _LISTS[list_name](connection, int(id_))


def invoices(connection: Connection, id_: int) -> Rows:
    """An invoice of several subscriptions stands here whole, with this one's part as `share`."""
    i, line = db.invoice.c, db.invoice_line.c
    query = (
        select(db.invoice, line.total_minor.label("share_minor"))
        .select_from(db.invoice.join(db.invoice_line, line.invoice_id == i.id))
        .where(line.subscription_id == id_)
        .order_by(i.issued_on, i.id, line.position)
    )
    found: dict[int, dict[str, Any]] = {}
    shares: dict[int, int] = {}
    for row in connection.execute(query):
        shares[row.id] = shares.get(row.id, 0) + row.share_minor
        found[row.id] = {
            "number": row.number,
            "issued_on": row.issued_on,
            "due_on": row.due_on,
            "subtotal": show(row.subtotal_minor, row.currency),
            "discount": show(row.discount_minor, row.currency),
            "tax": show(row.tax_minor, row.currency),
            "total": show(row.total_minor, row.currency),
            "paid": show(row.paid_minor, row.currency),
            "state": row.state,
            "share": show(shares[row.id], row.currency),
        }
    return list(found.values())


def installments(connection: Connection, id_: int) -> Rows:
    """The parts of all its three-year terms, by the day on which they are billed (I1)."""
    c = db.installment.c
    currency = _currency(connection, id_)
    query = select(c.due_on, c.amount_minor, c.state).where(c.subscription_id == id_)
    rows = connection.execute(query.order_by(c.due_on, c.source, c.id))
    return [{"due_on": on, "amount": show(amount, currency), "state": state} for on, amount, state in rows]


def quotes(connection: Connection, id_: int) -> Rows:
    """The quotes that hold it."""
    q, line = db.quote.c, db.quote_line.c
    query = (
        select(db.quote)
        .select_from(db.quote.join(db.quote_line, line.quote_id == q.id))
        .where(line.subscription_id == id_)
        .order_by(q.issued_on, q.id)
    )
    return [views.quote_view(connection, row) for row in connection.execute(query).all()]


def charges(connection: Connection, id_: int) -> Rows:
    """Each attempt at a payment method; of one for several subscriptions, this one's share."""
    c, share = db.charge.c, db.charge_share.c
    columns = (c.id, c.charged_on, c.currency, c.state, c.method)
    own = select(*columns, c.amount_minor).where(c.subscription_id == id_)
    shared = (
        select(*columns, func.sum(share.amount_minor).label("amount_minor"))
        .select_from(db.charge.join(db.charge_share, share.charge_id == c.id))
        .where(share.subscription_id == id_)
        .group_by(*columns)
    )
    rows = sorted(
        [*connection.execute(own).all(), *connection.execute(shared).all()],
        key=lambda row: (row.charged_on, row.id),
    )
    return [
        {
            "on": row.charged_on,
            "amount": show(int(row.amount_minor), row.currency),
            "result": row.state,
            "method": row.method,
        }
        for row in rows
    ]


def notices(connection: Connection, id_: int) -> Rows:
    """What was or will be told, one row a recipient, by the day it was due; dropped ones are left out."""
    c = db.notice.c
    query = select(c.due_on, c.kind, c.recipient, c.language).where(c.subscription_id == id_, c.state != "dropped")
    rows = connection.execute(query.order_by(c.due_on, c.id))
    return [{"on": on, "kind": kind, "to": to, "language": language} for on, kind, to, language in rows]


def transitions(connection: Connection, id_: int) -> Rows:
    """Its moves, by the day on which they took effect; the first is the purchase (S3)."""
    c = db.event.c
    query = select(c.effective_on, c.from_state, c.to_state, c.rule).where(
        c.subscription_id == id_, c.kind == "transition"
    )
    rows = connection.execute(query.order_by(c.id))
    return [{"on": on, "from": before, "to": after, "rule": rule} for on, before, after, rule in rows]


def _currency(connection: Connection, id_: int) -> str:
    return str(connection.execute(select(db.subscription.c.currency).where(db.subscription.c.id == id_)).scalar_one())


_LISTS: dict[str, Callable[[Connection, int], Rows]] = {
    "invoices_of": invoices,
    "installments_of": installments,
    "quotes_of": quotes,
    "charges_of": charges,
    "notices_of": notices,
    "transitions_of": transitions,
}
