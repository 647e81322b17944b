"""Bulk writes: rows of a page go to the database in as few statements as their values allow.

Rows whose values are the same but for one column become one statement; the rest goes through the
driver's own bulk path (`executemany` on SQLite, COPY and `unnest` on PostgreSQL).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Boolean, Connection, Date, DateTime, String, Table
from sqlalchemy.types import TypeDecorator, TypeEngine

Row = tuple[Any, ...]
_GROUP_AT_LEAST = 8
"""Mean size of a group from which one statement a group beats one a row."""


def _instant_text(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _kind(column_type: TypeEngine[Any]) -> TypeEngine[Any]:
    return column_type.impl_instance if isinstance(column_type, TypeDecorator) else column_type


def _sqlite_form(column_type: TypeEngine[Any]) -> Callable[[Any], Any] | None:
    kind = _kind(column_type)
    if isinstance(kind, DateTime):
        return _instant_text
    if isinstance(kind, Date):
        return date.isoformat
    if isinstance(kind, Boolean):
        return int
    return str if isinstance(kind, String) else None


def _postgres_type(column_type: TypeEngine[Any]) -> str:
    kind = _kind(column_type)
    if isinstance(kind, DateTime):
        return "timestamptz"
    if isinstance(kind, Date):
        return "date"
    if isinstance(kind, Boolean):
        return "boolean"
    return "text" if isinstance(kind, String) else "bigint"


@lru_cache(maxsize=256)
def _sqlite_forms(table: Table, columns: tuple[str, ...]) -> tuple[Callable[[Any], Any] | None, ...]:
    return tuple(_sqlite_form(table.c[name].type) for name in columns)


def _for_sqlite(table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> list[Row]:
    """Rows as SQLite stores them, a column at a time; a value that repeats is converted once."""
    converted: list[list[Any]] = []
    for form, values in zip(_sqlite_forms(table, columns), zip(*rows, strict=True), strict=True):
        if form is None:
            converted.append(list(values))
            continue
        forms = {value: None if value is None else form(value) for value in set(values)}
        converted.append([forms[value] for value in values])
    return list(zip(*converted, strict=True))


def insert(connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Insert rows in their order."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        _insert_sqlite(connection, table, columns, _for_sqlite(table, columns, rows))
    else:
        _copy_postgres(connection, table, columns, rows)


def _insert_sqlite(connection: Connection, table: Table, columns: tuple[str, ...], rows: list[Row]) -> None:
    names = ", ".join(columns)
    varying = _varying(rows) if len(rows) >= _GROUP_AT_LEAST else []
    if len(varying) == 1:
        place = varying[0]
        values = ", ".join("value" if i == place else "?" for i in range(len(columns)))
        constants = [value for i, value in enumerate(rows[0]) if i != place]
        sql = f"INSERT INTO {table.name} ({names}) SELECT {values} FROM json_each(?) ORDER BY key"
        connection.exec_driver_sql(sql, (*constants, json.dumps([row[place] for row in rows])))
        return
    marks = ", ".join("?" * len(columns))
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)


def _varying(rows: list[Row]) -> list[int]:
    """The places of the columns that are not the same in all rows."""
    return [i for i, values in enumerate(zip(*rows, strict=True)) if any(v != values[0] for v in values)]


def _copy_postgres(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]
) -> None:
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY {table.name} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def update(
    connection: Connection, table: Table, key: str, columns: tuple[str, ...], rows: Sequence[Row]
) -> None:
    """Set columns of the rows named by their key, which is each row's first value."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        _update_sqlite(connection, table, key, columns, _for_sqlite(table, (key, *columns), rows))
    else:
        _update_postgres(connection, table, key, columns, rows)


def _update_sqlite(
    connection: Connection, table: Table, key: str, columns: tuple[str, ...], rows: list[Row]
) -> None:
    sets = ", ".join(f"{name} = ?" for name in columns)
    groups: dict[Row, list[Any]] = defaultdict(list)
    for row in rows:
        groups[row[1:]].append(row[0])
    if len(rows) < _GROUP_AT_LEAST * len(groups):
        sql = f"UPDATE {table.name} SET {sets} WHERE {key} = ?"
        connection.exec_driver_sql(sql, [(*row[1:], row[0]) for row in rows])
        return
    sql = f"UPDATE {table.name} SET {sets} WHERE {key} IN (SELECT value FROM json_each(?))"
    for values, keys in groups.items():
        connection.exec_driver_sql(sql, (*values, json.dumps(keys)))


def _update_postgres(
    connection: Connection, table: Table, key: str, columns: tuple[str, ...], rows: Sequence[Row]
) -> None:
    names = (key, *columns)
    arrays = ", ".join(f"%s::{_postgres_type(table.c[name].type)}[]" for name in names)
    sets = ", ".join(f"{name} = v.{name}" for name in columns)
    sql = (
        f"UPDATE {table.name} AS t SET {sets} FROM unnest({arrays}) AS v({', '.join(names)}) "
        f"WHERE t.{key} = v.{key}"
    )
    connection.exec_driver_sql(sql, tuple(list(values) for values in zip(*rows, strict=True)))
