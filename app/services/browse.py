"""Looking around in the book: subscriptions by filter, runs of jobs, what is set aside, what waits to be sent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select

from app.domain.calendar import ONE_DAY
from app.domain.deadlines import next_event
from app.domain.errors import UnknownSubject
from app.domain.states import FINAL, LAPSED, State
from app.domain.subscription import Subscription
from app.domain.values import Reason, TermKind
from app.services import views
from app.services.context import Context
from app.store import db
from app.store.engine import reading
from app.store.facts import Facts, UnknownOffering

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Filters:
    """Which subscriptions; what is None or empty is not looked at. `due_before`: the next event comes earlier."""

    states: Sequence[State] = ()
    csn: str | None = None
    offering: str | None = None
    term: TermKind | None = None
    zone: str | None = None
    reason: Reason | None = None
    due_before: date | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of subscriptions, whether there are more, and what could not be read, a line each."""

    rows: list[dict[str, Any]]
    is_more: bool
    unreadable: list[str]


def subscriptions(ctx: Context, filters: Filters, limit: int) -> Found:
    """The first `limit` subscriptions that fit, in the order in which they were bought."""
    unreadable: list[str] = []
    with reading(ctx.engine) as connection:
        names = _customer_names(connection, filters.csn)
        found: list[dict[str, Any]] = []
        for sub in _matching(ctx, connection, filters, unreadable):
            row = _row(ctx, sub)
            if filters.due_before is None or (row["next"] and row["next"]["on"] < filters.due_before):
                found.append(row)
            if len(found) > limit:
                break
        for row in found:
            row["customer"] = names(row["csn"])
    return Found(found[:limit], len(found) > limit, unreadable)


def _customer_names(connection: Connection, csn: str | None) -> Any:
    """A customer's name by number, each asked once. Raises `UnknownSubject` for the one that is asked for."""
    known: dict[str, str] = {}

    def name_of(wanted: str) -> str:
        if wanted not in known:
            query = select(db.customer.c.name).where(db.customer.c.csn == wanted)
            known[wanted] = str(connection.execute(query).scalar_one())
        return known[wanted]

    if csn is not None:
        exists = connection.execute(select(db.customer.c.id).where(db.customer.c.csn == csn)).first()
        if exists is None:
            raise UnknownSubject(f"customer {csn}")
    return name_of


def _matching(ctx: Context, connection: Connection, filters: Filters, unreadable: list[str]) -> Iterator[Subscription]:
    facts = Facts(connection, ctx.policy, ctx.catalogue, lock=False)
    last = 0
    while ids := _ids(connection, filters, last):
        last = ids[-1]
        subs = _readable(facts, ids, unreadable)
        facts.add_open_quotes(subs)
        yield from subs


def _readable(facts: Facts, ids: list[int], unreadable: list[str]) -> list[Subscription]:
    """One whose offering the catalogue has lost must not hide the others."""
    try:
        return facts.by_ids(ids)
    except UnknownOffering as error:
        if len(ids) == 1:
            unreadable.append(str(error))
            return []
    return [sub for id_ in ids for sub in _readable(facts, [id_], unreadable)]


def _ids(connection: Connection, filters: Filters, after: int) -> list[int]:
    """The next page of ids: by the customer's index where one is named, else in the order of ids."""
    s = db.subscription.c
    query = select(s.id).where(s.id > after).order_by(s.id).limit(_PAGE)
    if filters.states:
        query = query.where(s.state.in_(filters.states))
    for column, value in ((s.offering, filters.offering), (s.term, filters.term), (s.reason, filters.reason)):
        if value is not None:
            query = query.where(column == value)
    if filters.csn is not None:
        query = query.where(s.customer_id == _id_of(db.customer.c.csn, filters.csn))
    if filters.zone is not None:
        query = query.where(s.zone_id == _id_of(db.zone.c.name, filters.zone))
    if filters.due_before is not None:
        query = query.where(s.next_on < filters.due_before)
    return list(connection.execute(query).scalars())


def _id_of(column: Any, value: str) -> Any:
    return select(column.table.c.id).where(column == value).scalar_subquery()


def _row(ctx: Context, sub: Subscription) -> dict[str, Any]:
    ahead = next_event(sub, ctx.policy)
    return {
        "id": sub.ref,
        "csn": sub.csn,
        "customer": "",
        "offering": sub.offering_code,
        "term": sub.kind,
        "seats": sub.seats,
        "state": sub.state,
        "reason": sub.reason,
        "auto_renew": sub.auto_renew,
        "starts_on": sub.starts_on,
        "ends_on": sub.ends_on,
        "renews_on": views.renews_on(sub),
        "dates": in_words(sub, ctx.today(sub.zone)),
        "payment": sub.method,
        "timezone": sub.zone,
        "next": None if ahead is None else {"event": ahead.due, "on": ahead.on},
    }


def details(ctx: Context, ref: str) -> dict[str, Any]:
    """One subscription with all its fields; {} for one that does not exist."""
    with reading(ctx.engine) as connection:
        subs = views.load(ctx, connection, [ref])
        if not subs:
            return {}
        row = _row(ctx, subs[0]) | {"customer": _customer_names(connection, None)(subs[0].csn)}
        return row | views.subscription_view(ctx, connection, subs[0])


