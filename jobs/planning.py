"""What the jobs will do if nobody acts: done on a copy by the very same code, then read back. Nothing is written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine, select

from app.services.commands.base import ids_of
from app.services.context import Context
from app.store import db
from app.store.engine import reading
from app.store.snapshot import copied
from jobs import happenings
from jobs.book_simulation import play
from jobs.happenings import Happening

_NUMBERS = re.compile(r"^Q\d+$|\bcharge \d+ ")
"""Numbers are given out when it happens: the copy of a few customers would give out others."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One thing that will happen to one subscription on a day of its own.

    `at` is the beginning of that day, local; a day before today is overdue. `from_` and `to` are states, None
    where nothing changes state. `amount` is in the currency's own decimals.
    """

    on: date
    at: datetime
    subject: str
    event: str
    from_: str | None
    to: str | None
    rule: str | None
    detail: str
    amount: str | None
    currency: str | None


def plan(ctx: Context, until: date, refs: Sequence[str] | None = None) -> list[Planned]:
    """Every transition, decision, charge, invoice and notice until the end of a day, in the order of their days.

    `refs`: only of these subscriptions. Raises `UnknownSubject`, `InvalidArgument` for a day that is over, and
    `NoSpace`.
    """
    customers = None if refs is None else _customers_of(ctx, refs)
    with copied(ctx.engine, customer_ids=customers) as copy:
        found = [each for each in _ahead(ctx, copy, until) if refs is None or each.subject in refs]
    found.sort(key=lambda each: (each.on, each.at, each.place, each.id))
    return [_planned(each) for each in found]


def as_json(planned: Sequence[Planned]) -> list[dict[str, Any]]:
    """Plain values only, with the names of the timeline's fields."""
    return [
        {
            "on": each.on.isoformat(),
            "at": each.at.isoformat(),
            "subject": each.subject,
            "event": each.event,
            "from": each.from_,
            "to": each.to,
            "rule": each.rule,
            "detail": each.detail,
            "amount": each.amount,
            "currency": each.currency,
        }
        for each in planned
    ]


def _customers_of(ctx: Context, refs: Sequence[str]) -> list[int]:
    """Whose subscriptions they are: what happens to one may depend on its customer's other ones."""
    query = select(db.subscription.c.customer_id).where(db.subscription.c.id.in_(ids_of(ctx, refs)))
    with reading(ctx.engine) as connection:
        return sorted(set(connection.execute(query).scalars()))


def _ahead(ctx: Context, copy: Engine, until: date) -> list[Happening]:
    with reading(copy) as connection:
        mark = happenings.mark(connection)
    play(ctx, copy, until)
    with reading(copy) as connection:
        return list(happenings.read(connection, mark, until))


def _planned(each: Happening) -> Planned:
    detail = _NUMBERS.sub("", each.detail)
    return Planned(
        each.on, each.at, each.subject, each.event, each.from_, each.to, each.rule, detail, each.amount, each.currency
    )
