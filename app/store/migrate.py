"""Brings the schema of a live book up to date (Alembic), also when two processes start at the same time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, inspect, text
from sqlmodel import SQLModel

import app.store.tables  # noqa: F401  (fills the metadata)
from app.store.engine import is_sqlite, reading

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).parent / "migrations"
VERSION_TABLE = "perennial_schema"
"""Its name says whose database it is, which Alembic's usual one would not."""
OPTIONS: dict[str, Any] = {
    "target_metadata": SQLModel.metadata,
    "version_table": VERSION_TABLE,
    "render_as_batch": True,
    "compare_type": True,
    "compare_server_default": True,
    "transactional_ddl": True,
}
"""How Alembic is used here, in the program and at the command line."""
_LOCK = 0x506572656E6E6961
"""Key of PostgreSQL's advisory lock: the eight letters Perennia."""


class DatabaseMismatch(Exception):
    """The database is not one that this program can work with. The message says what to do."""


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring an empty or older database to a revision. Raises `DatabaseMismatch` for one that is not ours."""
    wanted = head() if revision == "head" else revision
    if current(engine) == wanted:
        return
    with migrating(engine) as connection:
        if _judged(connection) != wanted:  # another process may have been quicker
            from alembic import command

            command.upgrade(_config(connection), wanted)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the schema back to a revision, or to `base`: nothing at all. What no longer fits is lost."""
    with migrating(engine) as connection:
        if _judged(connection) is not None:
            from alembic import command

            command.downgrade(_config(connection), revision)


def current(engine: Engine) -> str | None:
    """The revision that a database says it is at; None for one without a schema of ours."""
    with reading(engine) as connection:
        return next(iter(_stored(connection)), None) if _is_versioned(connection) else None


@cache
def head() -> str:
    """The newest revision, by the names of the files."""
    return max(_revisions())


def differences(engine: Engine) -> list[Any]:
    """What would have to change for the database to have the tables of the code; Alembic's own form."""
    _hush()
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts=OPTIONS)
        return list(compare_metadata(context, SQLModel.metadata))


@contextmanager
def migrating(engine: Engine) -> Iterator[Connection]:
    """One transaction for all that changes in the schema, one process at a time.

    SQLite rebuilds a table to change it, which its foreign keys would not survive: they are off meanwhile
    and checked before the transaction stands.
    """
    with engine.connect() as connection, _without_foreign_keys(connection), connection.begin():
        if not is_sqlite(connection):
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        yield connection
        _check_foreign_keys(connection)


@contextmanager
def _without_foreign_keys(connection: Connection) -> Iterator[None]:
    if not is_sqlite(connection):
        yield
        return
    driver: Any = connection.connection.driver_connection  # the pragma has no effect inside a transaction
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def _check_foreign_keys(connection: Connection) -> None:
    if is_sqlite(connection):
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise RuntimeError(f"the migration would leave rows of {broken[0]} that refer to nothing in {broken[2]}")


def _judged(connection: Connection) -> str | None:
    """The database's revision, None for an empty one. Raises `DatabaseMismatch`."""
    if _is_versioned(connection):
        stored = _stored(connection)
        if not stored or (len(stored) == 1 and stored[0] in _revisions()):
            return next(iter(stored), None)
        raise DatabaseMismatch(_why_unknown(stored))
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    shown = ", ".join(sorted(tables)[:5]) + (", …" if len(tables) > 5 else "")
    raise DatabaseMismatch(
        f"The database is not empty, and it is no book of Perennial: it holds {shown}. "
        "Name an empty database, or the right one, in database.url."
    )


def _why_unknown(stored: list[str]) -> str:
    revision = ", ".join(stored)
    if revision.isdigit() and int(revision) > int(head()):
        return (
            f"The database has schema {revision}; this version of Perennial knows schemas up to {head()}. "
            "Start the newer version, or restore the backup made before it was first started."
        )
    return (
        f"The database has schema {revision}, which no version of Perennial has made. "
        "Restore a backup, or name another database in database.url."
    )


def _is_versioned(connection: Connection) -> bool:
    return inspect(connection).has_table(VERSION_TABLE)


def _stored(connection: Connection) -> list[str]:
    return list(connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalars())


@cache
def _revisions() -> frozenset[str]:
    return frozenset(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def _config(connection: Connection) -> Config:
    _hush()
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _hush() -> None:
    """Alembic tells each step it takes."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
