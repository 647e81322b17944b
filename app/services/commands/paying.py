"""Paying open invoices at once (B3), and the test provider's switch."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import Connection, select

from app.domain import money
from app.domain.errors import InvalidArgument, NothingToPay, NotInThisVersion, UnknownSubject
from app.domain.subscription import Subscription
from app.domain.values import CHARGEABLE, InvoiceState, Method
from app.services import charging, drafts, payments, settlement, stages
from app.services.batch import Batch
from app.services.commands.base import OK, Result, Work, require_taken
from app.services.context import Context
from app.store import db
from app.store.engine import reading

_PAYS = CHARGEABLE | {Method.BANK_TRANSFER, Method.CREDIT_MEMO, Method.CASH_BALANCE}


def pay_invoices(
    ctx: Context,
    csn: str,
    invoices: Sequence[str],
    payment: Method,
    amount: Decimal | None = None,
    actor: str = "purchaser",
) -> Result:
    """Pay invoices by number, or the open ones of subscriptions; what is short leaves the rest open (B3)."""
    with reading(ctx.engine) as connection:
        owner = drafts.customer(connection, csn)
        _require_known(connection, owner.id, invoices)
        concerned = _concerned(connection, owner.id, invoices)
    if not invoices or payment not in _PAYS or (amount is not None and amount <= 0):
        raise InvalidArgument("name invoices, a way of paying them and an amount above zero")

    def act(subs: list[Subscription], batch: Batch) -> None:
        owed = _open(batch.connection, owner.id, invoices)
        if not owed:
            raise NothingToPay(", ".join(invoices))
        rest = sum(invoice.rest_minor for invoice in owed)
        paid = rest if amount is None else _minor(amount, owner.currency)
        if paid > rest or payment in (Method.CREDIT_MEMO, Method.CASH_BALANCE):
            raise NotInThisVersion("overpayments, credit memos and cash balances")
        _pay(batch, owed, paid, payment, {sub.id: sub for sub in subs})

    work = Work(ctx, "pay_invoices", actor)
    require_taken(work.run(concerned, act))
    return Result(dict.fromkeys(invoices, OK))


def _minor(amount: Decimal, currency: str) -> int:
    try:
        return money.exact_minor(amount, currency)
    except ValueError as error:
        raise InvalidArgument(str(error)) from error


def _require_known(connection: Connection, customer_id: int, names: Sequence[str]) -> None:
    for name in names:
        sub = select(db.subscription.c.id).where(
            db.subscription.c.ref == name, db.subscription.c.customer_id == customer_id
        )
        number = select(db.invoice.c.id).where(db.invoice.c.number == name, db.invoice.c.customer_id == customer_id)
        if connection.execute(sub).first() is None and connection.execute(number).first() is None:
            raise UnknownSubject(f"{name}: neither a subscription nor an invoice of this customer")


def _concerned(connection: Connection, customer_id: int, names: Sequence[str]) -> list[int]:
    """The subscriptions named, and all that share an invoice with them or stand on an invoice named."""
    named = select(db.subscription.c.id).where(db.subscription.c.ref.in_(names))
    on_invoices = (
        select(db.invoice_line.c.subscription_id)
        .join(db.invoice, db.invoice.c.id == db.invoice_line.c.invoice_id)
        .where(
            db.invoice.c.customer_id == customer_id,
            db.invoice.c.number.in_(names)
            | db.invoice.c.id.in_(
                select(db.invoice_line.c.invoice_id).where(db.invoice_line.c.subscription_id.in_(named))
            ),
        )
    )
    ids = {row[0] for row in connection.execute(named)} | {row[0] for row in connection.execute(on_invoices)}
    return sorted(ids)


def _open(connection: Connection, customer_id: int, names: Sequence[str]) -> list[payments.Owed]:
    """The open invoices that are meant, oldest due first."""
    of_subs = (
        select(db.invoice_line.c.invoice_id)
        .join(db.subscription, db.subscription.c.id == db.invoice_line.c.subscription_id)
        .where(db.subscription.c.ref.in_(names))
    )
    query = select(db.invoice.c.id).where(
        db.invoice.c.customer_id == customer_id,
        db.invoice.c.state == InvoiceState.OPEN,
        db.invoice.c.number.in_(names) | db.invoice.c.id.in_(of_subs),
    )
    ids = [row[0] for row in connection.execute(query)]
    return sorted(payments.load(connection, ids).values(), key=lambda owed: (owed.due_on, owed.id))


def _pay(batch: Batch, owed: list[payments.Owed], paid: int, method: Method, subs: dict[int, Subscription]) -> None:
    holders = settlement.holders_of(batch.connection, [invoice.id for invoice in owed])
    amounts = _allocate(owed, paid)
    for sub_id in dict.fromkeys(id_ for ids in holders.values() for id_ in ids):
        on = batch.ctx.today(subs[sub_id].zone)
        batch.commanded(subs[sub_id], "pay_invoices", on, "B3", method)
    if method in CHARGEABLE:
        first = subs[holders[owed[0].id][0]]
        shares = [
            share for invoice in owed if amounts[invoice.id]
            for share in _shares(batch.connection, invoice.id, amounts[invoice.id], subs)
        ]  # fmt: skip
        on = batch.ctx.today(first.zone)
        charging.intend(batch, first, "invoice", on, paid, method=method, shares=shares)
        return
    for invoice in owed:
        payments.pay(batch, invoice, amounts[invoice.id], [subs[id_] for id_ in holders[invoice.id]])
    for sub in subs.values():
        stages.cure(sub, batch.ctx.today(sub.zone), batch)


def _allocate(owed: list[payments.Owed], paid: int) -> dict[int, int]:
    """Oldest due first (B3)."""
    amounts = {}
    for invoice in owed:
        amounts[invoice.id] = min(paid, invoice.rest_minor)
        paid -= amounts[invoice.id]
    return amounts


def _shares(
    connection: Connection, invoice_id: int, amount: int, subs: dict[int, Subscription]
) -> list[tuple[Subscription, int, int]]:
    """One invoice's payment by subscription: in the order of its lines, each up to its own total."""
    query = select(db.invoice_line.c.subscription_id, db.invoice_line.c.total_minor).where(
        db.invoice_line.c.invoice_id == invoice_id
    )
    shares = []
    for sub_id, total in connection.execute(query.order_by(db.invoice_line.c.position)):
        share = min(amount, total)
        amount -= share
        if share:
            shares.append((subs[sub_id], invoice_id, share))
    return shares


def decline_payments(ctx: Context, csn: str, actor: str = "operator") -> Result:
    """From now on the test provider declines every charge of a customer."""
    return _switch(ctx, csn, declines=True)


def accept_payments(ctx: Context, csn: str, actor: str = "operator") -> Result:
    """The test provider takes a customer's charges again."""
    return _switch(ctx, csn, declines=False)


def _switch(ctx: Context, csn: str, *, declines: bool) -> Result:
    with reading(ctx.engine) as connection:
        drafts.customer(connection, csn)
    ctx.provider.set_declining(csn, ctx.now(), declines)
    return Result({csn: OK})
