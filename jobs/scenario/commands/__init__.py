"""The commands of a scenario (`do:`), each with exactly its parameters."""

from __future__ import annotations

from jobs.scenario.commands.base import Command
from jobs.scenario.commands.buying import AddSeats, Buy, ConvertTrial, Extend, ReturnOrder
from jobs.scenario.commands.managing import (
    AssignUser,
    ExtendGrace,
    RunJob,
    StartDaemon,
    StopDaemon,
    UnassignUser,
    UpdateCustomer,
)
from jobs.scenario.commands.paying import (
    AcceptPayments,
    ClearPrepay,
    CreditInvoice,
    DeclinePayments,
    PayInvoices,
    PayOut,
    ReceivePayment,
    ReversePayment,
)
from jobs.scenario.commands.quoting import AcceptQuote, CancelQuote, CreateQuote, UpdateAddress
from jobs.scenario.commands.renewing import (
    ChangePaymentMethod,
    ChangeTerm,
    ReduceSeats,
    Renew,
    RenewalGroups,
    SetAutoRenew,
    SwitchOffering,
)

COMMANDS: dict[str, type[Command]] = {
    "buy": Buy,
    "convert_trial": ConvertTrial,
    "renew": Renew,
    "set_auto_renew": SetAutoRenew,
    "change_payment_method": ChangePaymentMethod,
    "change_term": ChangeTerm,
    "switch_offering": SwitchOffering,
    "reduce_seats": ReduceSeats,
    "add_seats": AddSeats,
    "extend": Extend,
    "create_quote": CreateQuote,
    "renewal_groups": RenewalGroups,
    "accept_quote": AcceptQuote,
    "cancel_quote": CancelQuote,
    "update_address": UpdateAddress,
    "pay_invoices": PayInvoices,
    "receive_payment": ReceivePayment,
    "return_order": ReturnOrder,
    "clear_prepay": ClearPrepay,
    "update_customer": UpdateCustomer,
    "reverse_payment": ReversePayment,
    "credit_invoice": CreditInvoice,
    "pay_out": PayOut,
    "extend_grace": ExtendGrace,
    "assign_user": AssignUser,
    "unassign_user": UnassignUser,
    "decline_payments": DeclinePayments,
    "accept_payments": AcceptPayments,
    "stop_daemon": StopDaemon,
    "start_daemon": StartDaemon,
    "run_job": RunJob,
}
"""Each command by its name in `do:`, in the order of the format's table."""

__all__ = ["COMMANDS", "Command"]
