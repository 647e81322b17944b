"""Orders: placed with their charge's intent, fulfilled when the money is there, or declined (O2, A6b)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from app.domain.errors import InvalidArgument
from app.domain.money import Price
from app.domain.states import State, Trigger
from app.domain.subscription import Subscription, Term
from app.domain.values import CHARGEABLE, MANUAL, RECURRING, Method, NoticeKind, OrderState, TermKind
from app.services import billing, charging, drafts, renewals, schema
from app.services.batch import Batch
from app.store import db

RULE_OF = {"renewal": "M2", "quote": "Q9"}
"""The rule under which an order of each kind renews (S3)."""


@dataclass(slots=True)
class Line:
    """One subscription's part: a new one in state NEW, or an old one and its next term."""

    sub: Subscription
    term: Term
    price: Price
    """Of the whole term."""


@dataclass(slots=True)
class Order:
    """What is bought in one go, by whom, and how it is paid."""

    kind: str
    method: Method
    actor: str
    name: str | None = None
    auto_renew: bool | None = None
    quote_id: int | None = None
    trial_id: int | None = None
    id: int = 0


def number_of(order_id: int) -> str:
    return f"O{order_id:08d}"


def place(batch: Batch, order: Order, lines: Sequence[Line], on: date, *, is_paid: bool = False) -> None:
    """Write an order and the intent of its charge; one that is paid or costs nothing is fulfilled at once.

    Raises `InvalidArgument` for a way of paying that no order takes.
    """
    order.id = batch.id("sale_order")
    first = lines[0].sub
    sums = billing.total([line.price for line in lines])
    batch.add(
        schema.ORDER, order.id, number_of(order.id), order.name, first.customer_id, order.kind,
        OrderState.PLACED, on, batch.now, None, first.currency, sums.subtotal_minor, sums.discount_minor,
        sums.tax_minor, sums.total_minor, order.method, order.auto_renew, order.quote_id, order.trial_id,
        order.actor,
    )  # fmt: skip
    for position, line in enumerate(lines):
        _add_line(batch, order, position, line)
    due_now = [_parts(batch, line, on)[0].price.total_minor for line in lines]
    if is_paid or sum(due_now) == 0:
        fulfil(batch, order, lines, on)
        return
    if order.method not in CHARGEABLE:
        raise InvalidArgument(f"an order is not charged by {order.method}")
    shares = [(line.sub, None, due) for line, due in zip(lines, due_now, strict=True) if line.sub.id]
    charging.intend(
        batch, first, "order", on, sum(due_now), method=order.method, order_id=order.id,
        shares=shares if len(lines) > 1 else (),
    )  # fmt: skip


def _add_line(batch: Batch, order: Order, position: int, line: Line) -> None:
    sub, term, price = line.sub, line.term, line.price
    is_new = sub.state is State.NEW
    batch.add(
        schema.ORDER_LINE, order.id, position, None if is_new else sub.id, sub.ref if is_new else None,
        sub.partner, sub.zone, term.offering, term.kind, term.seats, price.subtotal_minor,
        price.discount_minor, price.tax_minor, price.total_minor,
    )  # fmt: skip


def _parts(batch: Batch, line: Line, on: date) -> list[billing.Part]:
    """What a line costs now and later."""
    if line.sub.state is State.NEW:
        in_parts = line.sub.new_regime
        return billing.parts_of(line.price, line.term, on.day, on, in_parts=in_parts)
    return renewals.parts_of(line.sub, line.term, line.price, on, batch)


def fulfil(batch: Batch, order: Order, lines: Sequence[Line], on: date, charge_id: int | None = None) -> None:
    """The money is there: everything on the order is bought, on one invoice (Q9, B6)."""
    parts = [_parts(batch, line, on) for line in lines]
    are_new = [line.sub.state is State.NEW for line in lines]
    for line, is_new in zip(lines, are_new, strict=True):
        if is_new:
            _begin(batch, line, on)
        else:
            _renew(batch, order, line, on)
    billed = [
        billing.Line(line.sub, line.term, part[0].part, part[0].price) for line, part in zip(lines, parts, strict=True)
    ]
    _confirm(batch, order, lines, on)
    invoice_id = billing.issue(batch, billed, on, paid=True, order_id=order.id)
    for line, part in zip(lines, parts, strict=True):
        billing.add_installments(batch, line.sub, line.term, part, invoice_id, paid=True)
    if charge_id is not None:
        due = [part[0].price.total_minor for part in parts]
        for position, (line, is_new, amount) in enumerate(zip(lines, are_new, due, strict=True)):
            if is_new:  # it did not exist when the charge was made; now it is on its record too
                batch.add(schema.CHARGE_SHARE, charge_id, len(lines) + position, line.sub.id, None, amount)
    if order.quote_id is not None:
        batch.purchased_quotes.append(order.quote_id)
    batch.change(schema.ORDER_SETTLED, order.id, OrderState.DONE, batch.now)


