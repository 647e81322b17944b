"""What a database says its schema is, so that two can be compared to the letter."""

import re
from typing import Any

from sqlalchemy import Connection, Engine, text

from app.store.engine import is_sqlite, reading
from app.store.migrate import VERSION_TABLE

_POSTGRES = {
    "columns": "SELECT table_name, column_name, ordinal_position, data_type, is_nullable, column_default "
    "FROM information_schema.columns WHERE table_schema = current_schema()",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = current_schema()::regnamespace AND contype <> 'n'",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()",
    "triggers": "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "functions": "SELECT proname, proname, pg_get_functiondef(oid) FROM pg_proc "
    "WHERE pronamespace = current_schema()::regnamespace",
}


def schema_of(engine: Engine) -> dict[str, Any]:
    """Every table, column, constraint, index and trigger, without the table of the schema's own version."""
    with reading(engine) as connection:
        found = _of_sqlite(connection) if is_sqlite(connection) else _of_postgres(connection)
    return {name: what for name, what in found.items() if VERSION_TABLE not in name}


def _of_sqlite(connection: Connection) -> dict[str, Any]:
    """The statements themselves: constraints in any order."""
    rows = connection.execute(text("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    return {f"{type_} {name}": sorted(re.split(r",\s*\n\s*", re.sub(r"[ \t]+", " ", sql))) for type_, name, sql in rows}


def _of_postgres(connection: Connection) -> dict[str, Any]:
    return {
        f"{kind} {row[0]} {row[1]}": tuple(row[2:])
        for kind, query in _POSTGRES.items()
        for row in connection.execute(text(query))
    }
