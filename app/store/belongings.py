"""What belongs to some customers: their rows in every table, found through the indexes there are.

Driven by the foreign keys, so a new table is included as it is declared: from the customers down to whatever
refers to them, then up again to whatever those rows refer to.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column, Table, UniqueConstraint
from sqlmodel import SQLModel

from app.store import db
from app.store.raw_rows import Source, dangling, store, values_of

_BY_VALUE = {
    "provider_switch": (db.provider_switch.c.csn, "SELECT csn FROM customer"),
    "provider_charge": (db.provider_charge.c.key, "SELECT key FROM charge WHERE state = 'pending'"),
}
"""The provider's own books refer to nothing: the column, and the values asked for. Only a charge without an
outcome is ever asked about again."""
_LEFT_OUT = frozenset({"job_run"})
"""History of the whole book, which nothing reads to decide anything."""


class _Way(NamedTuple):
    """From rows of a table to the rows of another that refer to them."""

    column: Column[Any]
    parent: Column[Any]
    condition: str | None


def copy(source: Source, target: sqlite3.Connection, customer_ids: Sequence[int]) -> None:
    """Copy customers with all that is theirs, and the tables that all share (zones, counters)."""
    owned = _owned()
    for page in source.where(db.customer, "id", list(customer_ids), None):
        store(target, db.customer, page)
    _down(source, target, owned)
    while _up(source, target, owned):
        _down(source, target, owned)
    for table in SQLModel.metadata.sorted_tables:
        if table not in owned and table.name not in _LEFT_OUT:
            _copy_shared(source, target, table)


def _owned() -> list[Table]:
    """The tables whose rows are somebody's, parents first: those that lead to customers by foreign keys."""
    owned = [db.customer]
    for table in SQLModel.metadata.sorted_tables:
        if any(key.column.table in owned for key in table.foreign_keys):
            owned.append(table)
    return owned


def _copy_shared(source: Source, target: sqlite3.Connection, table: Table) -> None:
    if table.name in _BY_VALUE:
        column, sql = _BY_VALUE[table.name]
        values = [row[0] for row in target.execute(sql)]
        pages = source.where(table, column.name, values, None)
    else:
        pages = source.whole(table)
    for page in pages:
        store(target, table, page)


def _down(source: Source, target: sqlite3.Connection, owned: list[Table]) -> None:
    for table in owned:
        for way in _ways(table, owned):
            for values in values_of(target, way.parent.table, way.parent.name):
                for page in source.where(table, way.column.name, values, way.condition):
                    store(target, table, page)


def _up(source: Source, target: sqlite3.Connection, owned: list[Table]) -> int:
    """Fetch rows that copied rows refer to; says how many were missing."""
    added = 0
    for table in reversed(owned):
        for key in table.foreign_keys:
            parent = key.column.table
            if parent in owned and (values := dangling(target, key.parent, key.column)):
                for page in source.where(parent, key.column.name, values, None):
                    added += store(target, parent, page)
    return added


def _ways(table: Table, owned: list[Table]) -> list[_Way]:
    """By the columns that an index begins with; by every one where no index helps.

    A partial index leads to the rows under its condition, which are those that anybody looks for.
    """
    keys = [key for key in table.foreign_keys if key.column.table in owned]
    led = _led(table)
    ways = [_Way(key.parent, key.column, led[key.parent.name]) for key in keys if key.parent.name in led]
    return ways or [_Way(key.parent, key.column, None) for key in keys]


def _led(table: Table) -> dict[str, str | None]:
    """The columns with which an index begins, and the condition under which a partial one serves."""
    led: dict[str, str | None] = {}
    for index in table.indexes:
        where = index.dialect_options["sqlite"]["where"]
        name = str(next(iter(index.columns)).name)
        led[name] = None if where is None or led.get(name, "") is None else str(where)
    for constraint in (table.primary_key, *table.constraints):
        if constraint is table.primary_key or isinstance(constraint, UniqueConstraint):
            columns = list(constraint.columns)
            if columns:
                led[str(columns[0].name)] = None
    return led
