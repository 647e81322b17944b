"""How a subscription came to be where it is, rule by rule, and what comes next if nobody acts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from app.domain import lapse
from app.domain.calendar import local_day
from app.domain.deadlines import agenda, next_event, quote_skip, renewal_skip
from app.domain.diagram import meanings, sentence_of
from app.domain.errors import UnknownSubject
from app.domain.states import FINAL, State
from app.domain.subscription import Subscription
from app.domain.values import CHARGEABLE, HIDDEN_DUE, Due
from app.services import browse, views
from app.services.context import Context
from app.services.rule_lines import rule_in_a_line
from app.store import db
from app.store.engine import reading

_RULE_OF = {
    Due.BILL_INSTALLMENT: "I2",
    Due.RETRY_CHARGE: "A6",
    Due.OVERDUE_NOTICE: "B4",
    Due.END_TRIAL: "O4",
    Due.RENEW: "A2",
    Due.START_TERM: "M2",
    Due.EXPIRE: "L3",
    Due.SUSPEND: "L3",
    Due.CANCEL: "L3",
    Due.OPEN_WINDOW: "W1",
    Due.ISSUE_QUOTE: "Q10",
    Due.REMIND: "W3",
}
"""The rule under which each thing is done, unless the subscription has no grace."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """One thing that happened: what, when it took effect and was done, by which rule, and by whom or which job."""

    on: date
    done_on: date
    event: str
    from_: str | None
    to: str | None
    says: str
    rule: str | None
    rule_says: str
    cause: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class Coming:
    """One thing that lies ahead. `skipped` says why it will be decided against; mail only is `is_mail`."""

    on: date
    event: str
    rule: str
    rule_says: str
    is_next: bool
    is_mail: bool
    is_late: bool
    skipped: str | None


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that explains a subscription. `stages` are the first days of its shutoff's stages."""

    id: str
    view: dict[str, Any]
    dates: str
    says: str
    past: list[Chapter]
    lapse_on: date | None
    stages: dict[str, date]
    ahead: list[Coming]
    stuck: str | None


def tell(ctx: Context, ref: str) -> Story:
    """The story of one subscription. Raises `UnknownSubject`."""
    with reading(ctx.engine) as connection:
        subs = views.load(ctx, connection, [ref])
        if not subs:
            raise UnknownSubject(f"subscription {ref}")
        sub = subs[0]
        today = ctx.today(sub.zone)
        lapse_on = _lapse_on(sub)
        return Story(
            id=sub.ref,
            view=views.subscription_view(ctx, connection, sub),
            dates=browse.in_words(sub, today),
            says=meanings(State)[sub.state.name],
            past=list(_past(connection, sub)),
            lapse_on=lapse_on,
            stages=_stages(ctx, sub, lapse_on),
            ahead=list(_ahead(ctx, sub, today)),
            stuck=_stuck(connection, sub.id),
        )


# ------------------------------------------------------------------ how it came to this


def _past(connection: Connection, sub: Subscription) -> Iterator[Chapter]:
    e = db.event.c
    columns = (e.effective_on, e.recorded_at, e.name, e.from_state, e.to_state, e.rule, e.cause, e.detail)
    query = select(*columns).where(e.subscription_id == sub.id).order_by(e.id)
    for on, recorded_at, name, before, after, rule, cause, detail in connection.execute(query):
        says = (sentence_of(name, after) if after else None) or name.replace("_", " ")
        done_on = local_day(recorded_at, sub.zone)
        yield Chapter(on, done_on, name, before, after, says, rule, rule_in_a_line(rule), cause, detail)


# ------------------------------------------------------------------ where it is


def _lapse_on(sub: Subscription) -> date | None:
    """X: of the shutoff it is in, or of the one that begins if nobody acts."""
    if sub.lapse_on is not None:
        return sub.lapse_on
    cause = None if sub.state in FINAL or sub.auto_renew else lapse.main_cause(sub)
    return None if cause is None else cause.lapse_on


def _stages(ctx: Context, sub: Subscription, lapse_on: date | None) -> dict[str, date]:
    if lapse_on is None or sub.state in FINAL:
        return {}
    days = lapse.stages(sub, lapse_on, ctx.policy)
    if sub.no_grace:
        return {"canceled": days.canceled_on}
    return {"expired": days.expired_on, "suspended": days.suspended_on, "canceled": days.canceled_on}


def _stuck(connection: Connection, id_: int) -> str | None:
    """Why it could not be processed, where it was set aside (J5)."""
    query = select(db.stuck.c.error).where(db.stuck.c.subscription_id == id_)
    error: str | None = connection.execute(query).scalar()
    return error


# ------------------------------------------------------------------ what comes next


def _ahead(ctx: Context, sub: Subscription, today: date) -> Iterator[Coming]:
    shown = next_event(sub, ctx.policy)
    for deadline in sorted(set(agenda(sub, ctx.policy))):
        rule = rule_of(sub, deadline.due)
        yield Coming(
            on=deadline.on,
            event=deadline.due,
            rule=rule,
            rule_says=rule_in_a_line(rule),
            is_next=deadline == shown,
            is_mail=deadline.due in HIDDEN_DUE,
            is_late=deadline.on <= today,
            skipped=_why_skipped(ctx, sub, deadline.due, deadline.on),
        )


def rule_of(sub: Subscription, due: Due) -> str:
    """The rule under which something would be done to a subscription."""
    if due is Due.CANCEL and sub.no_grace:
        return "L4" if sub.offering.lapse_exempt else "L5"
    return _RULE_OF[due]


def _why_skipped(ctx: Context, sub: Subscription, due: Due, on: date) -> str | None:
    """Why a decision would be to do nothing, by what holds now."""
    if due is Due.ISSUE_QUOTE:
        return quote_skip(sub, on, ctx.policy)
    if due is Due.RENEW:
        no_charge = None if sub.method in CHARGEABLE else f"no automatic charge by {sub.method or 'any method'}"
        return renewal_skip(sub, on) or no_charge
    return None
