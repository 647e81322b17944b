"""The commands of the product, by the name they have everywhere (scenario, command line, API)."""

from __future__ import annotations

from collections.abc import Callable

from app.services.commands import buying, managing, paying, renewing
from app.services.commands.base import Result

COMMANDS: dict[str, Callable[..., Result]] = {
    "buy": buying.buy,
    "convert_trial": buying.convert_trial,
    "renew": renewing.renew,
    "set_auto_renew": renewing.set_auto_renew,
    "change_payment_method": renewing.change_payment_method,
    "change_term": renewing.change_term,
    "switch_offering": renewing.switch_offering,
    "reduce_seats": renewing.reduce_seats,
    "add_seats": managing.add_seats,
    "extend": managing.extend,
    "accept_quote": buying.accept_quote,
    "pay_invoices": paying.pay_invoices,
    "assign_user": managing.assign_user,
    "unassign_user": managing.unassign_user,
    "decline_payments": paying.decline_payments,
    "accept_payments": paying.accept_payments,
}
"""Each takes a `Context` and its parameters by name, and answers a `Result` or raises a `Refusal`."""

__all__ = ["COMMANDS", "Result"]
