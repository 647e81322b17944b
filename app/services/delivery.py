"""The outbox: what waits is sent once it is still true, or dropped on record (W4, J4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from app.domain.deadlines import reminder_days
from app.domain.mail import Mail, Mailer
from app.domain.states import LAPSED, State
from app.domain.subscription import Subscription
from app.domain.values import NoticeKind
from app.services import schema, sweeps
from app.services.context import Context
from app.store import db, writer
from app.store.engine import reading, writing
from app.store.facts import Facts, UnknownOffering
from app.store.locks import outbox_lock


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice in the outbox."""

    id: int
    subscription_id: int
    term_number: int
    kind: NoticeKind
    due_on: date
    cause: str
    recipient: str
    language: str
    mail_key: str | None


class NoMailer:
    """Swallows every mail: for simulations."""

    def send(self, mails: Sequence[Mail]) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Tally:
    """What a delivery came to: sent, dropped as no longer true, and held until their subscription is up to date."""

    sent: int = 0
    dropped: int = 0
    held: int = 0


def deliver(ctx: Context, mailer: Mailer) -> Tally:
    """Send what waits. A notice of a subscription that still has work due is held until that is done.

    Where another process is at it, nothing is left to do here (J6).
    """
    with outbox_lock(ctx.engine) as held:
        return _deliver_all(ctx, mailer) if held else Tally()


def _deliver_all(ctx: Context, mailer: Mailer) -> Tally:
    total, after = Tally(), 0
    while True:
        with reading(ctx.engine) as connection:
            page = _page(connection, after, ctx.page_size)
        if not page:
            return total
        after = page[min(len(page), ctx.page_size) - 1].id
        tally = _deliver_page(ctx, mailer, page)
        total = Tally(total.sent + tally.sent, total.dropped + tally.dropped, total.held + tally.held)


def _page(connection: Connection, after: int, limit: int) -> list[Waiting]:
    c = db.notice.c
    columns = (c.id, c.subscription_id, c.term_number, c.kind, c.due_on, c.cause, c.recipient, c.language, c.mail_key)
    pending = select(*columns).where(c.state == "pending")
    page = [_waiting(row) for row in connection.execute(pending.where(c.id > after).order_by(c.id).limit(limit))]
    # One mail is never sent in halves: what belongs to it comes with every page that it begins or ends on.
    keys = {w.mail_key for w in page if w.mail_key is not None}
    rest = pending.where(c.mail_key.in_(keys), c.id.not_in([w.id for w in page])).order_by(c.id)
    return [*page, *(map(_waiting, connection.execute(rest)) if keys else ())]


def _waiting(row: Any) -> Waiting:
    return Waiting(row[0], row[1], row[2], NoticeKind(row[3]), *row[4:])


def _held(ctx: Context, page: Sequence[Waiting], subs: dict[int, Subscription]) -> set[int]:
    """Notices of subscriptions that still have work due, and what is in one mail with them."""
    late = [w for w in page if w.subscription_id not in subs or _has_work_due(ctx, subs[w.subscription_id])]
    keys = {w.mail_key for w in late if w.mail_key is not None}
    return {w.id for w in page if w.mail_key in keys} | {w.id for w in late}


def _deliver_page(ctx: Context, mailer: Mailer, page: list[Waiting]) -> Tally:
    """Judge a page, send what is true, then record it: a crash in between may repeat a mail, never lose one."""
    with reading(ctx.engine) as connection:
        facts = Facts(connection, ctx.policy, ctx.catalogue, lock=False)
        subs = _readable(facts, sorted({w.subscription_id for w in page}))
        checker = Checker(ctx, connection, page)
        held = _held(ctx, page, subs)
        ready = [w for w in page if w.id not in held]
        untrue = {w.id: why for w in ready if (why := checker.why_untrue(w, subs[w.subscription_id]))}
    true = [w for w in ready if w.id not in untrue]
    mailer.send(_mails(true, subs))
    now = ctx.now()
    with writing(ctx.engine) as connection:
        patch = schema.Patch(db.notice, "id", ("state", "detail", "settled_at"))
        rows = [(w.id, "dropped", untrue[w.id], now) if w.id in untrue else (w.id, "sent", None, now) for w in ready]
        writer.update(connection, patch.table, patch.key, patch.columns, rows)
        by_id = {w.id: w for w in ready}
        _record_drops(ctx, connection, [(by_id[id_], why) for id_, why in untrue.items()])
    return Tally(len(true), len(untrue), len(page) - len(ready))


def _readable(facts: Facts, ids: Sequence[int]) -> dict[int, Subscription]:
    """Subscriptions by id; one whose offering is gone from the catalogue keeps nobody else's mail (J5)."""
    try:
        return {sub.id: sub for sub in facts.by_ids(ids)}
    except UnknownOffering:
        if len(ids) == 1:
            return {}
        return {id_: sub for one in ids for id_, sub in _readable(facts, [one]).items()}


