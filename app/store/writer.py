"""Bulk writes: rows of a page go to the database in as few statements as their values allow.

What is the same in all rows is bound once; what varies is unfolded by the database from one parameter (JSON
on SQLite, COPY and `unnest` on PostgreSQL).
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


class Columns:
    """Rows turned into columns: those in which all rows are the same are told from those that vary."""

    def __init__(self, rows: Sequence[Row], forms: Sequence[Callable[[Any], Any] | None]) -> None:
        self.values: list[Sequence[Any]] = []
        self.varying: list[int] = []
        for place, (form, values) in enumerate(zip(forms, zip(*rows, strict=True), strict=True)):
            distinct = set(values)
            if len(distinct) > 1:
                self.varying.append(place)
            if form is not None:
                # A value that repeats is converted once.
                stored = {value: None if value is None else form(value) for value in distinct}
                self.values.append([stored[value] for value in values])
            else:
                self.values.append(values)

    def unfolded(self) -> tuple[list[str], str]:
        """For SQLite: an expression for each column, and the varying values as the JSON they unfold."""
        if len(self.varying) == 1:
            only = self.varying[0]
            expressions = ["j.value" if i == only else "?" for i in range(len(self.values))]
            return expressions, json.dumps(self.values[only])
        expressions = ["?"] * len(self.values)
        for position, place in enumerate(self.varying):
            expressions[place] = f"json_extract(j.value, '$[{position}]')"
        if not self.varying:
            return expressions, json.dumps([0] * len(self.values[0]))
        return expressions, json.dumps(list(zip(*[self.values[place] for place in self.varying], strict=True)))


def insert(connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Insert rows in their order."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        _insert_sqlite(connection, table, columns, Columns(rows, _sqlite_forms(table, columns)))
    else:
        _copy_postgres(connection, table, columns, rows)


def _insert_sqlite(connection: Connection, table: Table, columns: tuple[str, ...], rows: Columns) -> None:
    """One statement unfolds the values that vary; the others are bound once.

    Half the time of the driver's own bulk path, which binds every value of every row.
    """
    values, varying = rows.unfolded()
    constants = [column[0] for i, column in enumerate(rows.values) if i not in rows.varying]
    unfold = f"SELECT {', '.join(values)} FROM json_each(?) AS j ORDER BY j.key"
    sql = f"INSERT INTO {table.name} ({', '.join(columns)}) {unfold}"
    connection.exec_driver_sql(sql, (*constants, varying))


def _copy_postgres(connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY {table.name} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def update(connection: Connection, table: Table, key: str, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Set columns of the rows named by their key, which is each row's first value."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        forms = _sqlite_forms(table, (key, *columns))
        _update_sqlite(connection, table, key, columns, Columns(rows, forms))
    else:
        _update_postgres(connection, table, key, columns, rows)


def _update_sqlite(connection: Connection, table: Table, key: str, columns: tuple[str, ...], rows: Columns) -> None:
    values, varying = rows.unfolded()
    constants = [column[0] for i, column in enumerate(rows.values) if i not in rows.varying]
    if values[0] == "?":  # one row, or one key for all rows: the last value wins, as row by row
        sets = ", ".join(f"{name} = ?" for name in columns)
        sql = f"UPDATE {table.name} SET {sets} WHERE {key} = ?"
        connection.exec_driver_sql(sql, tuple(column[-1] for column in (*rows.values[1:], rows.values[0])))
        return
    sets = ", ".join(f"{name} = {value}" for name, value in zip(columns, values[1:], strict=True))
    sql = f"UPDATE {table.name} SET {sets} FROM json_each(?) AS j WHERE {table.name}.{key} = {values[0]}"
    connection.exec_driver_sql(sql, (*constants, varying))


def _update_postgres(
    connection: Connection, table: Table, key: str, columns: tuple[str, ...], rows: Sequence[Row]
) -> None:
    names = (key, *columns)
    arrays = ", ".join(f"%s::{_postgres_type(table.c[name].type)}[]" for name in names)
    sets = ", ".join(f"{name} = v.{name}" for name in columns)
    sql = f"UPDATE {table.name} AS t SET {sets} FROM unnest({arrays}) AS v({', '.join(names)}) WHERE t.{key} = v.{key}"
    connection.exec_driver_sql(sql, tuple(list(values) for values in zip(*rows, strict=True)))


Move = tuple[dict[str, Any], list[int]]
"""Columns with their new values, and the ids of the rows that get them."""


def move(connection: Connection, table: Table, moves: Sequence[Move]) -> None:
    """Change rows by groups that are moved alike, and count up their version.

    One statement a group; where the groups are small, those that change the same columns go together.
    """
    small: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for values, ids in moves:
        if len(ids) >= _GROUP_AT_LEAST:
            _move_group(connection, table, values, ids)
        else:
            small[tuple(values)].extend((id_, *values.values()) for id_ in ids)
    for columns, rows in small.items():
        if columns:
            update(connection, table, "id", columns, rows)
        _count_up(connection, table, [row[0] for row in rows])


def _move_group(connection: Connection, table: Table, values: dict[str, Any], ids: list[int]) -> None:
    if connection.dialect.name == "sqlite":
        forms = _sqlite_forms(table, tuple(values))
        stored = [v if f is None or v is None else f(v) for f, v in zip(forms, values.values(), strict=True)]
        sets = "".join(f"{name} = ?, " for name in values)
        sql = f"UPDATE {table.name} SET {sets}version = version + 1 WHERE id IN (SELECT value FROM json_each(?))"
        connection.exec_driver_sql(sql, (*stored, json.dumps(ids)))
        return
    sets = "".join(f"{name} = %s, " for name in values)
    sql = f"UPDATE {table.name} SET {sets}version = version + 1 WHERE id = ANY(%s)"
    connection.exec_driver_sql(sql, (*values.values(), ids))


def _count_up(connection: Connection, table: Table, ids: list[int]) -> None:
    _move_group(connection, table, {}, ids)
