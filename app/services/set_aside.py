"""Subscriptions that could not be processed: kept with their error, tried again, in nobody's way (J5)."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import delete, select, update

from app.domain.deadlines import JOB_ORDER
from app.services.context import Context
from app.store import db
from app.store.engine import reading, writing

_DUE_AT = {place: due.value for due, place in JOB_ORDER.items()}


def put(ctx: Context, id_: int, place: int | None, error: BaseException) -> None:
    """Set a subscription aside with the error that kept it from being processed.

    `place` is the job's; None for whatever is due next for it.
    """
    text = f"{type(error).__name__}: {error}".splitlines()[0][:500]
    now = ctx.now()
    with writing(ctx.engine) as connection:
        row = connection.execute(select(db.stuck.c.tries).where(db.stuck.c.subscription_id == id_)).one_or_none()
        if row is None:
            query = select(db.subscription.c.next_job, db.subscription.c.next_on).where(db.subscription.c.id == id_)
            next_job, next_on = connection.execute(query).one()
            due = _DUE_AT.get(next_job if place is None else place, "")
            values = {"subscription_id": id_, "due": due, "due_on": next_on or date(1970, 1, 1), "first_at": now}
            connection.execute(db.stuck.insert().values(**values, error=text, tries=1, last_at=now))
        else:
            change = {"error": text, "tries": row.tries + 1, "last_at": now}
            connection.execute(update(db.stuck).where(db.stuck.c.subscription_id == id_).values(**change))
        connection.execute(update(db.subscription).where(db.subscription.c.id == id_).values(stuck=True))


def release(ctx: Context, id_: int) -> None:
    """It was processed after all."""
    with reading(ctx.engine) as connection:
        query = select(db.stuck.c.subscription_id).where(db.stuck.c.subscription_id == id_)
        if connection.execute(query).first() is None:
            return
    with writing(ctx.engine) as connection:
        connection.execute(delete(db.stuck).where(db.stuck.c.subscription_id == id_))
        connection.execute(update(db.subscription).where(db.subscription.c.id == id_).values(stuck=False))


def due_again(ctx: Context, after: timedelta) -> list[int]:
    """Those whose last try is at least so long ago."""
    with reading(ctx.engine) as connection:
        query = select(db.stuck.c.subscription_id).where(db.stuck.c.last_at <= ctx.now() - after)
        return [row[0] for row in connection.execute(query.order_by(db.stuck.c.subscription_id))]
