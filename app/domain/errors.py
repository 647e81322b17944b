"""Refusals: what a person is told when a rule says no, in the order in which they are given (J7).

Each class carries its stable `code`, a sentence, and what to do about it. The order of the classes is
the order of precedence.
"""

from __future__ import annotations

from typing import ClassVar


class Refusal(Exception):
    """A command that a rule forbids. Nothing of its own has changed (J3b).

    `detail` adds the facts of the case to the sentence.
    """

    code: ClassVar[str]
    sentence: ClassVar[str]
    remedy: ClassVar[str]

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.code}: {self.sentence}{detail} {self.remedy}"


class NotInThisVersion(Exception):
    """A command or way of paying that this version does not have yet."""


class UnknownSubject(Refusal):
    code = "unknown_subject"
    sentence = "There is no such subscription, customer, offering, quote or invoice."
    remedy = "Check the id; `perennial list` shows what there is."


class InvalidArgument(Refusal):
    code = "invalid_argument"
    sentence = "A value given is not possible here."
    remedy = "Correct it and try again."


class TooManySubscriptions(Refusal):
    code = "too_many_subscriptions"
    sentence = "A bulk change takes a limited number of subscriptions (A5, M1)."
    remedy = "Split the list."


class QuoteClosed(Refusal):
    code = "quote_closed"
    sentence = "The quote is no longer open (Q7)."
    remedy = "Make a new quote."


class QuoteLocked(Refusal):
    code = "quote_locked"
    sentence = "The quote is locked for a quarter of an hour after a refusal (B2)."
    remedy = "Try again when the lock is over."


class NotRenewable(Refusal):
    code = "not_renewable"
    sentence = "A trial cannot be renewed or changed (O4)."
    remedy = "Convert it by purchase."


class FinalState(Refusal):
    code = "final_state"
    sentence = "The subscription has ended for good (L8)."
    remedy = "Make a new purchase."


class NotAuthorized(Refusal):
    code = "not_authorized"
    sentence = "Only the purchaser, agreement manager or primary admin may do this (W6)."
    remedy = "Ask one of them."


class AlreadyScheduled(Refusal):
    code = "already_scheduled"
    sentence = "The next term is already bought (M2, P6)."
    remedy = "Wait until it begins."


class WindowClosed(Refusal):
    code = "window_closed"
    sentence = "The renewal window is not open (W1)."
    remedy = "Wait for the day on which it opens."


class InLapse(Refusal):
    code = "in_lapse"
    sentence = "Not possible while the subscription is in a lapse (P6)."
    remedy = "Cure the lapse first."


class ManualPaymentMethod(Refusal):
    code = "manual_payment_method"
    sentence = "A subscription on this payment method cannot renew by itself (A3)."
    remedy = "Change to a recurring payment method first."


class MixedOrder(Refusal):
    code = "mixed_order"
    sentence = "A purchase has one kind of licence and one term (O1)."
    remedy = "Order them separately."


class MixedCustomer(Refusal):
    code = "mixed_customer"
    sentence = "All of it must belong to one customer (Q4)."
    remedy = "Make one for each customer."


class MixedCurrency(Refusal):
    code = "mixed_currency"
    sentence = "All of it must be in one currency (Q4)."
    remedy = "Make one for each currency."


class MixedPartner(Refusal):
    code = "mixed_partner"
    sentence = "All of it must be sold through the same partner, or directly (Q4)."
    remedy = "Make one for each partner."


class MixedQuoteKind(Refusal):
    code = "mixed_quote_kind"
    sentence = "A renewal quote cannot be mixed with other kinds (Q4)."
    remedy = "Make one for each kind."


class TooManyRecipients(Refusal):
    code = "too_many_recipients"
    sentence = "A quote goes to a limited number of people besides the purchaser (Q2)."
    remedy = "Name fewer."


class CurrencyChange(Refusal):
    code = "currency_change"
    sentence = "A self-service quote cannot change the currency (Q5)."
    remedy = "Ask a partner or sales."


class SeatsAdded(Refusal):
    code = "seats_added"
    sentence = "A self-service quote cannot add seats (Q5)."
    remedy = "Ask a partner or sales."


class OfferingNotQuotable(Refusal):
    code = "offering_not_quotable"
    sentence = "Success plans and value-based options cannot be quoted by self-service (Q5)."
    remedy = "Ask a partner or sales."


class CreditLine(Refusal):
    code = "credit_line"
    sentence = "A self-service quote cannot open a credit line (Q5)."
    remedy = "Ask a partner or sales."


class FutureStart(Refusal):
    code = "future_start"
    sentence = "A self-service quote cannot start later than the renewal date (Q5)."
    remedy = "Leave the start out."


