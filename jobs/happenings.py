"""What happened, read back from the record: transitions, decisions, charges, invoices and notices in one form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, Select, func, select

from app.domain.calendar import day_start, local_day, zone
from app.domain.money import show
from app.store import db

_ORDER_RULES = {"purchase": "S1", "renewal": "M2", "quote": "Q9", "conversion": "O4"}
_PURPOSE_RULES = {"renewal": "A2", "installment": "I2", "invoice": "B3"}


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened to one subscription on a day of its own.

    `at` is local: the instant of a command, else the beginning of the day. `amount` is this subscription's
    share in the currency's own decimals.
    """

    on: date
    at: datetime
    place: int
    """Of one day, as recorded: events, then charges, invoices and notices."""
    id: int
    subject: str
    event: str
    from_: str | None
    to: str | None
    rule: str | None
    detail: str
    amount: str | None = None
    currency: str | None = None


class Mark(NamedTuple):
    """How far the record goes at an instant: the last id of each table, and the charges without an outcome."""

    event: int
    charge: int
    invoice: int
    notice: int
    quote: int
    open_charges: tuple[int, ...]


def mark(connection: Connection) -> Mark:
    """Remember how far the record goes."""
    tables = (db.event, db.charge, db.invoice, db.notice, db.quote)
    event, charge, invoice, notice, quote = (
        int(connection.execute(select(func.coalesce(func.max(t.c.id), 0))).scalar_one()) for t in tables
    )
    pending = select(db.charge.c.id).where(db.charge.c.state == "pending")
    return Mark(event, charge, invoice, notice, quote, tuple(connection.execute(pending).scalars()))


BEGINNING = Mark(0, 0, 0, 0, 0, ())


def is_new_charge(since: Mark) -> ColumnElement[bool]:
    """Made since, or without an outcome until then."""
    made = db.charge.c.id > since.charge
    return made | db.charge.c.id.in_(since.open_charges) if since.open_charges else made


def read(connection: Connection, since: Mark = BEGINNING, until: date | None = None) -> Iterator[Happening]:
    """Everything since a mark, of days up to `until`; table by table, as recorded."""
    yield from _events(connection, since, until)
    yield from _charges(connection, since, until)
    yield from _invoices(connection, since, until)
    yield from _notices(connection, since, until)


def _rows(connection: Connection, query: Select[Any], on: ColumnElement[date], until: date | None) -> Iterator[Any]:
    yield from connection.execute(query if until is None else query.where(on <= until))


def _of(table: FromClause, link: ColumnElement[int]) -> FromClause:
    """A table with the subscription that a column names, and its zone."""
    s = db.subscription.c
    return table.join(db.subscription, s.id == link).join(db.zone, db.zone.c.id == s.zone_id)


def _begins(on: date, zone_name: str) -> datetime:
    """A day's beginning in the subscription's own zone."""
    return day_start(on, zone_name).astimezone(zone(zone_name))


def _events(connection: Connection, since: Mark, until: date | None) -> Iterator[Happening]:
    e, s, z = db.event.c, db.subscription.c, db.zone.c
    query = (
        select(e.effective_on, e.id, s.ref, z.name, e.name.label("what"), e.from_state, e.to_state, e.rule, e.detail,
               e.recorded_at, e.cause)
        .select_from(_of(db.event, e.subscription_id))
        .where(e.id > since.event)
        .order_by(e.id)
    )  # fmt: skip
    for row in _rows(connection, query, e.effective_on, until):
        yield Happening(
            row.effective_on, _at(row), 0, row.id, row.ref, row.what, row.from_state, row.to_state, row.rule,
            row.detail or "",
        )  # fmt: skip


def _at(row: Any) -> datetime:
    """A command's instant is when it was given; a job's is the beginning of its day."""
    is_by_job = row.cause.startswith("job ")
    if is_by_job or local_day(row.recorded_at, row.name) != row.effective_on:
        return _begins(row.effective_on, row.name)
    at: datetime = row.recorded_at.astimezone(zone(row.name))
    return at


def _charges(connection: Connection, since: Mark, until: date | None) -> Iterator[Happening]:
    """Of a charge for several subscriptions, each one's share."""
    c, s, z, o = db.charge.c, db.subscription.c, db.zone.c, db.sale_order.c
    share = (
        select(db.charge_share.c.charge_id, db.charge_share.c.subscription_id,
               func.sum(db.charge_share.c.amount_minor).label("amount_minor"))
        .group_by(db.charge_share.c.charge_id, db.charge_share.c.subscription_id)
        .where(db.charge_share.c.charge_id.in_(select(c.id).where(is_new_charge(since))))
        .subquery()
    )  # fmt: skip
    amount = func.coalesce(share.c.amount_minor, c.amount_minor).label("share")
    joined = (
        db.charge.outerjoin(share, share.c.charge_id == c.id)
        .join(db.subscription, s.id == func.coalesce(share.c.subscription_id, c.subscription_id))
        .join(db.zone, z.id == s.zone_id)
        .outerjoin(db.sale_order, o.id == c.order_id)
    )
    query = (
        select(c.charged_on, c.id, s.ref, z.name, amount, c.currency, c.state, c.method, c.purpose, o.kind)
        .select_from(joined)
        .where(is_new_charge(since))
        .order_by(c.id, s.id)
    )
    for row in _rows(connection, query, c.charged_on, until):
        rule = _ORDER_RULES.get(row.kind) if row.purpose == "order" else _PURPOSE_RULES[row.purpose]
        yield Happening(
            row.charged_on, _begins(row.charged_on, row.name), 1, row.id, row.ref, f"charge_{row.state}", None, None,
            rule, f"by {row.method}", show(row.share, row.currency), row.currency,
        )  # fmt: skip


def _invoices(connection: Connection, since: Mark, until: date | None) -> Iterator[Happening]:
    i, line, s, z = db.invoice.c, db.invoice_line.c, db.subscription.c, db.zone.c
    total = func.sum(line.total_minor).label("share")
    query = (
        select(i.issued_on, i.id, s.ref, z.name, total, i.currency, i.state, i.due_on)
        .select_from(_of(db.invoice.join(db.invoice_line, line.invoice_id == i.id), line.subscription_id))
        .where(i.id > since.invoice)
        .group_by(i.id, s.id, z.id)
        .order_by(i.id, func.min(line.position))
    )
    for row in _rows(connection, query, i.issued_on, until):
        yield Happening(
            row.issued_on, _begins(row.issued_on, row.name), 2, row.id, row.ref, "invoice", None, None, "B6",
            f"due {row.due_on}, {row.state}", show(row.share, row.currency), row.currency,
        )  # fmt: skip


def _notices(connection: Connection, since: Mark, until: date | None) -> Iterator[Happening]:
    """Dropped ones are left out."""
    n, s, z = db.notice.c, db.subscription.c, db.zone.c
    query = (
        select(n.due_on, n.id, s.ref, z.name, n.kind, n.recipient)
        .select_from(_of(db.notice, n.subscription_id))
        .where(n.id > since.notice, n.state != "dropped")
        .order_by(n.id)
    )
    for row in _rows(connection, query, n.due_on, until):
        yield Happening(
            row.due_on, _begins(row.due_on, row.name), 3, row.id, row.ref, f"notice_{row.kind}", None, None, "W4b",
            f"to {row.recipient}",
        )  # fmt: skip
