"""Purchases, trials that become purchases, and accepted quotes (S1, O1, O4, Q9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select

from app.domain import money, pricing
from app.domain.errors import (
    AlreadyScheduled,
    EmailMismatch,
    FinalState,
    InvalidArgument,
    MethodOverLimit,
    MixedOrder,
    NotInThisVersion,
    QuoteClosed,
    UnknownSubject,
)
from app.domain.money import Price
from app.domain.states import State
from app.domain.subscription import Subscription
from app.domain.values import CHARGEABLE, MANUAL, ORDERABLE, Method, TermKind
from app.services import drafts, orders, renewals, stages
from app.services.batch import Batch
from app.services.commands.base import OK, Result, Work, ids_of, refuse_ended, require_taken
from app.services.context import Context
from app.store import db
from app.store.engine import reading


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a purchase: the reference the new subscription gets, and what it is."""

    ref: str
    offering: str
    term: TermKind
    seats: int


def buy(
    ctx: Context,
    csn: str,
    items: Sequence[Item],
    payment: Method | None = None,
    auto_renew: bool | None = None,
    partner: str | None = None,
    payer: Any = None,
    currency: str | None = None,
    timezone: str | None = None,
    is_paid: bool = False,
    actor: str = "purchaser",
) -> Result:
    """Buy new subscriptions in one order, paid at once. `is_paid`: by hand, and the money is there (M3)."""

    def act(_: list[Subscription], batch: Batch) -> None:
        owner = drafts.customer(batch.connection, csn)
        method = payment or (Method(owner.method) if owner.method else None)
        zone = timezone or owner.timezone
        on = ctx.today(zone)
        if items and all(item.term is TermKind.TRIAL for item in items):
            method = payment
        wishes = [
            drafts.Wish(i.ref, i.offering, i.term, i.seats, currency or owner.currency, zone, partner) for i in items
        ]
        lines = [new_line(batch, csn, wish, method, auto_renew, on) for wish in wishes]
        _refuse_purchase(ctx, batch.connection, items)
        if all(line.sub.is_trial for line in lines):
            for line in lines:
                orders.start_trial(batch, line.sub, on)
            return
        order = orders.Order("purchase", _payable(method, is_paid), owner.purchaser, None, auto_renew)
        orders.place(batch, order, lines, on, is_paid=is_paid and method in MANUAL)

    require_taken(Work(ctx, "buy", actor).run([], act))
    return Result({item.ref: OK for item in items}, created=[item.ref for item in items])


def _payable(method: Method | None, is_paid: bool) -> Method:
    if method is None:
        raise InvalidArgument("name a payment method")
    if method not in ORDERABLE:
        raise InvalidArgument(f"an order is not paid by {method}")
    if method not in CHARGEABLE and not (is_paid and method in MANUAL):
        raise NotInThisVersion(f"buying by {method}")
    return method


def new_line(
    batch: Batch, csn: str, wish: drafts.Wish, method: Method | None, auto_renew: bool | None, on: date
) -> orders.Line:
    """The order line of a new subscription. Raises `InvalidArgument` for what is not sold or not possible."""
    sub = drafts.draft(batch, csn, wish, method, True, on)
    if wish.seats < 1:
        raise InvalidArgument(f"{wish.seats} seats")
    sub.auto_renew = drafts.auto_renew_of_new(sub, auto_renew)
    if sub.is_trial:
        return orders.Line(sub, drafts.first_term(sub), Price(0))
    day = batch.customer_day(sub, on)
    price = pricing.whole_term(batch.ctx.catalogue, wish.offering, wish.kind, wish.currency, wish.seats, day)
    return orders.Line(sub, drafts.first_term(sub), price)


def _refuse_purchase(ctx: Context, connection: Connection, items: Sequence[Item]) -> None:
    refs = [item.ref for item in items]
    taken = connection.execute(select(db.subscription.c.ref).where(db.subscription.c.ref.in_(refs))).first()
    if not refs or taken or len(set(refs)) < len(refs):
        raise InvalidArgument(f"the reference {taken[0] if taken else ', '.join(refs)} cannot be used")
    kinds = {(item.term, ctx.catalogue.offerings[item.offering].kind) for item in items}
    if len(kinds) > 1:
        raise MixedOrder(", ".join(f"{item.ref} {item.term}" for item in items))


def convert_trial(
    ctx: Context,
    subscription: str,
    name: str,
    term: TermKind,
    seats: int,
    payment: Method,
    email: str | None = None,
    auto_renew: bool | None = None,
    actor: str = "purchaser",
) -> Result:
    """A trial becomes a purchase by the same e-mail address; the trial is over at once (O4)."""

    def act(subs: list[Subscription], batch: Batch) -> None:
        trial = subs[0]
        on = ctx.today(trial.zone)
        if not trial.is_trial or term is TermKind.TRIAL:
            raise InvalidArgument(f"{trial.ref} {trial.kind} to {term}: only a trial is converted, to a paid term")
        wish = drafts.Wish(name, trial.offering_code, term, seats, trial.currency, trial.zone, trial.partner)
        line = new_line(batch, trial.csn, wish, payment, auto_renew, on)
        _refuse_purchase(ctx, batch.connection, [Item(name, wish.offering, term, seats)])
        if trial.converted or trial.state not in (State.TRIAL, State.TRIAL_ENDED):
            raise FinalState(f"{trial.ref} was converted before")
        if email is not None and email.casefold() != trial.purchaser.casefold():
            raise EmailMismatch(email)
        batch.commanded(trial, "convert_trial", on, "O4", name)
        method = _payable(payment, False)
        order = orders.Order("conversion", method, trial.purchaser, None, auto_renew, trial_id=trial.id)
        orders.place(batch, order, [line], on)
        if not batch.intents:
            stages.convert(trial, on, batch)

    work = Work(ctx, "convert_trial", actor)
    require_taken(work.run(ids_of(ctx, [subscription]), act))
    return Result({subscription: OK}, created=[name])


