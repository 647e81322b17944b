"""The timeline of a playing: every transition, charge, invoice and notice, in the order of its day."""

from __future__ import annotations

from app.services.context import Context
from app.store.engine import reading
from jobs import happenings
from jobs.happenings import Happening
from jobs.scenario.results import Moment


def timeline(ctx: Context) -> list[Moment]:
    """Everything that happened to subscriptions, by effective day and then as recorded."""
    with reading(ctx.engine) as connection:
        found = sorted(happenings.read(connection), key=lambda each: (each.on, each.place, each.id))
    return [_moment(each) for each in found]


def _moment(each: Happening) -> Moment:
    amount = f"{each.amount} {each.currency} " if each.amount else ""
    return Moment(
        each.at.isoformat(), each.subject, each.event, each.from_, each.to, each.rule, f"{amount}{each.detail}"
    )
