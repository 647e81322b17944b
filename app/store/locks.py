"""One runner at a time for each zone, and one for the outbox, among all processes on one database (J6)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text

_CLASS = 0x5045
"""First half of the advisory lock's key, so that it is not mistaken for somebody else's."""
_OUTBOX = 0
"""Second half of the outbox's key: no zone has this id."""


@contextmanager
def zone_lock(engine: Engine, zone_id: int) -> Iterator[bool]:
    """Hold a zone; yields False where another process holds it. A killed process holds nothing.

    SQLite writes one at a time anyway, so one lock file beside the book serves all zones.
    """
    with _lock(engine, zone_id, "jobs") as held:
        yield held


@contextmanager
def outbox_lock(engine: Engine) -> Iterator[bool]:
    """Hold the outbox, so that no mail is handed over twice; yields False where another process holds it."""
    with _lock(engine, _OUTBOX, "outbox") as held:
        yield held


@contextmanager
def _lock(engine: Engine, number: int, file_name: str) -> Iterator[bool]:
    if engine.dialect.name == "sqlite":
        with _file_lock(engine.url.database, file_name) as held:
            yield held
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        key = {"a": _CLASS, "b": number}
        held = bool(connection.execute(text("SELECT pg_try_advisory_lock(:a, :b)"), key).scalar_one())
        try:
            yield held
        finally:
            if held:
                connection.execute(text("SELECT pg_advisory_unlock(:a, :b)"), key)


@contextmanager
def _file_lock(path: str | None, name: str) -> Iterator[bool]:
    """A lock file beside the book; a book in memory has one process only."""
    if path in (None, "", ":memory:"):
        yield True
        return
    import fcntl

    with Path(f"{path}-{name}.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
