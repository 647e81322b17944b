"""Renewals by hand, the auto-renew setting, payment methods, and changes asked for R (M, A, T, P5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from app.domain import lapse, pricing
from app.domain.errors import (
    AlreadyScheduled,
    InvalidArgument,
    ManualPaymentMethod,
    NotAuthorized,
    NotInThisVersion,
    NotRenewable,
    SeatsBelowOne,
    WindowClosed,
)
from app.domain.lifecycle import settle_reason
from app.domain.states import FINAL
from app.domain.subscription import Pending, Subscription
from app.domain.values import (
    CHARGEABLE,
    MANUAL,
    ORDERABLE,
    InstallmentState,
    Method,
    NoticeKind,
    TermKind,
)
from app.services import drafts, installments, orders, renewals
from app.services.batch import Batch
from app.services.commands.base import OK, Result, Work, refuse_ended
from app.services.context import Context
from app.store import db
from app.store.engine import reading


def renew(
    ctx: Context,
    subscriptions: Sequence[str],
    payment: Method | None = None,
    term: TermKind | None = None,
    seats: int | None = None,
    auto_renew: bool | None = None,
    payer: Any = None,
    by: str | None = None,
    name: str | None = None,
    actor: str = "purchaser",
) -> Result:
    """Buy the next term of one subscription or of several, each as an order of its own (M1, M2)."""
    if len(set(subscriptions)) > 1 and (term or seats is not None or name):
        raise InvalidArgument("term, seats and a name go with one subscription only")
    if term is TermKind.TRIAL:
        raise InvalidArgument("nothing is renewed as a trial")
    _refuse_method(payment)

    def act(sub: Subscription, on: date, batch: Batch) -> None:
        if sub.is_trial:
            raise NotRenewable(sub.ref)
        wanted = renewals.next_term(
            sub,
            on,
            batch,
            term or sub.next_kind,
            sub.next_seats if seats is None else seats,
            sub.next_offering,
        )
        method = payment or sub.method
        price = renewals.price_of(sub, wanted, on, batch)
        refuse_ended(sub)
        _refuse_stranger(batch.connection, sub, by)
        refuse_renewal(sub, on, batch)
        if wanted.seats < 1:
            raise SeatsBelowOne(f"{wanted.seats} for {sub.ref}")
        if method is None:
            raise InvalidArgument(f"{sub.ref} has no payment method; name one")
        if method not in CHARGEABLE:
            raise NotInThisVersion(f"paying a renewal by {method}")
        batch.commanded(sub, "renew", on, "M1")
        order = orders.Order("renewal", method, by or sub.purchaser, name, auto_renew)
        orders.place(batch, order, [orders.Line(sub, wanted, price)], on)

    return Work(ctx, "renew", by or actor).bulk(subscriptions, act, charges_now=True)


def _refuse_method(payment: Method | None) -> None:
    if payment is not None and payment not in ORDERABLE:
        raise InvalidArgument(f"an order is not paid by {payment}")


def _refuse_stranger(connection: Connection, sub: Subscription, by: str | None) -> None:
    """The purchaser, the agreement manager or the primary admin may renew (W6)."""
    if by is None:
        return
    columns = (db.customer.c.purchaser, db.customer.c.agreement_manager, db.customer.c.primary_admin)
    row = connection.execute(select(*columns).where(db.customer.c.id == sub.customer_id)).one()
    if by.casefold() not in {email.casefold() for email in row if email}:
        raise NotAuthorized(by)


def refuse_renewal(sub: Subscription, on: date, batch: Batch) -> None:
    """The next term can be bought once, and while the window is open (M1, M2)."""
    if sub.scheduled is not None:
        raise AlreadyScheduled(f"{sub.ref} is renewed from {sub.scheduled.starts_on}")
    if not lapse.is_window_open(sub, on, batch.ctx.policy):
        opens_on = lapse.window_opens_on(sub, batch.ctx.policy)
        raise WindowClosed(f"that of {sub.ref} opens on {opens_on}")


def set_auto_renew(ctx: Context, subscriptions: Sequence[str], enabled: bool, actor: str = "purchaser") -> Result:
    """Switch automatic renewal on or off; on in the tail tries the renewal at once (A4, A5, A8)."""

    def act(sub: Subscription, on: date, batch: Batch) -> None:
        refuse_ended(sub)
        if enabled and sub.method in MANUAL:
            raise ManualPaymentMethod(f"{sub.ref} is paid by {sub.method}")
        batch.commanded(sub, "set_auto_renew", on, "A4", "on" if enabled else "off")
        if sub.auto_renew is enabled:
            return
        sub.auto_renew = enabled
        if not _is_told(batch.connection, sub, NoticeKind.AUTO_RENEW_CHANGED, on):
            batch.notify(sub, NoticeKind.AUTO_RENEW_CHANGED, on)
        _after_setting(sub, on, batch)

    return Work(ctx, "set_auto_renew", actor).bulk(subscriptions, act)


def _is_told(connection: Connection, sub: Subscription, kind: NoticeKind, on: date) -> bool:
    """Whether a notice without a document of its own went out that day: there is one of each (W4b)."""
    c = db.notice.c
    query = select(c.id).where(
        c.subscription_id == sub.id, c.term_number == sub.term_number, c.kind == kind, c.due_on == on, c.cause == ""
    )
    return connection.execute(query).first() is not None


def _after_setting(sub: Subscription, on: date, batch: Batch) -> None:
    """In a lapse the reason follows the setting (A6); switched on after E the renewal is tried at once (A4)."""
    batch.touch(sub)
    if sub.in_lapse:
        settle_reason(sub)
    if sub.auto_renew and sub.in_lapse and on >= sub.renews_on and sub.scheduled is None:
        renewals.attempt(sub, on, batch)


def change_payment_method(
    ctx: Context,
    payment: Method,
    csn: str | None = None,
    subscription: str | None = None,
    actor: str = "purchaser",
) -> Result:
    """Change a subscription's method, or a customer's default and what used it; declined charges are
    tried again at once (A3, A6, I2)."""
    if payment not in ORDERABLE:
        raise InvalidArgument(f"nothing is renewed by {payment}")
    if (csn is None) == (subscription is None):
        raise InvalidArgument("name either a customer or a subscription")
    work = Work(ctx, "change_payment_method", actor)

    def act(sub: Subscription, on: date, batch: Batch) -> None:
        refuse_ended(sub)
        batch.commanded(sub, "change_payment_method", on, "A6", payment)
        sub.method = payment
        if payment in MANUAL:
            sub.auto_renew = False
        if sub.in_lapse:
            settle_reason(sub)
        batch.touch(sub)
        if payment in CHARGEABLE:
            _try_declined_again(sub, on, batch)

    if subscription is not None:
        return work.one(subscription, act)
    owner_id, ids = _using_default(ctx, csn or "")
    changed: list[str] = []

    def each(subs: list[Subscription], batch: Batch) -> None:
        batch.connection.execute(update(db.customer).where(db.customer.c.id == owner_id).values(method=payment))
        for sub in subs:
            if sub.state not in FINAL:
                act(sub, work.today(sub), batch)
                changed.append(sub.ref)

    work.run(ids, each)
    return Result(dict.fromkeys(changed, OK))


def _try_declined_again(sub: Subscription, on: date, batch: Batch) -> None:
    for part in sub.installments:
        if part.state is InstallmentState.OPEN and part.tried_on is not None:
            installments.charge_rest(sub, part, on, batch)
    if sub.auto_renew and sub.declined and sub.in_lapse and sub.scheduled is None:
        renewals.attempt(sub, on, batch)


def _using_default(ctx: Context, csn: str) -> tuple[int, list[int]]:
    """A customer's id, and the subscriptions that use its default method."""
    with reading(ctx.engine) as connection:
        owner = drafts.customer(connection, csn)
        c = db.subscription.c
        query = select(c.id).where(
            c.customer_id == owner.id,
            c.method == owner.method,
            c.state.in_(("active", "renewable", "expired", "suspended")),
        )
        return int(owner.id), [row[0] for row in connection.execute(query.order_by(c.id))]