def in_words(sub: Subscription, today: date) -> str:
    """Until when, as people are shown it (D2)."""
    renews_on = views.renews_on(sub)
    if renews_on is not None:
        return f"renews on {renews_on}"
    last = sub.scheduled.ends_on if sub.scheduled else sub.ends_on
    if last < today:
        return f"ended on {last}"
    return f"term to {last}" if sub.state in FINAL | LAPSED else f"expires on {last}"


# ------------------------------------------------------------------ whom names mean


def customers_of(ctx: Context, names: Collection[str]) -> list[int]:
    """The customers behind subscriptions, customer numbers, quotes, invoices and orders; unknown names are left out."""
    places = (
        (db.subscription.c.customer_id, db.subscription.c.ref),
        (db.customer.c.id, db.customer.c.csn),
        (db.quote.c.customer_id, db.quote.c.name),
        (db.quote.c.customer_id, db.quote.c.number),
        (db.invoice.c.customer_id, db.invoice.c.number),
        (db.sale_order.c.customer_id, db.sale_order.c.name),
    )
    with reading(ctx.engine) as connection:
        found = [connection.execute(select(id_).where(name.in_(names))).scalars() for id_, name in places]
        return sorted({id_ for ids in found for id_ in ids})


def customers_with_work(ctx: Context) -> list[int]:
    """Whom the jobs have something to do for by now, or a mail to send to."""
    latest = ctx.now().date() + ONE_DAY  # no zone is further ahead
    s, q, n = db.subscription.c, db.quote.c, db.notice.c
    waiting = select(s.customer_id).join(db.notice, n.subscription_id == s.id).where(n.state == "pending")
    charged = select(db.charge.c.customer_id).where(db.charge.c.state == "pending")
    queries = (
        select(s.customer_id).where(s.next_on <= latest),
        select(q.customer_id).where(q.state == "open", q.valid_until < latest),
        waiting,
        charged,
    )
    with reading(ctx.engine) as connection:
        return sorted({id_ for query in queries for id_ in connection.execute(query.distinct()).scalars()})


def refs_of(ctx: Context, customer_ids: Collection[int]) -> set[str]:
    """The subscriptions of some customers."""
    query = select(db.subscription.c.ref).where(db.subscription.c.customer_id.in_(customer_ids))
    with reading(ctx.engine) as connection:
        return set(connection.execute(query).scalars())


# ------------------------------------------------------------------ runs, what is set aside, the outbox


def is_empty(ctx: Context) -> bool:
    """Whether the book has no customer yet."""
    with reading(ctx.engine) as connection:
        return connection.execute(select(db.customer.c.id).limit(1)).first() is None


def last_runs(ctx: Context) -> dict[tuple[str, int], dict[str, Any]]:
    """The last run that had something to do, by job and zone."""
    r = db.job_run.c
    newest = select(func.max(r.id)).group_by(r.job, r.zone_id)
    with reading(ctx.engine) as connection:
        rows = connection.execute(select(db.job_run).where(r.id.in_(newest))).all()
    return {
        (row.job, row.zone_id): {
            "day": row.day,
            "finished_at": row.finished_at,
            "by": row.cause,
            "done": row.done,
            "set_aside": row.set_aside,
        }
        for row in rows
    }


def stuck(ctx: Context) -> list[dict[str, Any]]:
    """What could not be processed, with why (J5)."""
    x, s = db.stuck.c, db.subscription.c
    query = (
        select(s.ref, x.due, x.due_on, x.error, x.tries, x.first_at, x.last_at)
        .select_from(db.stuck.join(db.subscription, s.id == x.subscription_id))
        .order_by(x.first_at, s.id)
    )
    with reading(ctx.engine) as connection:
        rows = connection.execute(query).all()
    keys = ("id", "due", "due_on", "error", "tries", "first_at", "last_at")
    return [dict(zip(keys, row, strict=True)) for row in rows]


def outbox(ctx: Context, state: str | None, limit: int) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """How many mails wait, were sent and were dropped; and the latest of them, the newest first."""
    n, s = db.notice.c, db.subscription.c
    query = (
        select(n.due_on, s.ref, n.kind, n.recipient, n.language, n.state, n.detail, n.settled_at)
        .select_from(db.notice.join(db.subscription, s.id == n.subscription_id))
        .order_by(n.id.desc())
        .limit(limit)
    )
    with reading(ctx.engine) as connection:
        found = {row[0]: row[1] for row in connection.execute(select(n.state, func.count()).group_by(n.state))}
        rows = connection.execute(query if state is None else query.where(n.state == state)).all()
    keys = ("due_on", "id", "kind", "to", "language", "state", "detail", "settled_at")
    counts = {each: int(found.get(each, 0)) for each in ("pending", "sent", "dropped")}
    return counts, [dict(zip(keys, row, strict=True)) for row in rows]


def last_delivery(ctx: Context) -> Any:
    """When mails were last sent or dropped, or None."""
    with reading(ctx.engine) as connection:
        return connection.execute(select(func.max(db.notice.c.settled_at))).scalar()
