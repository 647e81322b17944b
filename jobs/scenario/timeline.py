"""The timeline of a playing: every transition, charge, invoice and notice, in the order of its day."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from sqlalchemy import Connection, select

from app.domain.calendar import day_start, zone
from app.domain.money import show
from app.services.context import Context
from app.store import db
from app.store.engine import reading
from jobs.scenario.results import Moment


def timeline(ctx: Context, zone_name: str) -> list[Moment]:
    """Everything that happened to subscriptions, by effective day and then as recorded."""
    with reading(ctx.engine) as connection:
        rows = [*_events(connection), *_charges(connection), *_notices(connection), *_invoices(connection)]
    rows.sort(key=lambda row: row[0])
    return [moment for _, moment in rows]


Row = tuple[tuple[Any, ...], Moment]


def _local(on: Any, zone_name: str) -> str:
    """A day's beginning in the subscription's own zone."""
    return day_start(on, zone_name).astimezone(zone(zone_name)).isoformat()


def _events(connection: Connection) -> list[Row]:
    e, s, z = db.event.c, db.subscription.c, db.zone.c
    query = (
        select(e.effective_on, e.id, s.ref, z.name, e.kind, e.name.label("what"), e.from_state, e.to_state,
               e.rule, e.detail, e.recorded_at)
        .select_from(db.event.join(db.subscription, s.id == e.subscription_id).join(db.zone, z.id == s.zone_id))
        .order_by(e.id)
    )  # fmt: skip
    found: list[Row] = []
    for row in connection.execute(query):
        moment = Moment(_at(row), row.ref, row.what, row.from_state, row.to_state, row.rule, row.detail or "")
        found.append(((row.effective_on, 0, row.id), moment))
    return found


def _at(row: Any) -> str:
    """A command's instant is when it was given; a job's is the beginning of its day."""
    recorded: datetime = row.recorded_at.astimezone(zone(row.name))
    is_same_day = recorded.date() == row.effective_on and recorded.time() != time()
    return recorded.isoformat() if is_same_day else _local(row.effective_on, row.name)


def _charges(connection: Connection) -> list[Row]:
    c, s, z = db.charge.c, db.subscription.c, db.zone.c
    query = (
        select(c.charged_on, c.id, s.ref, z.name, c.amount_minor, c.currency, c.state, c.method)
        .select_from(db.charge.join(db.subscription, s.id == c.subscription_id).join(db.zone, z.id == s.zone_id))
    )  # fmt: skip
    return [
        (
            (row.charged_on, 1, row.id),
            Moment(
                _local(row.charged_on, row.name), row.ref, f"charge_{row.state}", None, None, "A2",
                f"{show(row.amount_minor, row.currency)} {row.currency} by {row.method}",
            ),
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def _invoices(connection: Connection) -> list[Row]:
    i, line, s, z = db.invoice.c, db.invoice_line.c, db.subscription.c, db.zone.c
    joined = (
        db.invoice.join(db.invoice_line, line.invoice_id == i.id)
        .join(db.subscription, s.id == line.subscription_id)
        .join(db.zone, z.id == s.zone_id)
    )
    query = select(i.issued_on, i.id, s.ref, z.name, line.total_minor, i.currency, i.state, i.due_on).select_from(joined)
    return [
        (
            (row.issued_on, 2, row.id),
            Moment(
                _local(row.issued_on, row.name), row.ref, "invoice", None, None, "B6",
                f"{show(row.total_minor, row.currency)} {row.currency}, due {row.due_on}, {row.state} in the end",
            ),
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def _notices(connection: Connection) -> list[Row]:
    n, s, z = db.notice.c, db.subscription.c, db.zone.c
    query = (
        select(n.due_on, n.id, s.ref, z.name, n.kind, n.recipient)
        .select_from(db.notice.join(db.subscription, s.id == n.subscription_id).join(db.zone, z.id == s.zone_id))
        .where(n.state != "dropped")
    )
    return [
        (
            (row.due_on, 3, row.id),
            Moment(_local(row.due_on, row.name), row.ref, f"notice_{row.kind}", None, None, "W4b", f"to {row.recipient}"),
        )
        for row in connection.execute(query)
    ]
