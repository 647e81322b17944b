"""Money: invoices paid, reversed and credited, and the payment provider."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from app.domain.values import Method
from jobs.scenario.commands.base import Command, exactly_one
from jobs.scenario.fields import Amount, Text


class PayInvoices(Command):
    """Pays invoices at once (B3): those of subscriptions, or by number. Without `amount` what is open."""

    do: Literal["pay_invoices"]
    csn: Text
    invoices: tuple[Text, ...]
    payment: Method
    amount: Amount | None = None


class ReceivePayment(Command):
    """Money arrives by itself, for an order or a customer (M3)."""

    do: Literal["receive_payment"]
    amount: Amount
    order: Text | None = None
    csn: Text | None = None

    @model_validator(mode="after")
    def _names_one(self) -> ReceivePayment:
        exactly_one(order=self.order, csn=self.csn)
        return self


class ClearPrepay(Command):
    """A person lets a customer buy by invoice again (L8)."""

    do: Literal["clear_prepay"]
    csn: Text


class ReversePayment(Command):
    """A paid invoice is open again (B7): a subscription's latest, or one by number."""

    do: Literal["reverse_payment"]
    subscription: Text | None = None
    invoice: Text | None = None

    @model_validator(mode="after")
    def _names_one(self) -> ReversePayment:
        exactly_one(subscription=self.subscription, invoice=self.invoice)
        return self


class CreditInvoice(Command):
    """An operator credits an invoice, in whole or part (B8)."""

    do: Literal["credit_invoice"]
    invoice: Text
    reason: Text
    amount: Amount | None = None


class PayOut(Command):
    """An operator pays a cash balance out, in whole or part (B8)."""

    do: Literal["pay_out"]
    csn: Text
    reason: Text
    amount: Amount | None = None


class DeclinePayments(Command):
    """From now on the payment provider declines that customer's charges."""

    do: Literal["decline_payments"]
    csn: Text


class AcceptPayments(Command):
    """The payment provider takes that customer's charges again."""

    do: Literal["accept_payments"]
    csn: Text
