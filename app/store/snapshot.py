"""A copy of the book as it stands at one instant, in SQLite: for simulations and plans, which never touch the book.

The copy is consistent, and whoever writes to the book meanwhile waits for nothing: on SQLite it is the online
backup under one read transaction (WAL), on PostgreSQL one REPEATABLE READ transaction read table by table.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, event, text
from sqlmodel import SQLModel

from app.store import belongings, raw_rows
from app.store.create import create_all
from app.store.engine import open_engine, reading, writing

_BACKUP_PAGES = 4096
"""Pages of a step of SQLite's backup: 16 MB, after which an interrupt is heard."""
_ROOM = 2
"""Room asked for, in copies: the book, and as much again for what simulated days add to it."""


class NoSpace(Exception):
    """There is not enough room for a copy of the book."""

    def __init__(self, folder: Path, needed: int, free: int) -> None:
        super().__init__(
            f"A copy of the book and what is added to it need about {_megabytes(needed)} in {folder}, where "
            f"{_megabytes(free)} are free. Make room there, or name another folder."
        )
        self.folder, self.needed, self.free = folder, needed, free


def _megabytes(size: int) -> str:
    return f"{-(-size // 1_000_000):,} MB"


@contextmanager
def copied(source: Engine, folder: Path | None = None, customer_ids: Sequence[int] | None = None) -> Iterator[Engine]:
    """A copy for as long as it is needed: of some customers in memory, of the whole book in a file.

    The file lies in a new folder under `folder` (the system's for temporary files), removed at the end, on
    errors too. Raises `NoSpace`.
    """
    if customer_ids is not None:
        engine = copy_book(source, None, customer_ids)
        try:
            yield engine
        finally:
            engine.dispose()
        return
    _look_at_space(source, folder or Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix="perennial-copy-", dir=folder) as own:
        engine = copy_book(source, Path(own) / "book.db")
        try:
            yield engine
        finally:
            engine.dispose()


def copy_book(source: Engine, target_path: Path | None, customer_ids: Sequence[int] | None = None) -> Engine:
    """Copy the book, or what belongs to some customers, to a new SQLite file, or into memory without a path.

    Raises `FileExistsError`, and `NoSpace` before anything is written. After an error nothing is left behind.
    """
    if target_path is None:
        return _filled(_open("sqlite://"), source, customer_ids)
    if target_path.exists():
        raise FileExistsError(f"{target_path} exists; a copy is only written to a new file")
    if customer_ids is None:
        _look_at_space(source, target_path.parent)
    try:
        if customer_ids is None and source.dialect.name == "sqlite":
            _back_up(source, target_path)
            return _open(f"sqlite:///{target_path}")
        return _filled(_open(f"sqlite:///{target_path}"), source, customer_ids)
    except BaseException:
        _remove(target_path)
        raise


def _open(url: str) -> Engine:
    """A copy need not survive a power cut."""
    engine = open_engine(url)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    return engine


def _remove(path: Path) -> None:
    for end in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def _look_at_space(source: Engine, folder: Path) -> None:
    needed, free = _ROOM * _size(source), shutil.disk_usage(folder).free
    if needed > free:
        raise NoSpace(folder, needed, free)


_POSTGRES_SIZE = text(
    "SELECT coalesce(sum(pg_total_relation_size(to_regclass(name))), 0) FROM unnest(CAST(:names AS text[])) AS name"
)
"""Of the book's own tables: the database may hold other things too."""


def _size(source: Engine) -> int:
    with reading(source) as connection:
        if connection.dialect.name == "sqlite":
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            return int(pages * connection.exec_driver_sql("PRAGMA page_size").scalar_one())
        names = [table.name for table in SQLModel.metadata.sorted_tables]
        return int(connection.execute(_POSTGRES_SIZE, {"names": names}).scalar_one())


def _back_up(source: Engine, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as target:
        target.execute("PRAGMA journal_mode=OFF")
        target.execute("PRAGMA synchronous=OFF")
        _back_up_into(source, target)


def _back_up_into(source: Engine, target: sqlite3.Connection) -> None:
    """One read transaction around all steps: without it every write of the daemon would start the backup anew."""
    with reading(source) as connection:
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
        _driver(connection).backup(target, pages=_BACKUP_PAGES)


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _filled(engine: Engine, source: Engine, customer_ids: Sequence[int] | None) -> Engine:
    try:
        if customer_ids is not None:
            create_all(engine)
            _load(engine, source, lambda rows, target: belongings.copy(rows, target, customer_ids))
        elif source.dialect.name == "sqlite":
            with engine.connect() as connection:
                _back_up_into(source, _driver(connection))
        else:
            _fill_whole(engine, source)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _fill_whole(engine: Engine, source: Engine) -> None:
    """Indexes are made when the rows are there: half the time of keeping them up row by row."""
    create_all(engine)
    indexes = [index for table in SQLModel.metadata.sorted_tables for index in table.indexes]
    with writing(engine) as connection:
        for index in indexes:
            index.drop(connection)
    _load(engine, source, _copy_all)
    with writing(engine) as connection:
        for index in indexes:
            index.create(connection)


def _copy_all(rows: raw_rows.Source, target: sqlite3.Connection) -> None:
    for table in SQLModel.metadata.sorted_tables:
        for page in rows.whole(table):
            raw_rows.store(target, table, page)


def _load(engine: Engine, source: Engine, fill: Callable[[raw_rows.Source, sqlite3.Connection], None]) -> None:
    """Rows come table by table, from a database that has checked them: nothing is checked again meanwhile."""
    with engine.connect() as connection, _snapshot(source) as rows:
        target = _driver(connection)
        for pragma in ("foreign_keys=OFF", "ignore_check_constraints=ON", "journal_mode=OFF"):
            target.execute(f"PRAGMA {pragma}")
        target.execute("BEGIN")
        try:
            fill(rows, target)
        finally:
            target.execute("COMMIT")
        for pragma in ("journal_mode=WAL", "ignore_check_constraints=OFF", "foreign_keys=ON"):
            target.execute(f"PRAGMA {pragma}")


@contextmanager
def _snapshot(source: Engine) -> Iterator[raw_rows.Source]:
    """Read the source as it stands at one instant."""
    if source.dialect.name == "postgresql":
        source = source.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with reading(source) as connection:
        yield raw_rows.source_of(connection)
