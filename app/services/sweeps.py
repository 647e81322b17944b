"""What follows from a page of changes and is done for all of it at once, just before it is written."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from app.domain.values import NoticeKind, QuoteState
from app.store.engine import is_sqlite

if TYPE_CHECKING:
    from app.services.batch import Batch


def run(batch: Batch) -> None:
    """Users, quotes, pending changes and invoice mails of the batch's subscriptions."""
    _unassign(batch)
    _close_quotes(batch)
    _take_pending(batch)
    _mail_payers(batch)
    _trim(batch)  # last: changes take effect in start_terms, after the renewal and its invoice (J1)


def execute(connection: Connection, sql: str, ids: Iterable[Any], *params: Any) -> Any:
    """Run SQL with `{ids}` standing for the list of values and `?` for parameters before it."""
    wanted = list(ids)
    if is_sqlite(connection):
        sql = sql.replace("{ids}", "(SELECT value FROM json_each(?))")
        return connection.exec_driver_sql(sql, (*map(_plain, params), json.dumps(wanted)))
    sql = sql.replace("?", "%s").replace("IN {ids}", "= ANY(%s)")
    return connection.exec_driver_sql(sql, (*params, wanted))


def _plain(value: Any) -> Any:
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") if hasattr(value, "hour") else value


def _unassign(batch: Batch) -> None:
    """An ended subscription has no users (L9, S4)."""
    if batch.unassigned:
        execute(
            batch.connection,
            "UPDATE assignment SET removed_at = ? WHERE removed_at IS NULL AND subscription_id IN {ids}",
            batch.unassigned,
            batch.now,
        )


def _trim(batch: Batch) -> None:
    """With fewer seats than users the most recently assigned go, and are told (P7)."""
    if not batch.trims:
        return
    rows = execute(
        batch.connection,
        "SELECT subscription_id, id, email FROM assignment WHERE removed_at IS NULL "
        "AND subscription_id IN {ids} ORDER BY id",
        [sub.id for sub, _, _ in batch.trims],
    ).fetchall()
    users: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for sub_id, id_, email in rows:
        users[sub_id].append((id_, email))
    removed = []
    for sub, seats, on in batch.trims:
        for id_, email in reversed(users[sub.id][seats:]):
            removed.append(id_)
            batch.notify(sub, NoticeKind.USER_REMOVED, on, to=[email])
            batch.decided(sub, "remove_user", on, "P7", email)
    if removed:
        execute(batch.connection, "UPDATE assignment SET removed_at = ? WHERE id IN {ids}", removed, batch.now)


def _close_quotes(batch: Batch) -> None:
    """Open quotes that hold a subscription end with it (L9), or are superseded by its renewal (Q7)."""
    close(batch.connection, QuoteState.PURCHASED, batch.purchased_quotes)
    for state, subs in batch.quote_closings.items():
        rows = execute(
            batch.connection,
            "SELECT DISTINCT quote_id FROM quote_line WHERE is_open AND subscription_id IN {ids}",
            subs,
        )
        close(batch.connection, state, [row[0] for row in rows])


def close(connection: Connection, state: QuoteState, quote_ids: list[int]) -> None:
    """Give open quotes their last state."""
    if quote_ids:
        sql = "UPDATE quote SET state = ? WHERE state = 'open' AND id IN {ids}"
        execute(connection, sql, quote_ids, state.value)
        closed = 0 if is_sqlite(connection) else False
        execute(connection, "UPDATE quote_line SET is_open = ? WHERE quote_id IN {ids}", quote_ids, closed)


def _take_pending(batch: Batch) -> None:
    """A pending change is used up when the next term is bought (T1)."""
    if batch.pending_taken:
        sql = "DELETE FROM pending_change WHERE subscription_id IN {ids}"
        execute(batch.connection, sql, batch.pending_taken)


def _mail_payers(batch: Batch) -> None:
    """Payers get the invoices, paid ones too, and the overdue notices (B4, W4b)."""
    if not batch.payer_mails:
        return
    rows = execute(
        batch.connection,
        "SELECT customer_id, email FROM payer WHERE customer_id IN {ids} ORDER BY customer_id, position",
        {sub.customer_id for _, sub, _, _ in batch.payer_mails},
    )
    payers: dict[int, list[str]] = defaultdict(list)
    for customer_id, email in rows:
        payers[customer_id].append(email)
    for kind, sub, on, invoice in batch.payer_mails:
        batch.notify(sub, kind, on, invoice, payers[sub.customer_id], mail_key=invoice)
