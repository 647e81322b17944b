"""Whether an imported subscription can stand where its row says, by the rulebook and as of the import's day.

A change that is due on that very day may be made already or not: the next run of the jobs makes it.
"""

from __future__ import annotations

from datetime import date

from app.domain import lapse
from app.domain.calendar import ONE_DAY
from app.domain.policy import Policy
from app.domain.states import LAPSED, State
from app.domain.subscription import Subscription
from app.domain.values import Reason
from app.services.import_cells import Bad
from app.services.import_drafts import Draft

_OF_A_LAPSE = ("reason", "lapse_on", "grace_days")
_OF_A_PAID_TERM = (*_OF_A_LAPSE, "installments_paid", "term_price", "owed", "owed_due_on")


def judge(draft: Draft, policy: Policy) -> None:
    """Refuse a state that the dates contradict; fill in what follows from it. Raises `Bad`."""
    sub = draft.sub
    if sub.is_trial:
        _trial(draft)
    elif sub.state is State.CANCELED:
        _canceled(draft, policy)
    elif sub.state in LAPSED:
        _refuse_next_term_begun(sub, draft.today)
        _lapsed(draft, policy)
    else:
        _refuse_cells(draft, _OF_A_LAPSE, f"there is none while it is {sub.state} (S2)")
        if sub.state is not State.RETURNED:
            _refuse_next_term_begun(sub, draft.today)
            _live(sub, draft.today, policy)


def _refuse_cells(draft: Draft, columns: tuple[str, ...], why: str) -> None:
    for column in columns:
        if column in draft.row.cells:
            raise Bad(column, why)


def _trial(draft: Draft) -> None:
    """It ends at 00:00 of the day after its last; one that ended before was converted (O4)."""
    sub = draft.sub
    _refuse_cells(draft, _OF_A_PAID_TERM, "a trial has none")
    if sub.state is State.TRIAL and sub.ends_on < draft.today - ONE_DAY:
        raise Bad("state", f"its last day was {sub.ends_on}: it is trial_ended (O4)")
    sub.converted = sub.state is State.TRIAL_ENDED and sub.ends_on >= draft.today


def _refuse_next_term_begun(sub: Subscription, today: date) -> None:
    if sub.scheduled is not None and sub.renews_on < today:
        raise Bad("ends_on", f"its next term began on {sub.renews_on}: import that one as the running term")


def _live(sub: Subscription, today: date, policy: Policy) -> None:
    _refuse_other_stage(sub, None, today, policy)
    if sub.state is State.RENEWABLE and not lapse.is_window_open(sub, today, policy):
        opens_on = lapse.window_opens_on(sub, policy)
        why = "its next term is bought" if sub.scheduled else f"its window opens on {opens_on}"
        raise Bad("state", f"{why}: it is active (W1)")


def _lapsed(draft: Draft, policy: Policy) -> None:
    sub, today = draft.sub, draft.today
    if sub.no_grace:
        rule = "L4" if sub.offering.lapse_exempt else "L5"
        raise Bad("state", f"it has no such stage, it is canceled on the day after its end ({rule})")
    if draft.declared is Reason.PAYMENT_FAILED and not sub.auto_renew:
        raise Bad("auto_renew", "payment_failed is the reason of what renews by itself (A6)")
    cause = lapse.main_cause(sub)
    if cause is None or cause.lapse_on >= today:
        raise Bad(*_no_cause(draft))
    if draft.declared not in (None, cause.reason):
        raise Bad("reason", f"by its dates it is {cause.reason}, since {cause.lapse_on} (S2)")
    if draft.lapse_on not in (None, cause.lapse_on):
        raise Bad("lapse_on", f"by its dates it is {cause.lapse_on} (L2)")
    _refuse_other_stage(sub, sub.state, today, policy)
    sub.reason, sub.lapse_on = cause.reason, cause.lapse_on
    if sub.auto_renew and sub.scheduled is None and sub.renews_on <= today:
        # The charge on R, and what was tried again before today, was the old system's.
        sub.tried_on = max(sub.renews_on, today - ONE_DAY)


def _no_cause(draft: Draft) -> tuple[str, str]:
    """Nothing that the row says has started a shutoff yet."""
    if draft.lapse_on is None:
        return (
            "lapse_on",
            f"is missing: {draft.sub.state} needs a day that started it, the term ends {draft.sub.ends_on}",
        )
    if draft.declared is None:
        return "reason", f"is missing: why is it in a lapse since {draft.lapse_on}?"
    return "lapse_on", f"{draft.lapse_on} has started no lapse: the term ends on {draft.sub.ends_on} (L2)"


def _refuse_other_stage(sub: Subscription, stage: State | None, today: date, policy: Policy) -> None:
    """Yesterday's stage will do: the change of today may still have to be made."""
    now, cause = lapse.stage_on(sub, today, policy)
    if stage is now or stage is lapse.stage_on(sub, today - ONE_DAY, policy)[0]:
        return
    rule = "L4" if sub.offering.lapse_exempt else "L3" if sub.new_regime else "L5"
    since = f", {cause.reason} since {cause.lapse_on} ({rule})" if cause and now else ""
    raise Bad("state", f"by its dates it is {now or 'in no lapse'}{since}")


def _canceled(draft: Draft, policy: Policy) -> None:
    """History: only its own days are looked at."""
    sub = draft.sub
    reason = draft.declared or Reason.NON_RENEWAL
    if draft.lapse_on is None and reason is Reason.NON_PAYMENT:
        raise Bad("lapse_on", "is missing: when was the unpaid invoice due?")
    lapse_on = draft.lapse_on or sub.ends_on
    if lapse_on != sub.ends_on and reason is not Reason.NON_PAYMENT:
        raise Bad("lapse_on", f"for {reason} it is the end of the term, {sub.ends_on} (L2)")
    if not sub.starts_on - ONE_DAY <= lapse_on <= sub.ends_on:
        raise Bad("lapse_on", f"{lapse_on} lies outside the term")
    canceled_on = lapse.stages(sub, lapse_on, policy).canceled_on
    if canceled_on > draft.today:
        raise Bad("state", f"by its dates it is canceled on {canceled_on}, not before")
    sub.reason, sub.lapse_on = reason, lapse_on
