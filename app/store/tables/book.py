"""The book: zones, customers, subscriptions, their terms, pending changes and users."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from app.domain.states import State
from app.domain.values import ORDERABLE, Reason, Region, TermKind
from app.store.tables.base import one_of

_WAITS = text("next_on IS NOT NULL AND NOT stuck")


class Zone(SQLModel, table=True):
    """A time zone of the book and how far its days are done (J2, J3).

    All jobs up to `done_job` of `done_day`, and all of every day before, are done.
    """

    __tablename__ = "zone"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    done_day: date
    done_job: int


class Customer(SQLModel, table=True):
    """Who buys. `csn` is the customer number people use."""

    __tablename__ = "customer"
    __table_args__ = (one_of("region", Region), CheckConstraint("credit_limit_minor >= 0", name="credit"))
    id: int | None = Field(default=None, primary_key=True)
    csn: str = Field(unique=True)
    name: str
    purchaser: str
    language: str
    currency: str
    country: str | None = None
    region: str | None = None
    timezone: str
    vat_number: str | None = None
    tax_exempt: bool = False
    agreement_manager: str | None = None
    primary_admin: str | None = None
    method: str | None = None
    method_expires_on: date | None = None
    net_days: int | None = None
    credit_limit_minor: int | None = Field(default=None, sa_type=BigInteger)
    prepay_required: bool = False
    created_at: datetime


class Payer(SQLModel, table=True):
    """Who gets a customer's invoices (B1, B4)."""

    __tablename__ = "payer"
    customer_id: int = Field(foreign_key="customer.id", primary_key=True)
    email: str = Field(primary_key=True)
    position: int


class SubscriptionRow(SQLModel, table=True):
    """A subscription with its running term and what is due next for it."""

    __tablename__ = "subscription"
    __table_args__ = (
        one_of("state", [s for s in State if s is not State.NEW]),
        one_of("reason", Reason),
        one_of("term", TermKind),
        one_of("method", sorted(ORDERABLE)),
        CheckConstraint("seats >= 1", name="seats"),
        CheckConstraint("ends_on >= starts_on", name="term_order"),
        CheckConstraint("anchor_day BETWEEN 1 AND 31", name="anchor"),
        CheckConstraint("(reason IS NULL) = (lapse_on IS NULL)", name="reason_has_day"),
        CheckConstraint("state NOT IN ('active', 'renewable') OR reason IS NULL", name="no_reason_outside"),
        Index("ix_subscription_due", "zone_id", "next_job", "next_on", "id",
              sqlite_where=_WAITS, postgresql_where=_WAITS),
    )  # fmt: skip
    id: int = Field(primary_key=True)
    ref: str = Field(unique=True)
    customer_id: int = Field(foreign_key="customer.id", index=True)
    zone_id: int = Field(foreign_key="zone.id")
    offering: str
    partner: str | None = None
    currency: str
    term: str
    seats: int
    term_number: int
    last_number: int
    starts_on: date
    ends_on: date
    anchor_day: int
    state: str
    reason: str | None = None
    lapse_on: date | None = None
    grace_days: int = 0
    auto_renew: bool
    method: str | None = None
    regime_on: date
    tried_on: date | None = None
    declined: bool = False
    reminded_on: date | None = None
    quote_decided_on: date | None = None
    converted: bool = False
    next_job: int | None = None
    next_on: date | None = None
    stuck: bool = False
    version: int = 0
    created_at: datetime


class TermRow(SQLModel, table=True):
    """A term that was bought. Numbers count up and are never used again, so a term is bought once."""

    __tablename__ = "term"
    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="term_order"),
        CheckConstraint("seats >= 1", name="seats"),
        one_of("term", TermKind),
        Index("uq_term_start", "subscription_id", "starts_on", unique=True,
              sqlite_where=text("NOT undone"), postgresql_where=text("NOT undone")),
    )  # fmt: skip
    subscription_id: int = Field(foreign_key="subscription.id", primary_key=True)
    number: int = Field(primary_key=True)
    term: str
    starts_on: date
    ends_on: date
    anchor_day: int
    seats: int
    offering: str
    bought_on: date
    undone: bool = False


class PendingChange(SQLModel, table=True):
    """A change asked for R (T1). Nulls: nothing changes there."""

    __tablename__ = "pending_change"
    __table_args__ = (one_of("term", TermKind), CheckConstraint("seats >= 1", name="seats"))
    subscription_id: int = Field(foreign_key="subscription.id", primary_key=True)
    term: str | None = None
    seats: int | None = None
    offering: str | None = None
    asked_at: datetime


class Assignment(SQLModel, table=True):
    """A user on a seat, with when and until when (O6, P7)."""

    __tablename__ = "assignment"
    __table_args__ = (
        Index("uq_assignment_user", "subscription_id", "email", unique=True,
              sqlite_where=text("removed_at IS NULL"), postgresql_where=text("removed_at IS NULL")),
    )  # fmt: skip
    id: int | None = Field(default=None, primary_key=True)
    subscription_id: int = Field(foreign_key="subscription.id")
    email: str
    assigned_at: datetime
    removed_at: datetime | None = None
