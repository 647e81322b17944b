"""Rows of either database in the form in which SQLite keeps them, read and written a page at a time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from sqlalchemy import Boolean, Column, Connection, Date, DateTime, Table
from sqlalchemy.types import TypeDecorator

PAGE = 5000
"""Rows held in memory at once."""
Row = tuple[Any, ...]


class Source(Protocol):
    """Where rows are read from, inside one transaction of its own."""

    def whole(self, table: Table) -> Iterator[list[Row]]:
        """All rows of a table, in pages."""
        ...

    def where(self, table: Table, column: str, values: Sequence[Any], condition: str | None) -> Iterator[list[Row]]:
        """The rows with one of these values in a column, for which a condition holds too, in pages."""
        ...


def source_of(connection: Connection) -> Source:
    """A reader in the transaction of a connection."""
    return _Sqlite(connection) if connection.dialect.name == "sqlite" else _Postgres(connection)


class _Sqlite:
    """The rows as they are."""

    def __init__(self, connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        self._driver = driver

    def whole(self, table: Table) -> Iterator[list[Row]]:
        return _pages(self._driver.execute(f"SELECT {_names(table)} FROM {_quoted(table.name)}"))

    def where(self, table: Table, column: str, values: Sequence[Any], condition: str | None) -> Iterator[list[Row]]:
        sql = (
            f"SELECT {_names(table)} FROM {_quoted(table.name)} "
            f"WHERE {_quoted(column)} IN (SELECT value FROM json_each(?)){_and(condition)}"
        )
        return _pages(self._driver.execute(sql, (json.dumps(values),)))


class _Postgres:
    """Days and instants become text, booleans 0 and 1, in the server, which also keeps what is not read yet."""

    def __init__(self, connection: Connection) -> None:
        connection.exec_driver_sql("SET LOCAL datestyle = 'ISO'")
        self._driver: Any = connection.connection.driver_connection

    def whole(self, table: Table) -> Iterator[list[Row]]:
        with self._driver.cursor("book") as cursor:
            cursor.execute(f"SELECT {_as_sqlite(table)} FROM {_quoted(table.name)}")
            yield from _pages(cursor)

    def where(self, table: Table, column: str, values: Sequence[Any], condition: str | None) -> Iterator[list[Row]]:
        sql = (
            f"SELECT {_as_sqlite(table)} FROM {_quoted(table.name)} WHERE {_quoted(column)} = ANY(%s){_and(condition)}"
        )
        with self._driver.cursor() as cursor:
            cursor.execute(sql, (list(values),))
            yield from _pages(cursor)


def _pages(cursor: Any) -> Iterator[list[Row]]:
    while page := cursor.fetchmany(PAGE):
        yield page


def _and(condition: str | None) -> str:
    return f" AND ({condition})" if condition else ""


def _quoted(name: str) -> str:
    return f'"{name}"'


def _names(table: Table) -> str:
    return ", ".join(_quoted(column.name) for column in table.columns)


def _as_sqlite(table: Table) -> str:
    return ", ".join(_expression(column) for column in table.columns)


def _expression(column: Column[Any]) -> str:
    kind = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    name = _quoted(column.name)
    if isinstance(kind, DateTime):
        return f"to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
    if isinstance(kind, Date):
        return f"{name}::text"
    return f"{name}::int" if isinstance(kind, Boolean) else name


def store(target: sqlite3.Connection, table: Table, rows: Sequence[Row]) -> int:
    """Write rows in SQLite's form and say how many are new; one that is there already is passed over."""
    marks = ", ".join("?" * len(table.columns))
    sql = f"INSERT OR IGNORE INTO {_quoted(table.name)} ({_names(table)}) VALUES ({marks})"
    return max(0, target.executemany(sql, rows).rowcount)


def values_of(target: sqlite3.Connection, table: Table, column: str) -> Iterator[list[Any]]:
    """The values of a column, in pages."""
    rows = target.execute(f"SELECT {_quoted(column)} FROM {_quoted(table.name)}").fetchall()
    for start in range(0, len(rows), PAGE):
        yield [row[0] for row in rows[start : start + PAGE]]


def dangling(target: sqlite3.Connection, child: Column[Any], parent: Column[Any]) -> list[Any]:
    """The values of a column that name rows which are not there."""
    sql = (
        f"SELECT DISTINCT {_quoted(child.name)} FROM {_quoted(child.table.name)} "
        f"WHERE {_quoted(child.name)} NOT IN (SELECT {_quoted(parent.name)} FROM {_quoted(parent.table.name)})"
    )
    return [row[0] for row in target.execute(sql)]
