"""What a provider's answer does: the next term begins, an invoice is paid, an order is fulfilled, or not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from app.domain.payments import Answer
from app.domain.subscription import Subscription
from app.services import charging, installments, orders, payments, renewals, stages
from app.services.batch import Batch
from app.services.charging import Pending
from app.services.context import Context
from app.store import db
from app.store.engine import writing
from app.store.facts import Facts


@dataclass(slots=True)
class Desk:
    """What is needed to record the outcomes of a page of charges."""

    batch: Batch
    connection: Connection
    subs: dict[int, Subscription]
    shares: dict[int, list[tuple[int, int, int]]] = field(default_factory=dict)
    """Charge → (subscription, invoice, amount)."""
    invoices: dict[int, payments.Owed] = field(default_factory=dict)


def settle(ctx: Context, answers: Mapping[int, Answer], cause: str, seen: Sequence[Subscription] = ()) -> None:
    """Record known answers and all that follows from them, in one transaction.

    A charge that somebody else settled meanwhile is passed over. `seen`: subscriptions as they were when the
    provider was asked; those that nobody has touched since are not read again.
    """
    known = {id_: answer for id_, answer in answers.items() if answer is not Answer.UNKNOWN}
    if not known:
        return
    with writing(ctx.engine) as connection:
        pending = charging.lock_pending(connection, known)
        batch = Batch(ctx, connection, cause, size=max(1, len(pending)))
        desk = _open_desk(ctx, connection, batch, pending, seen)
        for charge in pending:
            charging.record(batch, charge, known[charge.id], batch.now)
            _APPLY[charge.purpose](desk, charge, known[charge.id] is Answer.TAKEN)
        batch.write()


def _open_desk(
    ctx: Context, connection: Connection, batch: Batch, pending: list[Pending], seen: Sequence[Subscription]
) -> Desk:
    shares = _shares(connection, [c.id for c in pending])
    wanted = {c.subscription_id for c in pending if c.subscription_id is not None}
    wanted |= {sub_id for rows in shares.values() for sub_id, _, _ in rows}
    wanted |= _of_orders(connection, [c.order_id for c in pending if c.order_id is not None])
    facts = Facts(connection, ctx.policy, ctx.catalogue)
    subs = {sub.id: sub for sub in facts.unchanged(seen) if sub.id in wanted}
    subs.update({sub.id: sub for sub in facts.by_ids(sorted(wanted - subs.keys()))})
    invoice_ids = {p.invoice_id for sub in subs.values() for p in sub.installments if p.invoice_id}
    invoice_ids |= {invoice_id for rows in shares.values() for _, invoice_id, _ in rows if invoice_id}
    return Desk(batch, connection, subs, shares, payments.load(connection, invoice_ids))


def _shares(connection: Connection, charge_ids: list[int]) -> dict[int, list[tuple[int, int, int]]]:
    query = (
        select(
            db.charge_share.c.charge_id,
            db.charge_share.c.subscription_id,
            db.charge_share.c.invoice_id,
            db.charge_share.c.amount_minor,
        )
        .where(db.charge_share.c.charge_id.in_(charge_ids))
        .order_by(db.charge_share.c.charge_id, db.charge_share.c.position)
    )
    found: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for charge_id, sub_id, invoice_id, amount in connection.execute(query):
        found[charge_id].append((sub_id, invoice_id, amount))
    return found


def _of_orders(connection: Connection, order_ids: list[int]) -> set[int]:
    if not order_ids:
        return set()
    query = select(db.order_line.c.subscription_id).where(
        db.order_line.c.order_id.in_(order_ids), db.order_line.c.subscription_id.is_not(None)
    )
    return {row[0] for row in connection.execute(query)}


def _renewal(desk: Desk, charge: Pending, taken: bool) -> None:
    sub = desk.subs[charge.subscription_id or 0]
    if taken:
        renewals.complete_automatic(sub, charge.charged_on, desk.batch, charge.id, charge.as_of)
    else:
        renewals.declined(sub, charge.charged_on, desk.batch, charge.id)


def _installment(desk: Desk, charge: Pending, taken: bool) -> None:
    sub = desk.subs[charge.subscription_id or 0]
    if not taken:
        installments.declined(sub, charge.charged_on, desk.batch, charge.id)
        return
    part = next(p for p in sub.installments if (p.term_number, p.part) == (charge.term_number, charge.part))
    payments.pay(desk.batch, desk.invoices[part.invoice_id or 0], charge.amount_minor, [sub])
    stages.cure(sub, charge.charged_on, desk.batch)


def _order(desk: Desk, charge: Pending, taken: bool) -> None:
    assert charge.order_id is not None
    if not taken:
        orders.decline(desk.batch, charge.order_id)
        return
    order, lines = orders.load(desk.batch, desk.connection, charge.order_id, desk.subs)
    orders.fulfil(desk.batch, order, lines, charge.charged_on, charge.id)
    if order.trial_id is not None:
        _convert(desk, order.trial_id, charge)


def _convert(desk: Desk, trial_id: int, charge: Pending) -> None:
    facts = Facts(desk.connection, desk.batch.ctx.policy, desk.batch.ctx.catalogue)
    stages.convert(facts.by_ids([trial_id])[0], charge.charged_on, desk.batch)


def _invoice(desk: Desk, charge: Pending, taken: bool) -> None:
    """A person paid invoices: the money goes where the shares say, then the lapse is looked at again."""
    if not taken:
        return
    paid: dict[int, int] = defaultdict(int)
    for _, invoice_id, amount in desk.shares[charge.id]:
        paid[invoice_id] += amount
    holders = holders_of(desk.connection, paid)
    for invoice_id, amount in paid.items():
        subs = [desk.subs[sub_id] for sub_id in holders[invoice_id]]
        payments.pay(desk.batch, desk.invoices[invoice_id], amount, subs)
    for sub_id in dict.fromkeys(sub_id for ids in holders.values() for sub_id in ids):
        sub = desk.subs[sub_id]
        stages.cure(sub, desk.batch.ctx.today(sub.zone), desk.batch)


def holders_of(connection: Connection, invoice_ids: Iterable[int]) -> dict[int, list[int]]:
    """The subscriptions on each invoice."""
    query = (
        select(db.invoice_line.c.invoice_id, db.invoice_line.c.subscription_id)
        .where(db.invoice_line.c.invoice_id.in_(list(invoice_ids)))
        .order_by(db.invoice_line.c.invoice_id, db.invoice_line.c.position)
    )
    found: dict[int, list[int]] = defaultdict(list)
    for invoice_id, sub_id in connection.execute(query):
        found[invoice_id].append(sub_id)
    return found


_APPLY: dict[str, Callable[[Desk, Pending, bool], None]] = {
    "renewal": _renewal,
    "installment": _installment,
    "order": _order,
    "invoice": _invoice,
}