def change_term(
    ctx: Context,
    subscription: str,
    term: TermKind | None = None,
    withdraw: bool = False,
    actor: str = "purchaser",
) -> Result:
    """Ask for another term from R on, or take that back (T1)."""

    def check(sub: Subscription, on: date, batch: Batch) -> None:
        if term is None or term is TermKind.TRIAL or term is sub.kind:
            raise InvalidArgument(f"{sub.ref} has the term {sub.kind}; {term} is no change")
        _refuse_unsold(sub, batch, on, kind=term)

    return _ask_change(ctx, "change_term", subscription, {"term": term}, withdraw, check, actor)


def switch_offering(
    ctx: Context,
    subscription: str,
    offering: str | None = None,
    withdraw: bool = False,
    actor: str = "purchaser",
) -> Result:
    """Ask for another product from R on, once the window is open, or take that back (T1)."""

    def check(sub: Subscription, on: date, batch: Batch) -> None:
        if offering is None or offering == sub.offering_code:
            raise InvalidArgument(f"{sub.ref} has {sub.offering_code}; {offering} is no change")
        _refuse_unsold(sub, batch, on, offering=offering)

    return _ask_change(
        ctx, "switch_offering", subscription, {"offering": offering}, withdraw, check, actor, in_window=True
    )


def reduce_seats(
    ctx: Context,
    subscription: str,
    seats: int | None = None,
    withdraw: bool = False,
    actor: str = "purchaser",
) -> Result:
    """Ask for fewer seats from R on, or take that back (P5)."""

    def check(sub: Subscription, on: date, batch: Batch) -> None:
        if seats is None or seats >= sub.seats:
            raise InvalidArgument(f"{sub.ref} has {sub.seats} seats; {seats} is not fewer")

    return _ask_change(ctx, "reduce_seats", subscription, {"seats": seats}, withdraw, check, actor)