class NeedsPartner(Refusal):
    code = "needs_partner"
    sentence = "This kind of quote comes from a partner or from sales (C5)."
    remedy = "Ask one of them."


class QuoteImmutable(Refusal):
    code = "quote_immutable"
    sentence = "A sent quote cannot be edited (Q6)."
    remedy = "Make a new quote."


class QuoteNotCancelable(Refusal):
    code = "quote_not_cancelable"
    sentence = "The customer cannot cancel a quote (Q6)."
    remedy = "Let it expire, or ask the partner or sales."


class SeatsBelowOne(Refusal):
    code = "seats_below_one"
    sentence = "A subscription has at least one seat (P5)."
    remedy = "Keep one, or let the subscription end."


class NotExtendable(Refusal):
    code = "not_extendable"
    sentence = "A subscription of this term cannot be extended (C2, O4)."
    remedy = "Change the term first."


class Backdated(Refusal):
    code = "backdated"
    sentence = "The end date to align to must lie ahead (C1)."
    remedy = "Choose a later one."


class BeyondLimit(Refusal):
    code = "beyond_limit"
    sentence = "The end date to align to lies too far ahead (C2)."
    remedy = "Change the term to three years first (C3)."


class NotReturnable(Refusal):
    code = "not_returnable"
    sentence = "This cannot be returned (R1)."
    remedy = "Switch automatic renewal off instead."


class ReturnWindowClosed(Refusal):
    code = "return_window_closed"
    sentence = "The days for a return are over (R1)."
    remedy = "Switch automatic renewal off instead."


class EmailMismatch(Refusal):
    code = "email_mismatch"
    sentence = "A trial is converted with the e-mail address that started it (O4)."
    remedy = "Use that address."


class AssignmentsFrozen(Refusal):
    code = "assignments_frozen"
    sentence = "Users cannot be changed while the subscription is suspended (S4)."
    remedy = "Cure the lapse first."


class NoFreeSeat(Refusal):
    code = "no_free_seat"
    sentence = "Every seat has a user."
    remedy = "Unassign somebody or add seats."


class TaxExemptOnline(Refusal):
    code = "tax_exempt_online"
    sentence = "Tax-exempt customers are not served online (O3)."
    remedy = "Ask sales for a quote."


class MethodOverLimit(Refusal):
    code = "method_over_limit"
    sentence = "A total over the limit for its currency is not taken by this method (Q9)."
    remedy = "Use direct debit, bank transfer or an invoice."


class PrepayRequired(Refusal):
    code = "prepay_required"
    sentence = "This customer has to pay first (L8)."
    remedy = "Pay at once, or have the mark cleared."


class PayerMismatch(Refusal):
    code = "payer_mismatch"
    sentence = "The payer is not on file, or there are no net terms (B2)."
    remedy = "Name a payer who is on file."


class OverdueBalance(Refusal):
    code = "overdue_balance"
    sentence = "An invoice is past due (B2)."
    remedy = "Pay it first."


class InsufficientCredit(Refusal):
    code = "insufficient_credit"
    sentence = "The credit limit does not cover this order (B2)."
    remedy = "Pay an open invoice first."


class NothingToPay(Refusal):
    code = "nothing_to_pay"
    sentence = "There is nothing left to pay (B3)."
    remedy = "Nothing needs doing."


class PaymentDeclined(Refusal):
    code = "payment_declined"
    sentence = "The payment was declined (A6b)."
    remedy = "Use another payment method."


REFUSALS: tuple[type[Refusal], ...] = (
    UnknownSubject,
    InvalidArgument,
    TooManySubscriptions,
    QuoteClosed,
    QuoteLocked,
    NotRenewable,
    FinalState,
    NotAuthorized,
    AlreadyScheduled,
    WindowClosed,
    InLapse,
    ManualPaymentMethod,
    MixedOrder,
    MixedCustomer,
    MixedCurrency,
    MixedPartner,
    MixedQuoteKind,
    TooManyRecipients,
    CurrencyChange,
    SeatsAdded,
    OfferingNotQuotable,
    CreditLine,
    FutureStart,
    NeedsPartner,
    QuoteImmutable,
    QuoteNotCancelable,
    SeatsBelowOne,
    NotExtendable,
    Backdated,
    BeyondLimit,
    NotReturnable,
    ReturnWindowClosed,
    EmailMismatch,
    AssignmentsFrozen,
    NoFreeSeat,
    TaxExemptOnline,
    MethodOverLimit,
    PrepayRequired,
    PayerMismatch,
    OverdueBalance,
    InsufficientCredit,
    NothingToPay,
    PaymentDeclined,
)
"""Every refusal in order of precedence (J7)."""

CODES = tuple(refusal.code for refusal in REFUSALS)
