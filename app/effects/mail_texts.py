"""What the e-mails say: one table for each vocabulary, in English.

Every text is a gettext message: a catalogue `locale/<language>/LC_MESSAGES/mail.mo` beside this file makes the
mails speak its language, and what it does not translate stays English (W5).
"""

from __future__ import annotations

from typing import NamedTuple

from app.domain.states import State
from app.domain.subscription import Subscription
from app.domain.values import RECURRING, Due, NoticeKind, Reason, TermKind


class Text(NamedTuple):
    """Subject and first paragraph. `about` names the subscription, or the first of several."""

    subject: str
    body: str


TEXTS: dict[NoticeKind, Text] = {
    NoticeKind.ORDER_CONFIRMATION: Text(
        "Your order: %(about)s", "Thank you. Your order is complete, and what you bought is ready to use."
    ),
    NoticeKind.WINDOW_OPENED: Text(
        "%(about)s can be renewed now", "It will not renew by itself, and from today on you can renew it."
    ),
    NoticeKind.RENEWAL_REMINDER: Text(
        "Reminder: the term of %(about)s ends soon", "The term you have paid for ends soon."
    ),
    NoticeKind.QUOTE: Text(
        "Your quote for %(about)s", "We have made you a quote for the next term. Its prices hold until it expires."
    ),
    NoticeKind.RENEWED: Text("%(about)s is renewed", "Thank you. The next term is bought."),
    NoticeKind.AUTO_RENEW_CHANGED: Text(
        "Automatic renewal of %(about)s was changed",
        "The setting for automatic renewal was changed. Below is what will happen now.",
    ),
    NoticeKind.PAYMENT_FAILED: Text(
        "The payment for %(about)s was declined", "We could not charge your payment method. Please check it."
    ),
    NoticeKind.INVOICE: Text("Invoice for %(about)s", "An invoice was issued to you."),
    NoticeKind.INVOICE_OVERDUE: Text(
        "Overdue: the invoice for %(about)s", "An invoice is past its due date. Please pay it."
    ),
    NoticeKind.EXPIRED: Text(
        "%(about)s has expired", "You can still work with it for some days, without upgrades and support."
    ),
    NoticeKind.SUSPENDED: Text(
        "%(about)s is suspended", "Nobody can work with it any more. Users keep their seats for now."
    ),
    NoticeKind.CANCELED: Text(
        "%(about)s is canceled", "The subscription has ended for good, and its users are removed."
    ),
    NoticeKind.REINSTATED: Text("%(about)s works again", "Everything is in order again. Thank you."),
    NoticeKind.TRIAL_ENDED: Text("Your trial %(about)s is over", "We hope that you liked it."),
    NoticeKind.RETURNED: Text("%(about)s was returned", "Your return is complete."),
    NoticeKind.USER_REMOVED: Text(
        "You no longer have a seat of %(about)s",
        "The subscription has fewer seats now, and yours is no longer among them. Please ask who bought it.",
    ),
    NoticeKind.PAYMENT_METHOD_EXPIRING: Text(
        "Your payment method expires before %(about)s renews",
        "Your payment method will not be valid any more on the day of the renewal. Please replace it before.",
    ),
}

STATES: dict[State, str] = {
    State.NEW: "new",
    State.TRIAL: "on trial",
    State.TRIAL_ENDED: "trial over",
    State.ACTIVE: "active",
    State.RENEWABLE: "active, can be renewed",
    State.EXPIRED: "expired",
    State.SUSPENDED: "suspended",
    State.CANCELED: "canceled",
    State.RETURNED: "returned",
}

TERMS: dict[TermKind, str] = {
    TermKind.MONTHLY: "monthly",
    TermKind.ANNUAL: "annual",
    TermKind.THREE_YEAR: "three years",
    TermKind.TRIAL: "trial",
}

NEXT: dict[Due, str] = {
    Due.BILL_INSTALLMENT: "On %(day)s the next yearly part is billed.",
    Due.RETRY_CHARGE: "On %(day)s the payment is tried again.",
    Due.END_TRIAL: "On %(day)s the trial is over.",
    Due.RENEW: "On %(day)s it renews by itself, and the next term is charged.",
    Due.START_TERM: "On %(day)s the next term begins; it is already bought.",
    Due.EXPIRE: "On %(day)s it expires.",
    Due.SUSPEND: "On %(day)s it is suspended: nobody can work with it from then on.",
    Due.CANCEL: "On %(day)s it is canceled for good.",
    Due.OPEN_WINDOW: "From %(day)s on it can be renewed.",
    Due.ISSUE_QUOTE: "On %(day)s we send you a quote for the next term.",
}
"""What happens next if nobody does anything."""

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

_WAY_OUT: dict[Reason | None, str] = {
    Reason.NON_RENEWAL: "Renew it, and it works as before.",
    Reason.PAYMENT_FAILED: "Change the payment method, and the payment is tried again at once; or renew it yourself.",
    Reason.NON_PAYMENT: "Pay the invoices that are past due, and it works as before.",
}


def way(sub: Subscription) -> str | None:
    """What the customer can do about a subscription; None: nothing."""
    if sub.is_trial:
        return None if sub.converted else "Buy it with the same e-mail address to go on working with it."
    if sub.in_lapse:
        return _WAY_OUT.get(sub.reason)
    if sub.state not in (State.ACTIVE, State.RENEWABLE):
        return "To use it again, buy a new subscription."
    if sub.scheduled is not None:
        return "Nothing has to be done: the next term is already bought."
    if sub.auto_renew:
        return "Nothing has to be done. Automatic renewal can be switched off until it is charged."
    return _by_hand(sub)


def _by_hand(sub: Subscription) -> str:
    if sub.state is State.ACTIVE:
        return "Renew it once that is possible."
    if sub.method in RECURRING:
        return "Renew it now, or switch automatic renewal on."
    return "Renew it now."
