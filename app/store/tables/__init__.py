"""Every table. The database says no too: unique keys and checks stand where a bug would cost money."""

from app.store.tables.book import (
    Assignment,
    Customer,
    Payer,
    PendingChange,
    SubscriptionRow,
    TermRow,
    Zone,
)
from app.store.tables.money import (
    Charge,
    ChargeShare,
    Counter,
    InstallmentRow,
    Invoice,
    InvoiceLine,
    OrderLine,
    SaleOrder,
)
from app.store.tables.provider import ProviderCharge, ProviderSwitch
from app.store.tables.quotes import Quote, QuoteLine, QuoteRecipient
from app.store.tables.record import Event, JobRun, Notice, Stuck

__all__ = [
    "Assignment",
    "Charge",
    "ChargeShare",
    "Counter",
    "Customer",
    "Event",
    "InstallmentRow",
    "Invoice",
    "InvoiceLine",
    "JobRun",
    "Notice",
    "OrderLine",
    "Payer",
    "PendingChange",
    "ProviderCharge",
    "ProviderSwitch",
    "Quote",
    "QuoteLine",
    "QuoteRecipient",
    "SaleOrder",
    "Stuck",
    "SubscriptionRow",
    "TermRow",
    "Zone",
]
