"""The small vocabularies of the rulebook: terms, payment methods, reasons, regions, notice kinds."""

from __future__ import annotations

from enum import StrEnum


class TermKind(StrEnum):
    """How long a term is (D3, O4)."""

    MONTHLY = "monthly"
    ANNUAL = "annual"
    THREE_YEAR = "three_year"
    TRIAL = "trial"


MONTHS = {TermKind.MONTHLY: 1, TermKind.ANNUAL: 12, TermKind.THREE_YEAR: 36}
"""Length of each paid term in months (D3)."""


class Reason(StrEnum):
    """Why a subscription is in a lapse (S2)."""

    NON_RENEWAL = "non_renewal"
    NON_PAYMENT = "non_payment"
    PAYMENT_FAILED = "payment_failed"


class Method(StrEnum):
    """How money comes in (A3, B3)."""

    CARD = "card"
    PAYPAL = "paypal"
    DIRECT_DEBIT = "direct_debit"
    BANK_TRANSFER = "bank_transfer"
    KONBINI = "konbini"
    ALIPAY = "alipay"
    INVOICE = "invoice"
    CREDIT_MEMO = "credit_memo"
    CASH_BALANCE = "cash_balance"


CHARGEABLE = frozenset({Method.CARD, Method.PAYPAL, Method.DIRECT_DEBIT})
"""Methods the payment provider can charge by itself."""
RECURRING = CHARGEABLE | {Method.INVOICE}
"""Methods on which a subscription can renew by itself (A3)."""
MANUAL = frozenset({Method.BANK_TRANSFER, Method.KONBINI, Method.ALIPAY})
"""Methods that wait for the customer to send money (A3, M3)."""
ORDERABLE = RECURRING | MANUAL
"""Methods an order or a subscription can name."""


class OfferingKind(StrEnum):
    """What is sold."""

    SUBSCRIPTION = "subscription"
    FLEX = "flex"
    CLOUD = "cloud"
    SUCCESS_PLAN = "success_plan"
    VALUE_OPTION = "value_option"
    SERVICE = "service"


class Region(StrEnum):
    """Regions with a cut-over day of their own (L1)."""

    EEA = "EEA"
    UK = "UK"
    CH = "CH"
    CA = "CA"


class NoticeKind(StrEnum):
    """Every e-mail the product sends."""

    ORDER_CONFIRMATION = "order_confirmation"
    WINDOW_OPENED = "window_opened"
    RENEWAL_REMINDER = "renewal_reminder"
    QUOTE = "quote"
    RENEWED = "renewed"
    AUTO_RENEW_CHANGED = "auto_renew_changed"
    PAYMENT_FAILED = "payment_failed"
    INVOICE = "invoice"
    INVOICE_OVERDUE = "invoice_overdue"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    CANCELED = "canceled"
    REINSTATED = "reinstated"
    TRIAL_ENDED = "trial_ended"
    RETURNED = "returned"
    USER_REMOVED = "user_removed"
    PAYMENT_METHOD_EXPIRING = "payment_method_expiring"


class Due(StrEnum):
    """What the jobs do to a subscription, in the order of the day (J1)."""

    BILL_INSTALLMENT = "bill_installment"
    RETRY_CHARGE = "retry_charge"
    OVERDUE_NOTICE = "tell_overdue"  # sorts after retry_charge, which comes first on its day
    END_TRIAL = "end_trial"
    RENEW = "renew"
    START_TERM = "start_term"
    EXPIRE = "expire"
    SUSPEND = "suspend"
    CANCEL = "cancel"
    OPEN_WINDOW = "open_window"
    ISSUE_QUOTE = "issue_quote"
    REMIND = "remind"


HIDDEN_DUE = frozenset({Due.OVERDUE_NOTICE, Due.REMIND})
"""Mail only: not part of what people are shown as the next event."""


class QuoteState(StrEnum):
    """Q7."""

    OPEN = "open"
    PURCHASED = "purchased"
    EXPIRED = "expired"
    CANCELED = "canceled"
    SUPERSEDED = "superseded"


class InvoiceState(StrEnum):
    """B4."""

    OPEN = "open"
    PAID = "paid"
    VOID = "void"
    CREDITED = "credited"


class InstallmentState(StrEnum):
    """I1, L9."""

    SCHEDULED = "scheduled"
    OPEN = "open"
    PAID = "paid"
    CANCELED = "canceled"
    CREDITED = "credited"


class ChargeState(StrEnum):
    """An intent is pending until the provider's answer is known."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    REFUNDED = "refunded"


class OrderState(StrEnum):
    """An order is placed while its charge is pending (O2)."""

    PLACED = "placed"
    WAITING = "waiting"
    DONE = "done"
    DECLINED = "declined"
    CANCELED = "canceled"
