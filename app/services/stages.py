"""The window, the stages of the shutoff, and the end of a trial: one function a job (W1, W2, L3-L5, O4)."""

from __future__ import annotations

from datetime import date

from app.domain import lapse
from app.domain.deadlines import next_retry
from app.domain.states import FINAL, LIVE, State, Trigger
from app.domain.subscription import Pending, Subscription
from app.domain.values import NoticeKind, QuoteState
from app.services import installments, payments, renewals
from app.services.batch import Batch


def open_window(sub: Subscription, on: date, batch: Batch) -> None:
    """The window opens; who will not renew by themselves are told, unless it opens on S (W1, W2)."""
    batch.fire(sub, Trigger.OPEN_WINDOW, on, "W1")
    if not sub.auto_renew and on > sub.starts_on:
        batch.notify(sub, NoticeKind.WINDOW_OPENED, on)


def expire(sub: Subscription, on: date, batch: Batch) -> None:
    """X + 1: the first stage begins (L3)."""
    batch.fire(sub, Trigger.EXPIRE, on, "L3")
    batch.notify(sub, NoticeKind.EXPIRED, on)


def suspend(sub: Subscription, on: date, batch: Batch) -> None:
    """X + 16: the second stage begins (L3)."""
    batch.fire(sub, Trigger.SUSPEND, on, "L3")
    batch.notify(sub, NoticeKind.SUSPENDED, on)


def cancel(sub: Subscription, on: date, batch: Batch) -> None:
    """The end, and what goes with it: parts not billed, users, quotes, invoices of terms not begun (L9)."""
    rule = "L4" if sub.offering.lapse_exempt else "L3" if sub.new_regime else "L5"
    batch.fire(sub, Trigger.CANCEL, on, rule)
    installments.cancel_unbilled(sub, batch)
    payments.void_unbegun(sub, batch)
    if sub.pending:
        sub.pending = Pending()
        batch.pending_taken.append(sub.id)
    batch.unassigned.append(sub.id)
    batch.quote_closings[QuoteState.CANCELED].append(sub.id)
    batch.notify(sub, NoticeKind.CANCELED, on)


def end_trial(sub: Subscription, on: date, batch: Batch) -> None:
    """S + 30: the trial is over (O4)."""
    batch.fire(sub, Trigger.END_TRIAL, on, "O4")
    batch.unassigned.append(sub.id)
    batch.notify(sub, NoticeKind.TRIAL_ENDED, on)


def convert(sub: Subscription, on: date, batch: Batch) -> None:
    """A trial was bought: it is over at once, and cannot be converted again (O4)."""
    if sub.state is State.TRIAL:
        batch.fire(sub, Trigger.CONVERT, on, "O4")
        batch.unassigned.append(sub.id)
    sub.converted = True
    batch.touch(sub)


def retry_charge(sub: Subscription, on: date, batch: Batch) -> None:
    """The planned tries of a declined renewal and of declined parts (A6, I2)."""
    installments.retry(sub, on, batch)
    if sub.auto_renew and sub.declined and sub.tried_on is not None and sub.scheduled is None:
        retry_on = next_retry(sub.renews_on, sub.tried_on, batch.ctx.policy)
        if retry_on is not None and retry_on <= on and not sub.no_grace:
            renewals.attempt(sub, on, batch)


def cure(sub: Subscription, on: date, batch: Batch) -> None:
    """After a payment: out of the lapse, back a stage, or on in it for the cause that is left (L6, S2).

    What has ended stays so, and keeps its last reason (L8, S2).
    """
    if sub.state in FINAL:
        return
    stage, _ = lapse.stage_on(sub, on, batch.ctx.policy)
    if not sub.in_lapse or stage is sub.state:
        payments.settle_reason_after(sub, on, batch)
        return
    batch.fire(sub, Trigger.CURE, on, "L6")
    if sub.state in LIVE:
        batch.notify(sub, NoticeKind.REINSTATED, on)
