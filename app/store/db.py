"""The tables as SQLAlchemy Core sees them: `db.subscription.c.state` in queries."""

from __future__ import annotations

from sqlmodel import SQLModel

import app.store.tables  # noqa: F401  (fills the metadata)

_tables = SQLModel.metadata.tables

assignment = _tables["assignment"]
charge = _tables["charge"]
charge_share = _tables["charge_share"]
counter = _tables["counter"]
customer = _tables["customer"]
event = _tables["event"]
installment = _tables["installment"]
invoice = _tables["invoice"]
invoice_line = _tables["invoice_line"]
job_run = _tables["job_run"]
notice = _tables["notice"]
order_line = _tables["order_line"]
payer = _tables["payer"]
pending_change = _tables["pending_change"]
provider_charge = _tables["provider_charge"]
provider_switch = _tables["provider_switch"]
quote = _tables["quote"]
quote_line = _tables["quote_line"]
quote_recipient = _tables["quote_recipient"]
sale_order = _tables["sale_order"]
stuck = _tables["stuck"]
subscription = _tables["subscription"]
term = _tables["term"]
zone = _tables["zone"]
