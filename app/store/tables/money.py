"""Orders, invoices, installments and charges. Amounts are whole minor units."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from app.domain.values import CHARGEABLE, ChargeState, InstallmentState, InvoiceState, Method, OrderState
from app.store.tables.base import one_of

_OPEN_LINE = text("is_open")
_LIVE_PART = text("state IN ('scheduled', 'open')")
_MADE_ONCE = text("state IN ('pending', 'succeeded') AND purpose IN ('renewal', 'installment')")
_ORDER_ONCE = text("state IN ('pending', 'succeeded') AND order_id IS NOT NULL")
_PENDING = text("state = 'pending'")


def _adds_up() -> CheckConstraint:
    return CheckConstraint("subtotal_minor - discount_minor + tax_minor = total_minor", name="adds_up")


class Counter(SQLModel, table=True):
    """The last number given out of each series."""

    __tablename__ = "counter"
    name: str = Field(primary_key=True)
    value: int


class SaleOrder(SQLModel, table=True):
    """What somebody bought in one go (O2). Written before its charge is made, settled after."""

    __tablename__ = "sale_order"
    __table_args__ = (one_of("state", OrderState), one_of("method", Method), _adds_up())
    id: int = Field(primary_key=True)
    number: str = Field(unique=True)
    name: str | None = Field(default=None, unique=True)
    customer_id: int = Field(foreign_key="customer.id", index=True)
    kind: str
    state: str
    placed_on: date
    placed_at: datetime
    done_at: datetime | None = None
    currency: str
    subtotal_minor: int = Field(sa_type=BigInteger)
    discount_minor: int = Field(sa_type=BigInteger)
    tax_minor: int = Field(sa_type=BigInteger)
    total_minor: int = Field(sa_type=BigInteger)
    method: str
    auto_renew: bool | None = None
    quote_id: int | None = Field(default=None, foreign_key="quote.id")
    trial_id: int | None = Field(default=None, foreign_key="subscription.id")
    actor: str


class OrderLine(SQLModel, table=True):
    """One subscription's part of an order: a new one (`new_ref`) or the next term of an old one."""

    __tablename__ = "order_line"
    __table_args__ = (_adds_up(), CheckConstraint("seats >= 1", name="seats"))
    order_id: int = Field(foreign_key="sale_order.id", primary_key=True)
    position: int = Field(primary_key=True)
    subscription_id: int | None = Field(default=None, foreign_key="subscription.id", index=True)
    new_ref: str | None = None
    partner: str | None = None
    timezone: str | None = None
    offering: str
    term: str
    seats: int
    subtotal_minor: int = Field(sa_type=BigInteger)
    discount_minor: int = Field(sa_type=BigInteger)
    tax_minor: int = Field(sa_type=BigInteger)
    total_minor: int = Field(sa_type=BigInteger)


class Invoice(SQLModel, table=True):
    """Every sale has one (B6). Issued once, never edited: only `paid_minor` and `state` move."""

    __tablename__ = "invoice"
    __table_args__ = (
        one_of("state", InvoiceState),
        _adds_up(),
        CheckConstraint("paid_minor BETWEEN 0 AND total_minor", name="paid"),
        CheckConstraint("state <> 'paid' OR paid_minor = total_minor", name="paid_whole"),
        CheckConstraint("due_on >= issued_on", name="due"),
    )
    id: int = Field(primary_key=True)
    number: str = Field(unique=True)
    customer_id: int = Field(foreign_key="customer.id", index=True)
    order_id: int | None = Field(default=None, foreign_key="sale_order.id")
    currency: str
    issued_on: date
    due_on: date
    subtotal_minor: int = Field(sa_type=BigInteger)
    discount_minor: int = Field(sa_type=BigInteger)
    tax_minor: int = Field(sa_type=BigInteger)
    total_minor: int = Field(sa_type=BigInteger)
    paid_minor: int = Field(sa_type=BigInteger)
    state: str
    issued_at: datetime


