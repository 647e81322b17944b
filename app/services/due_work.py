"""The work that is due, done for a page or for one subscription by the same code (J3, J3b, J5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from app.domain.calendar import day_start
from app.domain.deadlines import JOB_ORDER
from app.domain.payments import Answer
from app.domain.subscription import Subscription
from app.domain.values import Due, QuoteState
from app.services import (
    charging,
    installments,
    payments,
    quotes,
    reminders,
    renewals,
    set_aside,
    settlement,
    stages,
    sweeps,
)
from app.services.batch import Batch
from app.services.context import Context
from app.store import zones
from app.store.engine import reading, writing
from app.store.facts import Facts
from app.store.zones import LAST_PLACE, QUOTES_PLACE

Act = Callable[[Subscription, date, Batch], None]

ACTS: dict[Due, Act] = {
    Due.BILL_INSTALLMENT: installments.bill,
    Due.RETRY_CHARGE: stages.retry_charge,
    Due.OVERDUE_NOTICE: payments.tell_overdue,
    Due.END_TRIAL: stages.end_trial,
    Due.RENEW: renewals.attempt,
    Due.START_TERM: renewals.start_term,
    Due.EXPIRE: stages.expire,
    Due.SUSPEND: stages.suspend,
    Due.CANCEL: stages.cancel,
    Due.OPEN_WINDOW: stages.open_window,
    Due.ISSUE_QUOTE: quotes.issue_automatic,
    Due.REMIND: reminders.remind,
}
"""What a job does to one subscription as of a day."""
Choose = Callable[[Facts], list[int]]
"""Which subscriptions a page is made of."""

_ISSUE_PLACE = JOB_ORDER[Due.ISSUE_QUOTE]


class NoProgress(Exception):
    """An act left its own deadline standing. A bug; the subscription is set aside."""


@dataclass(slots=True)
class Tally:
    """What a page came to."""

    done: int = 0
    set_aside: int = 0


def do_page(ctx: Context, place: int, zone_id: int, day: date, cause: str) -> Tally:
    """Do the next page of a job in a zone: in one transaction, or where a row fails row by row, so that it
    costs nobody else anything. An empty tally means that nothing is left."""

    def due_ids(facts: Facts) -> list[int]:
        return facts.due_ids(zone_id, place, day, ctx.page_size)

    try:
        return _do(ctx, place, day, cause, due_ids)
    except Exception:
        with reading(ctx.engine) as connection:
            ids = due_ids(Facts(connection, ctx.policy, ctx.catalogue))
        tally = Tally()
        for id_ in ids:
            _one(ctx, place, day, cause, id_, tally)
        return tally


def _one(ctx: Context, place: int, day: date, cause: str, id_: int, tally: Tally) -> None:
    try:
        resolve_pending(ctx, cause, [id_])  # its page may have asked for the charge already
        found = _do(ctx, place, day, cause, _just(id_))
        tally.done += found.done
        tally.set_aside += found.set_aside
    except Exception as error:
        set_aside.put(ctx, id_, place, error)
        tally.set_aside += 1


def _do(ctx: Context, place: int, day: date, cause: str, choose: Choose) -> Tally:
    tally = Tally()
    with writing(ctx.engine) as connection:
        facts = Facts(connection, ctx.policy, ctx.catalogue)
        subs = facts.by_ids(choose(facts))
        if place == _ISSUE_PLACE:
            facts.add_open_quotes(subs)
        batch = Batch(ctx, connection, cause, size=max(1, len(subs)))
        for sub in subs:
            act_on(sub, place, day, batch)
            tally.done += 1
        batch.write()
    if batch.intents:
        answers = charging.ask(ctx, batch.intents)
        settlement.settle(ctx, answers, cause, subs)
        tally.set_aside += _aside_unknown(ctx, place, answers, [sub.id for sub in subs])
    return tally


def act_on(sub: Subscription, place: int, day: date, batch: Batch) -> None:
    """Do what is due of a job for one subscription, as of its own day (J3).

    A row whose stored deadline is out of date only gets it worked out again.
    """
    deadline = batch.deadlines.of(sub)
    if deadline is None or deadline.place != place or deadline.on > day:
        batch.touch(sub)
        return
    intents = len(batch.intents)
    ACTS[deadline.due](sub, deadline.on, batch)
    if len(batch.intents) == intents and batch.deadlines.of(sub) == deadline:
        raise NoProgress(f"{sub.ref}: {deadline.due} of {deadline.on} is still due after it was done")


def _aside_unknown(ctx: Context, place: int, answers: dict[int, Answer], ids: Sequence[int]) -> int:
    """Who waits for an answer of the provider is set aside and asked about again (J5)."""
    if Answer.UNKNOWN not in answers.values():
        return 0
    unknown = {id_ for id_, answer in answers.items() if answer is Answer.UNKNOWN}
    waiting = charging.subscriptions_of(ctx, unknown)
    error = ConnectionError("the payment provider has not answered yet; its answer is asked for again")
    for id_ in waiting:
        set_aside.put(ctx, id_, place, error)
    return len(waiting)


def _just(id_: int) -> Choose:
    return lambda _: [id_]


def resolve_pending(ctx: Context, cause: str, subscription_ids: Iterable[int] | None = None) -> None:
    """Find out what became of charges that a crash or a silent provider left open (J4).

    Of some subscriptions, raising what keeps one from being settled; or of the whole book, where that one is
    set aside and costs nobody else anything (J5).
    """
    if subscription_ids is not None:
        settlement.settle(ctx, charging.ask_again(ctx, charging.left_pending(ctx, subscription_ids)), cause)
        return
    intents = charging.left_pending(ctx)
    for start in range(0, len(intents), ctx.page_size):
        page = intents[start : start + ctx.page_size]
        try:
            settlement.settle(ctx, charging.ask_again(ctx, page), cause)
        except Exception:
            for intent in page:
                _resolve_one(ctx, intent, cause)


def _resolve_one(ctx: Context, intent: charging.Intent, cause: str) -> None:
    try:
        settlement.settle(ctx, charging.ask_again(ctx, [intent]), cause)
    except Exception as error:
        for id_ in charging.subscriptions_of(ctx, [intent[0]]):
            set_aside.put(ctx, id_, None, error)


class _Step(NamedTuple):
    """Something due for a subscription, or the end of a quote that holds it. Sorts as the daemon goes (J3)."""

    begins_at: datetime
    zone_id: int
    place: int
    id: int
    on: date


def bring_up_to_date(ctx: Context, ids: Sequence[int], cause: str) -> None:
    """Do all that is due for some subscriptions, in its order, each as of its own date (J3b).

    Raises whatever keeps one of them from being brought up to date: a command must not act on stale facts.
    """
    resolve_pending(ctx, cause, ids)
    while (step := _next_step(ctx, ids)) is not None and step.begins_at <= ctx.now():
        if step.place == QUOTES_PLACE:
            with writing(ctx.engine) as connection:
                sweeps.close(connection, QuoteState.EXPIRED, [step.id])
            continue
        tally = _do(ctx, step.place, step.on, f"job {JOB_NAMES[step.place]} ({cause})", _just(step.id))
        if not tally.set_aside:
            set_aside.release(ctx, step.id)


def _next_step(ctx: Context, ids: Sequence[int]) -> _Step | None:
    with reading(ctx.engine) as connection:
        due = Facts(connection, ctx.policy, ctx.catalogue).stored_deadlines(ids)
        ends = quotes.ends(connection, ids)
        zone_ids = {zone.name: zone.id for zone in zones.progress(connection)} if ends else {}
    steps = [_Step(day_start(on, zone), zone_ids.get(zone, 0), place, id_, on) for id_, zone, place, on in due]
    steps += [_Step(day_start(on, zone), zone_ids[zone], QUOTES_PLACE, id_, on) for id_, zone, on in ends]
    return min(steps, default=None)


JOB_NAMES = (
    "bill_installments",
    "collect",
    "end_trials",
    "expire_quotes",
    "renew",
    "start_terms",
    "expire",
    "suspend",
    "cancel",
    "open_windows",
    "issue_quotes",
    "remind",
)
"""The day's jobs in their order (J1)."""
assert len(JOB_NAMES) == LAST_PLACE + 1
