"""One runner at a time for each zone, among all processes on one database (J6)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text

_CLASS = 0x5045
"""First half of the advisory lock's key, so that it is not mistaken for somebody else's."""


@contextmanager
def zone_lock(engine: Engine, zone_id: int) -> Iterator[bool]:
    """Hold a zone; yields False where another process holds it. A killed process holds nothing."""
    if engine.dialect.name == "sqlite":
        with _file_lock(engine.url.database) as held:
            yield held
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        key = {"a": _CLASS, "b": zone_id}
        held = bool(connection.execute(text("SELECT pg_try_advisory_lock(:a, :b)"), key).scalar_one())
        try:
            yield held
        finally:
            if held:
                connection.execute(text("SELECT pg_advisory_unlock(:a, :b)"), key)


@contextmanager
def _file_lock(path: str | None) -> Iterator[bool]:
    """SQLite writes one at a time anyway, so one lock file beside the book serves all zones."""
    if path in (None, "", ":memory:"):
        yield True
        return
    import fcntl

    with Path(f"{path}-jobs.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