class InvoiceLine(SQLModel, table=True):
    """One subscription's part of an invoice. `part` 0 is a whole term, 1 to 3 a yearly part (I1).

    One line for each (subscription, term, part), ever. `counts_from` is the X it causes while the
    invoice is open (L2).
    """

    __tablename__ = "invoice_line"
    __table_args__ = (
        _adds_up(),
        Index("uq_invoice_line_part", "subscription_id", "term_number", "part", unique=True,
              sqlite_where=text("kind = 'term'"), postgresql_where=text("kind = 'term'")),
        Index("ix_invoice_line_open", "subscription_id", sqlite_where=_OPEN_LINE, postgresql_where=_OPEN_LINE),
    )  # fmt: skip
    invoice_id: int = Field(foreign_key="invoice.id", primary_key=True)
    position: int = Field(primary_key=True)
    subscription_id: int = Field(foreign_key="subscription.id")
    term_number: int
    part: int
    kind: str
    offering: str
    term: str
    seats: int
    subtotal_minor: int = Field(sa_type=BigInteger)
    discount_minor: int = Field(sa_type=BigInteger)
    tax_minor: int = Field(sa_type=BigInteger)
    total_minor: int = Field(sa_type=BigInteger)
    counts_from: date
    is_open: bool
    overdue_told: bool = False


class InstallmentRow(SQLModel, table=True):
    """A yearly part of a three-year term (I1). `source` 0 is the term itself."""

    __tablename__ = "installment"
    __table_args__ = (
        one_of("state", InstallmentState),
        CheckConstraint("amount_minor >= 0", name="amount"),
        Index("uq_installment_part", "subscription_id", "term_number", "source", "part", unique=True),
        Index("ix_installment_live", "subscription_id", sqlite_where=_LIVE_PART, postgresql_where=_LIVE_PART),
    )  # fmt: skip
    id: int = Field(primary_key=True)
    subscription_id: int = Field(foreign_key="subscription.id")
    term_number: int
    source: int = 0
    part: int
    due_on: date
    subtotal_minor: int = Field(sa_type=BigInteger)
    discount_minor: int = Field(sa_type=BigInteger)
    tax_minor: int = Field(sa_type=BigInteger)
    amount_minor: int = Field(sa_type=BigInteger)
    state: str
    invoice_id: int | None = Field(default=None, foreign_key="invoice.id")
    tried_on: date | None = None


class Charge(SQLModel, table=True):
    """An attempt at a payment method: the intent before, the outcome after (architecture, rule 9).

    `key` goes to the provider as its idempotency key. `charged_on` is the day it counts for, `as_of`
    the instant the provider is asked about.
    """

    __tablename__ = "charge"
    __table_args__ = (
        one_of("state", ChargeState),
        one_of("method", sorted(CHARGEABLE)),
        one_of("purpose", ["order", "renewal", "installment", "invoice"]),
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("uq_charge_once", "subscription_id", "term_number", "part", unique=True,
              sqlite_where=_MADE_ONCE, postgresql_where=_MADE_ONCE),
        Index("uq_charge_order", "order_id", unique=True,
              sqlite_where=_ORDER_ONCE, postgresql_where=_ORDER_ONCE),
        Index("ix_charge_pending", "subscription_id", sqlite_where=_PENDING, postgresql_where=_PENDING),
    )  # fmt: skip
    id: int = Field(primary_key=True)
    key: str = Field(unique=True)
    customer_id: int = Field(foreign_key="customer.id")
    csn: str
    subscription_id: int | None = Field(default=None, foreign_key="subscription.id", index=True)
    term_number: int
    part: int
    purpose: str
    order_id: int | None = Field(default=None, foreign_key="sale_order.id")
    charged_on: date
    as_of: datetime
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str
    method: str
    state: str
    created_at: datetime
    settled_at: datetime | None = None
    provider_ref: str | None = None


class ChargeShare(SQLModel, table=True):
    """One subscription's share of a charge for several, and the invoices a payment is for."""

    __tablename__ = "charge_share"
    charge_id: int = Field(foreign_key="charge.id", primary_key=True)
    position: int = Field(primary_key=True)
    subscription_id: int = Field(foreign_key="subscription.id", index=True)
    invoice_id: int | None = Field(default=None, foreign_key="invoice.id")
    amount_minor: int = Field(sa_type=BigInteger)
