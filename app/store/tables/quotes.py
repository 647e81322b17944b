"""Quotes (Q1-Q11)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from app.domain.values import QuoteState
from app.store.tables.base import one_of

_OPEN = text("state = 'open'")
_OPEN_LINE = text("is_open")
_OPEN_AUTOMATIC = text("is_open AND is_automatic")


class Quote(SQLModel, table=True):
    """An offer at fixed prices until the last second of `valid_until` in the customer's zone (Q7)."""

    __tablename__ = "quote"
    __table_args__ = (
        one_of("state", QuoteState),
        one_of("source", ["self_service", "partner", "sales", "system"]),
        one_of("kind", ["new", "alignment", "renewal"]),
        CheckConstraint("subtotal_minor - discount_minor + tax_minor = total_minor", name="adds_up"),
        CheckConstraint("valid_until >= issued_on", name="validity"),
        Index("ix_quote_open", "zone_id", "valid_until", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )
    id: int = Field(primary_key=True)
    number: str = Field(unique=True)
    name: str | None = Field(default=None, unique=True)
    customer_id: int = Field(foreign_key="customer.id", index=True)
    zone_id: int = Field(foreign_key="zone.id")
    partner: str | None = None
    source: str
    kind: str
    currency: str
    issued_on: date
    valid_until: date
    state: str
    subtotal_minor: int = Field(sa_type=BigInteger)
    discount_minor: int = Field(sa_type=BigInteger)
    tax_minor: int = Field(sa_type=BigInteger)
    total_minor: int = Field(sa_type=BigInteger)
    created_at: datetime


class QuoteLine(SQLModel, table=True):
    """What a quote holds for one subscription. `is_open` follows the quote's state."""

    __tablename__ = "quote_line"
    __table_args__ = (
        CheckConstraint("subtotal_minor - discount_minor + tax_minor = total_minor", name="adds_up"),
        CheckConstraint("seats >= 1", name="seats"),
        Index("uq_quote_line_automatic", "subscription_id", "term_number", unique=True,
              sqlite_where=_OPEN_AUTOMATIC, postgresql_where=_OPEN_AUTOMATIC),
        Index("ix_quote_line_open", "subscription_id", sqlite_where=_OPEN_LINE, postgresql_where=_OPEN_LINE),
    )  # fmt: skip
    quote_id: int = Field(foreign_key="quote.id", primary_key=True)
    position: int = Field(primary_key=True)
    subscription_id: int = Field(foreign_key="subscription.id", index=True)
    term_number: int
    offering: str
    term: str
    seats: int
    subtotal_minor: int = Field(sa_type=BigInteger)
    discount_minor: int = Field(sa_type=BigInteger)
    tax_minor: int = Field(sa_type=BigInteger)
    total_minor: int = Field(sa_type=BigInteger)
    is_open: bool
    is_automatic: bool


class QuoteRecipient(SQLModel, table=True):
    """Who got it, the purchaser first (Q2)."""

    __tablename__ = "quote_recipient"
    quote_id: int = Field(foreign_key="quote.id", primary_key=True)
    position: int = Field(primary_key=True)
    email: str
