"""What the jobs will do next to a subscription, and when. The only place that says so.

The jobs select by it, `plan`, `explain` and a scenario's `next` show it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from app.domain import lapse
from app.domain.calendar import ONE_DAY
from app.domain.policy import Policy
from app.domain.states import FINAL, LAPSED, State
from app.domain.subscription import Installment, Subscription
from app.domain.values import CHARGEABLE, HIDDEN_DUE, Due, InstallmentState

JOB_ORDER: dict[Due, int] = {
    Due.BILL_INSTALLMENT: 0,
    Due.RETRY_CHARGE: 1,
    Due.OVERDUE_NOTICE: 1,
    Due.END_TRIAL: 2,
    Due.RENEW: 4,
    Due.START_TERM: 5,
    Due.EXPIRE: 6,
    Due.SUSPEND: 7,
    Due.CANCEL: 8,
    Due.OPEN_WINDOW: 9,
    Due.ISSUE_QUOTE: 10,
    Due.REMIND: 11,
}
"""Place of the job that does it in the day (J1). Place 3, `expire_quotes`, works on quotes."""


class Deadline(NamedTuple):
    """Something due on a local day. Sorts by day, then by place in the day (J1)."""

    on: date
    place: int
    due: Due


def _at(due: Due, on: date) -> Deadline:
    return Deadline(on, JOB_ORDER[due], due)


def next_deadline(sub: Subscription, policy: Policy) -> Deadline | None:
    """The earliest thing due for a subscription, mail included; None when nothing is, or it is final."""
    return min(agenda(sub, policy), default=None)


class Deadlines:
    """`next_deadline` for a page of subscriptions, most of which are alike: each kind is worked out once."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._known: dict[tuple[object, ...], Deadline | None] = {}

    def of(self, sub: Subscription) -> Deadline | None:
        if sub.installments or sub.unpaid:
            return next_deadline(sub, self._policy)
        scheduled = sub.scheduled
        key = (
            sub.state, sub.kind, sub.starts_on, sub.ends_on, sub.auto_renew, sub.declined, sub.tried_on,
            sub.reminded_on, sub.quote_decided_on, sub.grace_days, sub.new_regime, sub.offering.lapse_exempt,
            sub.regime_on, scheduled and scheduled.starts_on,
        )  # fmt: skip
        try:
            return self._known[key]
        except KeyError:
            found = self._known[key] = next_deadline(sub, self._policy)
            return found


def next_event(sub: Subscription, policy: Policy) -> Deadline | None:
    """The next thing people are shown: no mail, and no decision that would be to skip (`next`)."""
    return min((d for d in agenda(sub, policy) if _is_shown(sub, d)), default=None)


def agenda(sub: Subscription, policy: Policy) -> Iterator[Deadline]:
    """Everything that lies ahead of a subscription if nobody acts, one entry of each kind, unordered."""
    if sub.state in FINAL or sub.state is State.NEW:
        return
    if sub.is_trial:
        yield _at(Due.END_TRIAL, sub.ends_on + ONE_DAY)
        return
    if sub.installments:
        yield from _installments(sub, policy)
    if sub.unpaid:
        yield from _overdue(sub)
    yield from _lapse(sub, policy)
    if sub.scheduled is not None:
        yield _at(Due.START_TERM, sub.scheduled.starts_on)
        return
    if sub.auto_renew:
        yield from _automatic_renewal(sub, policy)
    yield from _before_the_end(sub, policy)


def _installments(sub: Subscription, policy: Policy) -> Iterator[Deadline]:
    for part in sub.installments:
        if part.state is InstallmentState.SCHEDULED:
            yield _at(Due.BILL_INSTALLMENT, part.due_on)
        elif (retry_on := installment_retry(sub, part, policy)) is not None:
            yield _at(Due.RETRY_CHARGE, retry_on)


def installment_retry(sub: Subscription, part: Installment, policy: Policy) -> date | None:
    """The next planned try of a declined installment (I2), or None. None without grace (L4), or by hand (A3)."""
    if part.state is not InstallmentState.OPEN or part.tried_on is None or sub.no_grace:
        return None
    if sub.method not in CHARGEABLE:
        return None
    return next_retry(part.due_on, part.tried_on, policy)