def _refuse_unsold(
    sub: Subscription, batch: Batch, on: date, kind: TermKind | None = None, offering: str | None = None
) -> None:
    """What is asked for must be for sale together with what stays."""
    if sub.is_trial:
        return
    pricing.whole_term(
        batch.ctx.catalogue, offering or sub.next_offering, kind or sub.next_kind, sub.currency, 1,
        batch.customer_day(sub, on),
    )  # fmt: skip


def _ask_change(
    ctx: Context,
    name: str,
    ref: str,
    change: dict[str, Any],
    withdraw: bool,
    check: Any,
    actor: str,
    *,
    in_window: bool = False,
) -> Result:
    (key,) = change

    def act(sub: Subscription, on: date, batch: Batch) -> None:
        if withdraw:
            if getattr(sub.pending, key) is None:
                raise InvalidArgument(f"no change of {key} is asked for {sub.ref}")
        else:
            check(sub, on, batch)
        refuse_ended(sub)
        if sub.scheduled is not None:
            raise AlreadyScheduled(f"{sub.ref} is renewed from {sub.scheduled.starts_on}")
        if in_window and not withdraw and not lapse.is_window_open(sub, on, batch.ctx.policy):
            raise WindowClosed(f"that of {ref} opens on {lapse.window_opens_on(sub, batch.ctx.policy)}")
        if key == "seats" and not withdraw and change[key] < 1:
            raise SeatsBelowOne(f"{change[key]} for {sub.ref}")
        setattr(sub.pending, key, None if withdraw else change[key])
        store_pending(batch.connection, sub.id, sub.pending, batch.now)
        batch.commanded(sub, name, on, "T1", "withdrawn" if withdraw else str(change[key]))
        batch.touch(sub)

    return Work(ctx, name, actor).one(ref, act)


def store_pending(connection: Connection, id_: int, pending: Pending, now: datetime) -> None:
    """Write what is asked for R in place of what was."""
    connection.execute(delete(db.pending_change).where(db.pending_change.c.subscription_id == id_))
    if pending:
        values = {"term": pending.term, "seats": pending.seats, "offering": pending.offering}
        connection.execute(db.pending_change.insert().values(subscription_id=id_, asked_at=now, **values))
