"""A subscription that is about to be bought: a value without an id, in no state yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from app.domain.calendar import term_end
from app.domain.errors import UnknownSubject
from app.domain.lapse import is_new_regime
from app.domain.states import State
from app.domain.subscription import Subscription, Term
from app.domain.values import MANUAL, MONTHS, Method, Region, TermKind
from app.services.batch import Batch
from app.store import db, zones


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to buy: one new subscription."""

    ref: str
    offering: str
    kind: TermKind
    seats: int
    currency: str
    timezone: str
    partner: str | None = None


AnyRow = Row[Any]
"""A row of a table, read by column name."""


def customer(connection: Connection, csn: str) -> AnyRow:
    """The row of a customer. Raises `UnknownSubject`."""
    row = connection.execute(select(db.customer).where(db.customer.c.csn == csn)).one_or_none()
    if row is None:
        raise UnknownSubject(f"customer {csn}")
    return row


def draft(batch: Batch, csn: str, wish: Wish, method: Method | None, auto_renew: bool, on: date) -> Subscription:
    """The subscription as it would be if bought on a local day; a term that starts that day (D3)."""
    owner = customer(batch.connection, csn)
    catalogue, policy = batch.ctx.catalogue, batch.ctx.policy
    if wish.offering not in catalogue.offerings:
        raise UnknownSubject(f"there is no offering {wish.offering}")
    region = Region(owner.region) if owner.region else None
    payers = select(db.payer.c.email).where(db.payer.c.customer_id == owner.id).limit(1)
    has_payers = batch.connection.execute(payers).first() is not None
    trial = wish.kind is TermKind.TRIAL
    ends_on = on + timedelta(days=policy.trials.days - 1) if trial else term_end(on, MONTHS[wish.kind], on.day)
    return Subscription(
        id=0,
        ref=wish.ref,
        customer_id=owner.id,
        csn=csn,
        purchaser=owner.purchaser,
        language=owner.language,
        customer_zone=owner.timezone,
        region=region,
        has_payers=has_payers,
        zone=wish.timezone,
        zone_id=zones.id_of(batch.connection, wish.timezone, batch.now),
        offering_code=wish.offering,
        offering=catalogue.offerings[wish.offering],
        partner=wish.partner,
        currency=wish.currency,
        kind=wish.kind,
        seats=wish.seats,
        term_number=1,
        last_number=1,
        starts_on=on,
        ends_on=ends_on,
        anchor_day=on.day,
        state=State.NEW,
        reason=None,
        lapse_on=None,
        grace_days=0,
        auto_renew=auto_renew,
        method=method,
        regime_on=on,
        new_regime=is_new_regime(region, on, policy),
        tried_on=None,
        declined=False,
        reminded_on=None,
        quote_decided_on=None,
        converted=False,
        version=0,
        next_job=None,
        next_on=None,
    )


def first_term(sub: Subscription) -> Term:
    """The term a draft begins with."""
    return Term(1, sub.kind, sub.starts_on, sub.ends_on, sub.seats, sub.offering_code)


def auto_renew_of_new(sub: Subscription, wanted: bool | None) -> bool:
    """On by default since the cut-over, off before it and on methods that cannot renew (A1, A3, L5)."""
    if sub.is_trial or sub.method in MANUAL or sub.method is None:
        return False
    return sub.new_regime if wanted is None else wanted


def csn_of(connection: Connection, customer_id: int) -> str:
    """The customer number of a customer's row."""
    return str(connection.execute(select(db.customer.c.csn).where(db.customer.c.id == customer_id)).scalar_one())