def _begin(batch: Batch, line: Line, on: date) -> None:
    """A new subscription starts on the day of its purchase (S1, D3)."""
    sub, term = line.sub, line.term
    sub.id = batch.id("subscription")
    batch.create(sub)
    batch.add(
        schema.TERM, sub.id, term.number, term.kind, term.starts_on, term.ends_on, sub.anchor_day, term.seats,
        term.offering, on, False,
    )  # fmt: skip
    if sub.is_trial:
        batch.fire(sub, Trigger.START_TRIAL, on, "O4")
    else:
        batch.fire(sub, Trigger.PURCHASE, on, "S1")


def _renew(batch: Batch, order: Order, line: Line, on: date) -> None:
    """An old subscription gets its next term; method and auto-renew follow the order (A1, A6b)."""
    sub = line.sub
    if order.method in RECURRING:
        sub.method = order.method
    renewals.apply(sub, line.term, on, batch, RULE_OF[order.kind])
    sub.auto_renew = auto_renew_after(sub, order)


def auto_renew_after(sub: Subscription, order: Order) -> bool:
    """On by default since the cut-over, unless the renewal says otherwise or is paid by hand (A1, A6b)."""
    if order.method in MANUAL or sub.method in MANUAL:
        return False
    if order.auto_renew is not None:
        return order.auto_renew
    return True if sub.new_regime else sub.auto_renew


def _confirm(batch: Batch, order: Order, lines: Sequence[Line], on: date) -> None:
    """One mail for the order, listed under each of its subscriptions (W4b)."""
    kind = NoticeKind.RENEWED if order.kind in RULE_OF else NoticeKind.ORDER_CONFIRMATION
    cause = f"order:{number_of(order.id)}"
    for line in lines:
        batch.notify(line.sub, kind, on, cause, mail_key=cause if len(lines) > 1 else None)


def start_trial(batch: Batch, sub: Subscription, on: date) -> None:
    """A trial begins; it costs nothing and sends no mail (O4, W4b)."""
    term = Term(1, TermKind.TRIAL, on, sub.ends_on, sub.seats, sub.offering_code)
    _begin(batch, Line(sub, term, Price(0)), on)


def decline(batch: Batch, order_id: int) -> None:
    """The charge was declined: nothing is bought (A6b)."""
    batch.change(schema.ORDER_SETTLED, order_id, OrderState.DECLINED, batch.now)


def load(
    batch: Batch, connection: Connection, order_id: int, subs: dict[int, Subscription]
) -> tuple[Order, list[Line]]:
    """An order as it was placed, to be settled now."""
    row = connection.execute(select(db.sale_order).where(db.sale_order.c.id == order_id)).one()
    order = Order(row.kind, Method(row.method), row.actor, row.name, row.auto_renew, row.quote_id, row.trial_id, row.id)
    query = select(db.order_line).where(db.order_line.c.order_id == order_id)
    rows = connection.execute(query.order_by(db.order_line.c.position)).all()
    csn = drafts.csn_of(connection, row.customer_id)
    return order, [_line(batch, order, line, row, csn, subs) for line in rows]


def _line(
    batch: Batch,
    order: Order,
    row: drafts.AnyRow,
    placed: drafts.AnyRow,
    csn: str,
    subs: dict[int, Subscription],
) -> Line:
    price = Price(row.subtotal_minor, row.discount_minor, row.tax_minor)
    kind = TermKind(row.term)
    if row.subscription_id is not None:
        sub = subs[row.subscription_id]
        return Line(sub, renewals.next_term(sub, placed.placed_on, batch, kind, row.seats, row.offering), price)
    wish = drafts.Wish(row.new_ref, row.offering, kind, row.seats, placed.currency, row.timezone, row.partner)
    sub = drafts.draft(batch, csn, wish, order.method, True, placed.placed_on)
    sub.auto_renew = drafts.auto_renew_of_new(sub, order.auto_renew)
    return Line(sub, drafts.first_term(sub), price)
