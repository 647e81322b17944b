"""Which columns a page of work writes, in which order: the shapes of `Batch`'s rows."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Table
from sqlmodel import SQLModel

import app.store.tables  # noqa: F401  (fills the metadata)


class Shape(NamedTuple):
    """A table and the columns of its rows."""

    table: Table
    columns: tuple[str, ...]


class Patch(NamedTuple):
    """A table, its key and the columns that change."""

    table: Table
    key: str
    columns: tuple[str, ...]


def _shape(name: str, columns: str) -> Shape:
    return Shape(SQLModel.metadata.tables[name], tuple(columns.split()))


def _patch(name: str, key: str, columns: str) -> Patch:
    return Patch(SQLModel.metadata.tables[name], key, tuple(columns.split()))


_PRICE = "subtotal_minor discount_minor tax_minor total_minor"

EVENT = _shape(
    "event",
    "subscription_id customer_id kind name from_state to_state effective_on recorded_at cause rule detail",
)
NOTICE = _shape(
    "notice",
    "subscription_id term_number kind due_on cause recipient language mail_key state detail created_at settled_at",
)
TERM = _shape("term", "subscription_id number term starts_on ends_on anchor_day seats offering bought_on undone")
ORDER = _shape(
    "sale_order",
    f"id number name customer_id kind state placed_on placed_at done_at currency {_PRICE} "
    "method auto_renew quote_id trial_id actor",
)
ORDER_LINE = _shape(
    "order_line",
    f"order_id position subscription_id new_ref partner timezone offering term seats {_PRICE}",
)
INVOICE = _shape(
    "invoice",
    f"id number customer_id order_id currency issued_on due_on {_PRICE} paid_minor state issued_at",
)
INVOICE_LINE = _shape(
    "invoice_line",
    f"invoice_id position subscription_id term_number part kind offering term seats {_PRICE} "
    "counts_from is_open overdue_told",
)
INSTALLMENT = _shape(
    "installment",
    "id subscription_id term_number source part due_on subtotal_minor discount_minor tax_minor amount_minor "
    "state invoice_id tried_on",
)
CHARGE = _shape(
    "charge",
    "id key customer_id csn subscription_id term_number part purpose order_id charged_on as_of "
    "amount_minor currency method state created_at",
)
CHARGE_SHARE = _shape("charge_share", "charge_id position subscription_id invoice_id amount_minor")
QUOTE = _shape(
    "quote",
    f"id number name customer_id zone_id partner source kind currency issued_on valid_until state {_PRICE} created_at",
)
QUOTE_LINE = _shape(
    "quote_line",
    f"quote_id position subscription_id term_number offering term seats {_PRICE} is_open is_automatic",
)
QUOTE_RECIPIENT = _shape("quote_recipient", "quote_id position email")
SUBSCRIPTION = _shape(
    "subscription",
    "id ref customer_id zone_id offering partner currency term seats term_number last_number starts_on ends_on "
    "anchor_day state reason lapse_on grace_days auto_renew method regime_on tried_on declined reminded_on "
    "quote_decided_on converted next_job next_on stuck version created_at",
)

CHARGE_OUTCOME = _patch("charge", "id", "state settled_at")
INSTALLMENT_BILLED = _patch("installment", "id", "state invoice_id tried_on")
INSTALLMENT_STATE = _patch("installment", "id", "state")
INVOICE_PAID = _patch("invoice", "id", "paid_minor state")
ORDER_SETTLED = _patch("sale_order", "id", "state done_at")
OVERDUE_TOLD = _patch("invoice_line", "invoice_id", "overdue_told")
LINE_CLOSED = _patch("invoice_line", "invoice_id", "is_open")