def _has_work_due(ctx: Context, sub: Subscription) -> bool:
    return sub.next_on is not None and sub.next_on <= ctx.today(sub.zone)


def _mails(waiting: Iterable[Waiting], subs: dict[int, Subscription]) -> list[Mail]:
    """Notices with one mail key and recipient are one mail."""
    grouped: dict[tuple[str, str], list[Waiting]] = defaultdict(list)
    for w in waiting:
        own = f"{subs[w.subscription_id].ref}/{w.term_number}/{w.kind}/{w.due_on}/{w.cause}"
        grouped[f"{w.kind}/{w.mail_key}" if w.mail_key else own, w.recipient].append(w)
    return [
        Mail(
            key, rows[0].kind, recipient, rows[0].language, rows[0].due_on, rows[0].cause,
            tuple(subs[w.subscription_id] for w in rows),
        )
        for (key, recipient), rows in grouped.items()
    ]  # fmt: skip


def _record_drops(ctx: Context, connection: Connection, dropped: list[tuple[Waiting, str]]) -> None:
    rows = [
        (
            w.subscription_id, None, "decision", "drop_notice", None, None, w.due_on, ctx.now(),
            "job deliver", "W4", f"{w.kind}: {why}",
        )
        for w, why in dropped
    ]  # fmt: skip
    writer.insert(connection, schema.EVENT.table, schema.EVENT.columns, rows)


_STATE_OF = {
    NoticeKind.EXPIRED: State.EXPIRED,
    NoticeKind.SUSPENDED: State.SUSPENDED,
    NoticeKind.CANCELED: State.CANCELED,
}


class Checker:
    """Whether notices still say the truth (W4)."""

    def __init__(self, ctx: Context, connection: Connection, page: Sequence[Waiting]) -> None:
        self._ctx = ctx
        self._open_quotes = _still(connection, "quote", "state = 'open'", page)
        self._owed = _still(connection, "invoice", "state = 'open'", page)
        self._void = _still(connection, "invoice", "state NOT IN ('open', 'paid')", page)
        self._rules: dict[NoticeKind, Callable[[Waiting, Subscription], bool]] = {
            NoticeKind.WINDOW_OPENED: lambda w, s: s.state is State.RENEWABLE and not s.auto_renew and _same_term(w, s),
            NoticeKind.RENEWAL_REMINDER: self._reminder,
            NoticeKind.QUOTE: lambda w, s: _subject(w) in self._open_quotes,
            NoticeKind.INVOICE_OVERDUE: lambda w, s: _subject(w) in self._owed,
            NoticeKind.INVOICE: lambda w, s: _subject(w) not in self._void,
            NoticeKind.PAYMENT_FAILED: lambda w, s: s.declined or _has_declined_part(s),
            NoticeKind.REINSTATED: lambda w, s: s.state not in LAPSED and s.state is not State.CANCELED,
        }

    def why_untrue(self, waiting: Waiting, sub: Subscription) -> str | None:
        """The reason for dropping a notice, or None while it is true."""
        state = _STATE_OF.get(waiting.kind)
        if state is not None:
            return None if sub.state is state else f"it is {sub.state} by now"
        rule = self._rules.get(waiting.kind)
        return None if rule is None or rule(waiting, sub) else "no longer true"

    def _reminder(self, waiting: Waiting, sub: Subscription) -> bool:
        """Ahead of E, for the running term, and the latest: one that waited until the next was due is dropped (W3)."""
        today = self._ctx.today(sub.zone)
        is_ahead = today < sub.ends_on or today == waiting.due_on
        is_latest = not any(waiting.due_on < on <= today for on in reminder_days(sub, self._ctx.policy))
        is_due = sub.scheduled is None and _same_term(waiting, sub) and sub.state is not State.CANCELED
        return is_ahead and is_latest and is_due


def _same_term(waiting: Waiting, sub: Subscription) -> bool:
    return waiting.term_number == sub.term_number


def _has_declined_part(sub: Subscription) -> bool:
    return any(part.tried_on is not None for part in sub.installments)


def _subject(waiting: Waiting) -> int:
    """The id of the document a notice is about: `quote:12` → 12."""
    return int(waiting.cause.partition(":")[2])


def _still(connection: Connection, table: str, condition: str, page: Sequence[Waiting]) -> set[int]:
    """Which documents of a page's notices are in a state."""
    ids = {_subject(w) for w in page if w.cause.startswith(f"{table}:")}
    if not ids:
        return set()
    rows = sweeps.execute(connection, f"SELECT id FROM {table} WHERE {condition} AND id IN {{ids}}", ids)
    return {row[0] for row in rows}
