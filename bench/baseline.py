"""Set-based SQL that writes the same rows as the engine, with no Python in between: the yardstick."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import Connection, Engine, text

from app.domain.values import Due
from app.store.engine import writing
from bench.books import TODAY

Statements = list[str]

_DUE = (
    "SELECT id FROM subscription WHERE zone_id = 1 AND next_job = {place} AND next_on <= '{today}' "
    "AND next_on IS NOT NULL AND NOT stuck ORDER BY next_on, id LIMIT {limit}"
)
_NOW = "2027-02-28 23:00:00.000000"
_OPEN_WINDOWS: Statements = [
    "INSERT INTO event (subscription_id, kind, name, from_state, to_state, effective_on, recorded_at, cause, rule) "
    "SELECT s.id, 'transition', 'open_window', 'active', 'renewable', '{today}', '{now}', "
    "'job open_windows Europe/Oslo {today} by daemon', 'W1' FROM page JOIN subscription s ON s.id = page.id",
    "INSERT INTO notice (subscription_id, term_number, kind, due_on, cause, recipient, language, state, created_at) "
    "SELECT s.id, s.term_number, 'window_opened', '{today}', '', c.purchaser, c.language, 'pending', '{now}' "
    "FROM page JOIN subscription s ON s.id = page.id JOIN customer c ON c.id = s.customer_id",
    "UPDATE subscription SET state = 'renewable', next_job = 10, next_on = '{quote_on}', version = version + 1 "
    "WHERE id IN (SELECT id FROM page)",
]
_RENEW: Statements = [
    "INSERT INTO charge (id, key, customer_id, csn, subscription_id, term_number, part, purpose, charged_on, as_of, "
    "amount_minor, currency, method, state, created_at) SELECT s.id, s.ref || '/renewal/' || s.id, c.id, c.csn, s.id, "
    "2, 0, 'renewal', '{today}', '{now}', 146000, 'EUR', 'card', 'pending', '{now}' "
    "FROM page JOIN subscription s ON s.id = page.id JOIN customer c ON c.id = s.customer_id",
    "UPDATE charge SET state = 'succeeded', settled_at = '{now}' WHERE id IN (SELECT id FROM page)",
    "INSERT INTO invoice (id, number, customer_id, currency, issued_on, due_on, subtotal_minor, discount_minor, "
    "tax_minor, total_minor, paid_minor, state, issued_at) SELECT s.id, '2027-' || s.id, s.customer_id, 'EUR', "
    "'{today}', '{today}', 146000, 0, 0, 146000, 146000, 'paid', '{now}' "
    "FROM page JOIN subscription s ON s.id = page.id",
    "INSERT INTO invoice_line (invoice_id, position, subscription_id, term_number, part, kind, offering, term, seats, "
    "subtotal_minor, discount_minor, tax_minor, total_minor, counts_from, is_open, overdue_told) "
    "SELECT s.id, 0, s.id, 2, 0, 'term', s.offering, 'annual', 2, 146000, 0, 0, 146000, '{today}', {no}, {no} "
    "FROM page JOIN subscription s ON s.id = page.id",
    "INSERT INTO term (subscription_id, number, term, starts_on, ends_on, anchor_day, seats, offering, bought_on, "
    "undone) SELECT s.id, 2, 'annual', '{today}', '{end}', s.anchor_day, s.seats, s.offering, '{today}', {no} "
    "FROM page JOIN subscription s ON s.id = page.id",
    "INSERT INTO event (subscription_id, kind, name, from_state, to_state, effective_on, recorded_at, cause, rule) "
    "SELECT s.id, 'transition', 'renew', 'renewable', 'active', '{today}', '{now}', "
    "'job renew Europe/Oslo {today} by daemon', 'A2' FROM page JOIN subscription s ON s.id = page.id",
    "INSERT INTO notice (subscription_id, term_number, kind, due_on, cause, recipient, language, state, created_at) "
    "SELECT s.id, 2, 'renewed', '{today}', 'charge:' || s.id, c.purchaser, c.language, 'pending', '{now}' "
    "FROM page JOIN subscription s ON s.id = page.id JOIN customer c ON c.id = s.customer_id",
    "UPDATE subscription SET state = 'active', term_number = 2, last_number = 2, starts_on = '{today}', "
    "ends_on = '{end}', regime_on = '{today}', next_job = 9, next_on = '{opens}', version = version + 1 "
    "WHERE id IN (SELECT id FROM page)",
]
STATEMENTS = {Due.OPEN_WINDOW: (9, _OPEN_WINDOWS), Due.RENEW: (4, _RENEW)}


def _filled(sql: str, is_sqlite: bool, **more: object) -> str:
    end = TODAY.replace(year=TODAY.year + 1) - timedelta(days=1)
    return sql.format(
        today=TODAY,
        now=_NOW if is_sqlite else f"{_NOW}+00",
        no="0" if is_sqlite else "false",
        end=end,
        opens=end - timedelta(days=90),
        quote_on=TODAY + timedelta(days=60),
        **more,
    )


def run(engine: Engine, what: Due, page_size: int) -> int:
    """Do the day's work page by page, each page a transaction; answers how many rows were due."""
    done = 0
    while True:
        with writing(engine) as connection:
            found = page(connection, what, page_size)
        done += found
        if found < page_size:
            return done


def page(connection: Connection, what: Due, limit: int) -> int:
    """One page: its ids into a temporary table, then one statement a table."""
    place, statements = STATEMENTS[what]
    is_sqlite = connection.dialect.name == "sqlite"
    run: Callable[[str], object] = lambda sql: connection.execute(text(sql))  # noqa: E731
    run("DROP TABLE IF EXISTS page")
    run(f"CREATE TEMPORARY TABLE page AS {_filled(_DUE, is_sqlite, place=place, limit=limit)}")
    for statement in statements:
        run(_filled(statement, is_sqlite))
    return int(connection.execute(text("SELECT count(*) FROM page")).scalar_one())