def next_retry(first_try_on: date, last_try_on: date, policy: Policy) -> date | None:
    """The first planned try after the last one that was made: 3, 7 and 14 days after the first (A6)."""
    tries = (first_try_on + timedelta(days=n) for n in policy.auto_renew.retry_days)
    return min((on for on in tries if on > last_try_on), default=None)


def _overdue(sub: Subscription) -> Iterator[Deadline]:
    if sub.has_payers:
        for invoice in sub.unpaid:
            if not invoice.overdue_told:
                yield _at(Due.OVERDUE_NOTICE, invoice.due_on + ONE_DAY)


def _lapse(sub: Subscription, policy: Policy) -> Iterator[Deadline]:
    cause = lapse.main_cause(sub)
    if cause is None:
        return
    days = lapse.stages(sub, cause.lapse_on, policy)
    if sub.no_grace:
        yield _at(Due.CANCEL, days.canceled_on)
    elif sub.state not in LAPSED:
        yield _at(Due.EXPIRE, days.expired_on)
    elif sub.state is State.EXPIRED:
        yield _at(Due.SUSPEND, days.suspended_on)
    else:
        yield _at(Due.CANCEL, days.canceled_on)


def _automatic_renewal(sub: Subscription, policy: Policy) -> Iterator[Deadline]:
    if sub.tried_on is None:
        yield _at(Due.RENEW, sub.renews_on)
    elif sub.declined and not sub.no_grace:
        retry_on = next_retry(sub.renews_on, sub.tried_on, policy)
        if retry_on is not None:
            yield _at(Due.RETRY_CHARGE, retry_on)


def _before_the_end(sub: Subscription, policy: Policy) -> Iterator[Deadline]:
    """The window, the automatic quote and the reminders of the running term (W1, Q10, W3)."""
    if sub.state is State.ACTIVE:
        opens_on = lapse.window_opens_on(sub, policy)
        if opens_on is not None:
            yield _at(Due.OPEN_WINDOW, opens_on)
    quote_on = automatic_quote_on(sub, policy)
    if quote_on is not None:
        yield _at(Due.ISSUE_QUOTE, quote_on)
    remind_on = next_reminder(sub, policy)
    if remind_on is not None:
        yield _at(Due.REMIND, remind_on)


def automatic_quote_on(sub: Subscription, policy: Policy) -> date | None:
    """The day on which the automatic quote of the running term is decided, if it still is to be (Q10).

    A day that had passed when the term was bought, late, decides nothing.
    """
    if sub.kind not in policy.quotes.automatic_terms:
        return None
    on = sub.ends_on - timedelta(days=policy.quotes.automatic_days_before)
    is_decided = sub.quote_decided_on is not None and on <= sub.quote_decided_on
    return None if is_decided or on <= max(sub.starts_on, sub.regime_on) else on


def next_reminder(sub: Subscription, policy: Policy) -> date | None:
    """The next reminder day of the running term, never on or before S (W3)."""
    done = sub.reminded_on
    return min(
        (on for on in reminder_days(sub, policy) if on > sub.starts_on and (done is None or on > done)),
        default=None,
    )


def reminder_days(sub: Subscription, policy: Policy) -> list[date]:
    """The days on which the running term's end is recalled: 30 and 4 days before E (W3)."""
    return [sub.ends_on - timedelta(days=n) for n in policy.notices.reminder_days]


def quote_skip(sub: Subscription, on: date, policy: Policy) -> str | None:
    """Why no automatic quote would be issued on that day, or None where one would be (Q10)."""
    if sub.auto_renew:
        return "renews by itself"
    if sub.scheduled is not None:
        return "next term already bought"
    stage, _ = lapse.stage_on(sub, on, policy)
    if sub.in_lapse or stage is not None:
        return "in a lapse"
    if sub.open_quotes:
        return "a renewal quote is open"
    return None


def renewal_skip(sub: Subscription, on: date) -> str | None:
    """Why the automatic charge is not made on that day (L6, A2, A3), or None where it is."""
    cause = lapse.unpaid(sub)
    if cause is not None and cause.lapse_on < on:
        return "an invoice is past due"
    return None


def _is_shown(sub: Subscription, deadline: Deadline) -> bool:
    if deadline.due in HIDDEN_DUE:
        return False
    if deadline.due is Due.ISSUE_QUOTE:
        return not (sub.auto_renew or sub.in_lapse or sub.open_quotes)
    if deadline.due is Due.RENEW:
        return renewal_skip(sub, deadline.on) is None
    return True
