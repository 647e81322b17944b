"""Charges: the intent is written before the provider is asked, the outcome after (architecture, rule 9).

A pending intent whose outcome is unknown is asked about by its key; it is never charged anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import CompoundSelect, Connection, select, union

from app.domain.payments import Answer, ChargeRequest
from app.domain.subscription import Subscription
from app.domain.values import ChargeState, Method
from app.services import schema
from app.services.batch import Batch
from app.services.context import Context
from app.store import db
from app.store.engine import is_sqlite, reading

Intent = tuple[int, ChargeRequest]
"""The id of a pending charge and what the provider is asked for."""


class ChargeInFlight(Exception):
    """Somebody else is charging this subscription just now."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A charge whose outcome is about to be recorded."""

    id: int
    subscription_id: int | None
    term_number: int
    part: int
    purpose: str
    order_id: int | None
    charged_on: date
    as_of: datetime
    amount_minor: int


def intend(
    batch: Batch,
    sub: Subscription,
    purpose: str,
    on: date,
    amount_minor: int,
    *,
    method: Method | None = None,
    term_number: int = 0,
    part: int = 0,
    order_id: int | None = None,
    shares: Sequence[tuple[Subscription, int | None, int]] = (),
) -> int:
    """Write the intent of a charge as of a local day and answer its id.

    `shares` (subscription, invoice, amount) stand where one charge is for several subscriptions. One that
    is being bought has no id yet; it gets its share when it exists.
    """
    if sub.is_charging:
        raise ChargeInFlight(f"{sub.ref} has a charge whose outcome is not known yet")
    charge_id = batch.id("charge")
    as_of = batch.moment(sub, on)
    used = method or sub.method
    assert used is not None
    key = f"{sub.ref}/{purpose}/{charge_id}"
    own = None if shares or not sub.id else sub.id
    batch.add(
        schema.CHARGE, charge_id, key, sub.customer_id, sub.csn, own, term_number, part, purpose, order_id, on,
        as_of, amount_minor, sub.currency, used, ChargeState.PENDING, batch.now,
    )  # fmt: skip
    for position, (shared, invoice_id, share) in enumerate(shares):
        batch.add(schema.CHARGE_SHARE, charge_id, position, shared.id, invoice_id, share)
    batch.intents.append((charge_id, ChargeRequest(key, sub.csn, amount_minor, sub.currency, used, as_of)))
    return charge_id


def ask(ctx: Context, intents: Sequence[Intent]) -> dict[int, Answer]:
    """Have the provider make charges that were never sent before. Outside any transaction."""
    answers = ctx.provider.charge([request for _, request in intents])
    return {charge_id: answer for (charge_id, _), answer in zip(intents, answers, strict=True)}


def ask_again(ctx: Context, intents: Sequence[Intent]) -> dict[int, Answer]:
    """Find out what became of intents left pending; only what never arrived is charged now."""
    found = ctx.provider.find([request.key for _, request in intents])
    answers = {charge_id: answer for (charge_id, _), answer in zip(intents, found, strict=True) if answer is not None}
    unseen = [intent for intent in intents if intent[0] not in answers]
    return answers | (ask(ctx, unseen) if unseen else {})


def left_pending(ctx: Context, subscription_ids: Iterable[int] | None = None) -> list[Intent]:
    """Intents without an outcome: of some subscriptions, or of the whole book but for who is set aside."""
    c = db.charge.c
    columns = (c.id, c.key, c.csn, c.amount_minor, c.currency, c.method, c.as_of)
    query = select(*columns).where(c.state == ChargeState.PENDING)
    if subscription_ids is None:
        query = query.where(c.id.not_in(_of(select(db.stuck.c.subscription_id))))
    else:
        query = query.where(c.id.in_(_of(list(subscription_ids))))
    with reading(ctx.engine) as connection:
        rows = connection.execute(query).all()
    # Sorted here: asked for an order, SQLite would read all charges there ever were.
    return [
        (id_, ChargeRequest(key, csn, amount, currency, Method(method), as_of))
        for id_, key, csn, amount, currency, method, as_of in sorted(rows)
    ]


def _of(subscription_ids: Any) -> CompoundSelect[int]:
    """The charges without an outcome that some subscriptions have, alone or with others."""
    c, share = db.charge.c, db.charge_share.c
    own = select(c.id).where(c.state == "pending", c.subscription_id.in_(subscription_ids))
    shared = select(c.id).join(db.charge_share, share.charge_id == c.id)
    return union(own, shared.where(c.state == "pending", share.subscription_id.in_(subscription_ids)))


def subscriptions_of(ctx: Context, charge_ids: Iterable[int]) -> list[int]:
    """The subscriptions that some charges are for; those being bought do not exist yet."""
    ids, share = list(charge_ids), db.charge_share.c
    own = select(db.charge.c.subscription_id).where(db.charge.c.id.in_(ids), db.charge.c.subscription_id.is_not(None))
    shared = select(share.subscription_id).where(share.charge_id.in_(ids))
    with reading(ctx.engine) as connection:
        return sorted(row[0] for row in connection.execute(union(own, shared)))


def lock_pending(connection: Connection, ids: Iterable[int]) -> list[Pending]:
    """Those of the charges that still have no outcome, locked: whoever comes second finds none."""
    c = db.charge.c
    columns = (
        c.id, c.subscription_id, c.term_number, c.part, c.purpose, c.order_id, c.charged_on, c.as_of,
        c.amount_minor,
    )  # fmt: skip
    query = (
        select(*columns).where(db.charge.c.id.in_(list(ids)), db.charge.c.state == "pending").order_by(db.charge.c.id)
    )
    if not is_sqlite(connection):
        query = query.with_for_update()
    return [Pending(*row) for row in connection.execute(query)]


def record(batch: Batch, charge: Pending, answer: Answer, now: datetime) -> None:
    """Write a known outcome."""
    state = ChargeState.SUCCEEDED if answer is Answer.TAKEN else ChargeState.DECLINED
    batch.change(schema.CHARGE_OUTCOME, charge.id, state, now)