def accept_quote(
    ctx: Context,
    quote: str,
    payment: Method,
    payer: Any = None,
    auto_renew: bool | None = None,
    name: str | None = None,
    actor: str = "purchaser",
) -> Result:
    """Renew everything on a quote at its prices: at once, together, all or nothing (Q9)."""
    work = Work(ctx, "accept_quote", actor)
    with reading(ctx.engine) as connection:
        named = select(db.subscription.c.id).where(db.subscription.c.ref == quote)
        ids = [row[0] for row in connection.execute(named)]
    work.bring_up_to_date(ids)  # the automatic quote that is meant may be due itself (J3b)
    try:
        quote_id = find_quote(ctx, quote)
    except QuoteClosed:
        _refuse_payment(payment)  # comes first of the two (J7)
        raise
    _refuse_payment(payment)
    with reading(ctx.engine) as connection:
        lines = _quote_lines(connection, quote_id)
    ids = [line.subscription_id for line in lines]

    def act(subs: list[Subscription], batch: Batch) -> None:
        row = batch.connection.execute(select(db.quote).where(db.quote.c.id == quote_id)).one()
        day = ctx.today(subs[0].customer_zone)
        if row.state != "open" or row.valid_until < day:
            raise QuoteClosed(f"{row.number} was valid until {row.valid_until}")
        _accept(batch, row, lines, subs, payment, auto_renew, name)

    require_taken(work.run(ids, act))
    return Result(dict.fromkeys(_refs(ctx, ids), OK))


def _refuse_payment(payment: Method) -> None:
    if payment not in ORDERABLE:
        raise InvalidArgument(f"a quote is not paid by {payment}")


def _accept(
    batch: Batch,
    row: drafts.AnyRow,
    lines: Sequence[drafts.AnyRow],
    subs: list[Subscription],
    payment: Method,
    auto_renew: bool | None,
    name: str | None,
) -> None:
    on = batch.ctx.today(subs[0].zone)
    by_id = {sub.id: sub for sub in subs}
    for sub in subs:
        refuse_ended(sub)
        if sub.scheduled is not None:
            raise AlreadyScheduled(sub.ref)
    refuse_over_limit(batch, row.total_minor, row.currency, payment)
    if payment not in CHARGEABLE:
        raise NotInThisVersion(f"accepting a quote by {payment}")
    order = orders.Order("quote", payment, subs[0].purchaser, name, auto_renew, quote_id=row.id)
    bought = []
    for line in lines:
        sub = by_id[line.subscription_id]
        batch.commanded(sub, "accept_quote", batch.ctx.today(sub.zone), "Q9", row.number)
        term = renewals.next_term(sub, on, batch, TermKind(line.term), line.seats, line.offering)
        bought.append(orders.Line(sub, term, Price(line.subtotal_minor, line.discount_minor, line.tax_minor)))
    orders.place(batch, order, bought, on)


def refuse_over_limit(batch: Batch, total_minor: int, currency: str, payment: Method) -> None:
    """A total over its currency's limit is not paid by card or PayPal (Q9)."""
    limit: Decimal | None = batch.ctx.policy.quotes.method_limit.get(currency)
    total = money.to_decimal(total_minor, currency)
    if limit is not None and total > limit and payment in (Method.CARD, Method.PAYPAL):
        raise MethodOverLimit(f"{money.show(total_minor, currency)} {currency} by {payment}")


def find_quote(ctx: Context, quote: str) -> int:
    """By its name or number, or a subscription's only open one."""
    with reading(ctx.engine) as connection:
        named = select(db.quote.c.id).where((db.quote.c.name == quote) | (db.quote.c.number == quote))
        found = connection.execute(named).scalar_one_or_none()
        if found is not None:
            return int(found)
        of_sub = (
            select(db.quote_line.c.quote_id, db.quote_line.c.is_open)
            .join(db.subscription, db.subscription.c.id == db.quote_line.c.subscription_id)
            .where(db.subscription.c.ref == quote)
        )
        rows = connection.execute(of_sub).all()
    open_ids = [quote_id for quote_id, is_open in rows if is_open]
    if len(open_ids) > 1:
        raise InvalidArgument(f"{quote} has several open quotes; name one")
    if not rows:
        raise UnknownSubject(f"quote {quote}")
    if not open_ids:
        raise QuoteClosed(f"{quote} has no open quote")
    return int(open_ids[0])


def _quote_lines(connection: Connection, quote_id: int) -> list[drafts.AnyRow]:
    query = select(db.quote_line).where(db.quote_line.c.quote_id == quote_id)
    return list(connection.execute(query.order_by(db.quote_line.c.position)))


def _refs(ctx: Context, ids: Sequence[int]) -> list[str]:
    query = select(db.subscription.c.ref).where(db.subscription.c.id.in_(ids)).order_by(db.subscription.c.id)
    with reading(ctx.engine) as connection:
        return [row[0] for row in connection.execute(query)]
