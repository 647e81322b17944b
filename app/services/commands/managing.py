"""Users on seats (O6, S4), added seats as far as they are refused (P6), and customers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, insert, select, update

from app.domain import money
from app.domain.errors import (
    AlreadyScheduled,
    AssignmentsFrozen,
    FinalState,
    InLapse,
    InvalidArgument,
    NoFreeSeat,
    NotExtendable,
    NotInThisVersion,
    WindowClosed,
)
from app.domain.lapse import is_window_open
from app.domain.states import FINAL, State
from app.domain.subscription import Subscription
from app.domain.values import Method, Region, TermKind
from app.services.batch import Batch
from app.services.commands.base import Result, Work, ids_of, refuse_ended
from app.services.context import Context
from app.store import db, zones
from app.store.engine import writing

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def assign_user(ctx: Context, subscription: str, email: str, actor: str = "admin") -> Result:
    """Give a user a seat (O6, S4)."""

    def act(sub: Subscription, on: date, batch: Batch) -> None:
        users = _users(batch.connection, sub.id)
        if not _EMAIL.fullmatch(email) or email.casefold() in (user.casefold() for user in users):
            raise InvalidArgument(f"{email} cannot be assigned to {sub.ref}, or is already")
        _refuse_frozen(sub)
        if len(users) >= sub.seats:
            raise NoFreeSeat(f"{sub.ref} has {sub.seats}")
        values = {"subscription_id": sub.id, "email": email, "assigned_at": batch.now}
        batch.connection.execute(insert(db.assignment).values(**values))
        batch.commanded(sub, "assign_user", on, "O6", email)

    return Work(ctx, "assign_user", actor).one(subscription, act)


def unassign_user(ctx: Context, subscription: str, email: str, actor: str = "admin") -> Result:
    """Take a user's seat back (S4)."""

    def act(sub: Subscription, on: date, batch: Batch) -> None:
        users = {user.casefold(): user for user in _users(batch.connection, sub.id)}
        if sub.state not in FINAL and email.casefold() not in users:
            raise InvalidArgument(f"{email} has no seat of {sub.ref}")
        _refuse_frozen(sub)
        theirs = (db.assignment.c.subscription_id == sub.id, db.assignment.c.email == users[email.casefold()])
        batch.connection.execute(
            update(db.assignment).where(*theirs, db.assignment.c.removed_at.is_(None)).values(removed_at=batch.now)
        )
        batch.commanded(sub, "unassign_user", on, "O6", email)

    return Work(ctx, "unassign_user", actor).one(subscription, act)


def _users(connection: Connection, id_: int) -> list[str]:
    query = select(db.assignment.c.email).where(
        db.assignment.c.subscription_id == id_,
        db.assignment.c.removed_at.is_(None),
    )
    return [row[0] for row in connection.execute(query.order_by(db.assignment.c.id))]


def _refuse_frozen(sub: Subscription) -> None:
    if sub.state in FINAL:
        raise FinalState(f"{sub.ref} is {sub.state}")
    if sub.state is State.SUSPENDED:
        raise AssignmentsFrozen(sub.ref)


def add_seats(
    ctx: Context, subscription: str, seats: int, payment: Method | None = None, actor: str = "purchaser"
) -> Result:
    """Add seats at once: this version refuses where P6 does, and does not sell them yet."""

    def act(sub: Subscription, on: date, batch: Batch) -> None:
        if seats < 1:
            raise InvalidArgument(f"{seats} more seats")
        refuse_ended(sub)
        if sub.scheduled is not None:
            raise AlreadyScheduled(f"{sub.ref} is renewed from {sub.scheduled.starts_on}")
        if sub.in_lapse:
            raise InLapse(f"{sub.ref} is {sub.state}")
        raise NotInThisVersion("adding seats")

    return Work(ctx, "add_seats", actor).one(subscription, act)


def extend(
    ctx: Context, subscription: str, align_to: str, payment: Method | None = None, actor: str = "purchaser"
) -> Result:
    """Align an end date: this version refuses what M2, W1 and C2 refuse, and does not sell it yet."""
    ids_of(ctx, [subscription, align_to])

    def act(sub: Subscription, on: date, batch: Batch) -> None:
        refuse_ended(sub)
        if sub.scheduled is not None:
            raise AlreadyScheduled(f"{sub.ref} is renewed from {sub.scheduled.starts_on}")
        if not is_window_open(sub, on, batch.ctx.policy):
            raise WindowClosed(sub.ref)
        if sub.kind is TermKind.MONTHLY:
            raise NotExtendable(sub.ref)
        raise NotInThisVersion("extending to another end date")

    return Work(ctx, "extend", actor).one(subscription, act)


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """A customer as it is put on file. `region` False: from the country (L1)."""

    csn: str
    name: str
    purchaser: str
    currency: str
    timezone: str
    language: str = "en"
    country: str | None = None
    region: Region | bool | None = False
    vat_number: str | None = None
    tax_exempt: bool = False
    agreement_manager: str | None = None
    primary_admin: str | None = None
    method: Method | None = Method.CARD
    method_expires_on: date | None = None
    net_days: int | None = None
    credit_limit: Decimal | None = None
    payers: Sequence[str] = ()


def create_customer(ctx: Context, new: NewCustomer) -> None:
    """Put a customer on file. Raises `InvalidArgument` for one that is there, or too many payers (B1)."""
    with writing(ctx.engine) as connection:
        store_customer(ctx, connection, new)


def store_customer(ctx: Context, connection: Connection, new: NewCustomer) -> int:
    """Write a customer and its payers; answers the id."""
    if connection.execute(select(db.customer.c.id).where(db.customer.c.csn == new.csn)).first():
        raise InvalidArgument(f"customer {new.csn} exists")
    if len(new.payers) > ctx.policy.billing.payer_limit:
        raise InvalidArgument(f"{new.csn} has more than {ctx.policy.billing.payer_limit} payers")
    zones.id_of(connection, new.timezone, ctx.now())
    row: dict[str, Any] = {
        "csn": new.csn,
        "name": new.name,
        "purchaser": new.purchaser,
        "language": new.language,
        "currency": new.currency,
        "country": new.country,
        "region": ctx.catalogue.region_of(new.country) if new.region is False else new.region,
        "timezone": new.timezone,
        "vat_number": new.vat_number,
        "tax_exempt": new.tax_exempt,
        "agreement_manager": new.agreement_manager,
        "primary_admin": new.primary_admin,
        "method": new.method,
        "method_expires_on": new.method_expires_on,
        "net_days": new.net_days,
        "credit_limit_minor": None if new.credit_limit is None else money.exact_minor(new.credit_limit, new.currency),
        "prepay_required": False,
        "created_at": ctx.now(),
    }
    id_ = int(connection.execute(insert(db.customer).values(**row).returning(db.customer.c.id)).scalar_one())
    for position, email in enumerate(new.payers):
        connection.execute(insert(db.payer).values(customer_id=id_, email=email, position=position))
    return id_
