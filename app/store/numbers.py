"""Series of numbers: ids of rows that refer to each other, and the numbers people read."""

from __future__ import annotations

from sqlalchemy import Connection, text

_TAKE = text(
    "INSERT INTO counter (name, value) VALUES (:name, :count) "
    "ON CONFLICT (name) DO UPDATE SET value = counter.value + :count RETURNING value"
)


def take(connection: Connection, series: str, count: int) -> int:
    """Reserve `count` numbers of a series in this transaction and answer the first.

    Rolled back with the transaction, so a series whose every number is used has no gap.
    """
    last = connection.execute(_TAKE, {"name": series, "count": count}).scalar_one()
    return int(last) - count + 1


class Block:
    """Ids taken from a series a block at a time; what is left of a block is never used."""

    def __init__(self, connection: Connection, size: int) -> None:
        self._connection = connection
        self._size = size
        self._ranges: dict[str, tuple[int, int]] = {}

    def next(self, series: str) -> int:
        first, end = self._ranges.get(series, (0, 0))
        if first == end:
            first = take(self._connection, series, self._size)
            end = first + self._size
        self._ranges[series] = (first + 1, end)
        return first
