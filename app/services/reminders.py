"""Renewal reminders: each told once, late ones only while they help (W3)."""

from __future__ import annotations

from datetime import date

from app.domain.deadlines import next_reminder, reminder_days
from app.domain.subscription import Subscription
from app.domain.values import NoticeKind
from app.services.batch import Batch


def remind(sub: Subscription, on: date, batch: Batch) -> None:
    """Send the reminder of a day, or record why not. `on` is its day, however late it is."""
    reminder_on = next_reminder(sub, batch.ctx.policy)
    assert reminder_on is not None
    today = batch.ctx.today(sub.zone)
    sub.reminded_on = reminder_on
    batch.touch(sub)
    dropped = why_dropped(sub, reminder_on, today, batch)
    batch.notify(sub, NoticeKind.RENEWAL_REMINDER, reminder_on, dropped=dropped)
    if dropped:
        batch.decided(sub, "drop_reminder", reminder_on, "W3", dropped)


def why_dropped(sub: Subscription, reminder_on: date, today: date, batch: Batch) -> str | None:
    """Late reminders are sent before E, and only the latest of several missed ones."""
    if today == reminder_on:
        return None
    if today >= sub.ends_on:
        return "the term is over"
    later = [on for on in reminder_days(sub, batch.ctx.policy) if reminder_on < on <= today]
    return "a later reminder is due" if later else None


def replaced_by_quote(sub: Subscription, on: date, batch: Batch) -> None:
    """An automatic quote that is issued takes the place of its own day's reminder (W3, Q10)."""
    if on in reminder_days(sub, batch.ctx.policy):
        sub.reminded_on = on
        batch.decided(sub, "skip_reminder", on, "W3", "the automatic quote takes its place")
