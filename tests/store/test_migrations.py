"""The schema of a live book: made, taken back, compared with the code's, and safe when two start at once."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.config import main as alembic
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import DatabaseError

from app.store import migrate
from app.store.create import create_all
from app.store.engine import open_engine, reading, writing
from app.store.migrate import DatabaseMismatch
from tests import factories
from tests.store.schemas import schema_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def empty(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def in_memory() -> Iterator[Engine]:
    engine = open_engine("sqlite://")
    yield engine
    engine.dispose()


# ---------------------------------------------------------------- there and back


def test_up_down_and_up_again(empty: Engine) -> None:
    assert migrate.current(empty) is None
    migrate.upgrade(empty)
    assert migrate.current(empty) == migrate.head()
    assert migrate.differences(empty) == []
    made = schema_of(empty)

    migrate.downgrade(empty, "base")
    assert migrate.current(empty) is None
    assert schema_of(empty) == {}

    migrate.upgrade(empty)
    assert schema_of(empty) == made


def test_migrations_make_what_the_code_says(empty: Engine) -> None:
    """To the letter, partial indexes, checks and triggers included: Alembic's own comparison leaves those out."""
    migrate.upgrade(empty)
    of_migrations = schema_of(empty)
    migrate.downgrade(empty, "base")
    create_all(empty)
    of_code = schema_of(empty)
    assert of_migrations.keys() == of_code.keys()
    assert {name: of_migrations[name] for name in of_code} == of_code


def test_no_column_has_a_default_of_the_server(engine: Engine) -> None:
    """Instants are always passed (rule 3 of the house); only an id counts by itself."""
    with reading(engine) as connection:
        found = inspect(connection)
        defaults = [
            (table, column["name"])
            for table in found.get_table_names()
            for column in found.get_columns(table)
            if column["default"] is not None and "nextval" not in str(column["default"])
        ]
    assert defaults == []


def test_differences_are_seen(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("ALTER TABLE zone ADD COLUMN mood VARCHAR"))
        connection.execute(text("DROP INDEX ix_subscription_due"))
    assert sorted(change[0] for change in migrate.differences(engine)) == ["add_index", "remove_column"]


def test_data_survive_an_upgrade_that_has_nothing_to_do(engine: Engine) -> None:
    ctx = factories.make_context(engine)
    factories.buy(ctx, "S1")
    migrate.upgrade(engine)
    assert factories.load(ctx, "S1").seats == 2


def test_in_memory_too(in_memory: Engine) -> None:
    migrate.upgrade(in_memory)
    assert migrate.differences(in_memory) == []
    migrate.downgrade(in_memory, "base")
    assert migrate.current(in_memory) is None


def test_an_upgrade_without_work_does_not_load_alembic(sqlite_book_url: str) -> None:
    code = (
        "import sys; from app.store.engine import open_engine; from app.store.migrate import upgrade\n"
        f"upgrade(open_engine({sqlite_book_url!r}))\n"
        "assert not [name for name in sys.modules if name.partition('.')[0] == 'alembic']"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_nothing_is_told(empty: Engine, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.INFO)
    migrate.upgrade(empty)
    migrate.differences(empty)
    assert caplog.records == []
    assert capsys.readouterr() == ("", "")


def test_foreign_keys_hold_after_an_upgrade(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    migrate.upgrade(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
    engine.dispose()


def test_a_failing_migration_leaves_nothing(empty: Engine) -> None:
    with pytest.raises(DatabaseError, match="no_such"), migrate.migrating(empty) as connection:
        connection.execute(text("CREATE TABLE half (id INTEGER)"))
        connection.execute(text("SELECT * FROM no_such_table"))
    assert schema_of(empty) == {}


def test_a_migration_that_breaks_a_reference_is_refused(sqlite_book_url: str) -> None:
    engine = open_engine(sqlite_book_url)
    factories.customer(factories.make_context(engine), payers=("payer@noord.example",))
    with pytest.raises(RuntimeError, match="rows of payer"), migrate.migrating(engine) as connection:
        connection.execute(text("DELETE FROM customer"))
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM customer")).scalar_one() == 1
    engine.dispose()


# ---------------------------------------------------------------- the record


@pytest.mark.parametrize("change", ["UPDATE event SET name = 'other'", "DELETE FROM event"])
def test_the_record_is_append_only(engine: Engine, change: str) -> None:
    factories.buy(factories.make_context(engine), "S1")
    with pytest.raises(DatabaseError, match="append-only"), writing(engine) as connection:
        connection.execute(text(change))
    with reading(engine) as connection:
        assert connection.execute(text("SELECT name FROM event")).scalars().all() == ["purchase"]


# ---------------------------------------------------------------- other people's databases


def test_a_newer_database_is_refused(engine: Engine) -> None:
    _put_version(engine, "9999")
    with pytest.raises(DatabaseMismatch, match=r"schema 9999; .* up to 0001\. Start the newer version"):
        migrate.upgrade(engine)
    assert migrate.current(engine) == "9999"


def test_an_unknown_revision_is_refused(engine: Engine) -> None:
    _put_version(engine, "1b2c3d")
    with pytest.raises(DatabaseMismatch, match="schema 1b2c3d, which no version of Perennial has made"):
        migrate.upgrade(engine)
    with pytest.raises(DatabaseMismatch):
        migrate.downgrade(engine, "base")


def test_a_database_of_somebody_else_is_refused(empty: Engine) -> None:
    with writing(empty) as connection:
        connection.execute(text("CREATE TABLE recipe (id INTEGER)"))
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR)"))
    with pytest.raises(DatabaseMismatch, match=r"no book of Perennial: it holds alembic_version, recipe\."):
        migrate.upgrade(empty)
    with reading(empty) as connection:
        assert sorted(inspect(connection).get_table_names()) == ["alembic_version", "recipe"]


def test_tables_without_a_version_are_refused(empty: Engine) -> None:
    """A simulation's database is no live book."""
    create_all(empty)
    with pytest.raises(DatabaseMismatch, match=r"it holds assignment, .*, …\. Name an empty database"):
        migrate.upgrade(empty)


def _put_version(engine: Engine, revision: str) -> None:
    with writing(engine) as connection:
        connection.execute(text(f"UPDATE {migrate.VERSION_TABLE} SET version_num = :v"), {"v": revision})


# ---------------------------------------------------------------- starting together


def test_two_processes_may_start_at_once(database_url: str) -> None:
    code = (
        "from app.store.engine import open_engine; from app.store.migrate import current, head, upgrade\n"
        f"engine = open_engine({database_url!r})\n"
        "print('ready', flush=True); input()\n"
        "upgrade(engine)\n"
        "print(current(engine) == head())"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    started = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, **pipes) for _ in range(2)]
    for process in started:
        assert process.stdout.readline() == "ready\n"
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60) for process in started] == [("True\n", "")] * 2


def test_a_second_start_waits_for_the_first(postgres_url: str) -> None:
    first, second = open_engine(postgres_url), create_engine(postgres_url)
    with migrate.migrating(first), second.connect() as connection:
        connection.execute(text("SET lock_timeout = '50ms'"))
        with pytest.raises(DatabaseError, match="lock timeout"):
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": migrate._LOCK})
    first.dispose()
    second.dispose()


# ---------------------------------------------------------------- at the command line


def test_the_ini_file_leads_to_the_same_migrations() -> None:
    scripts = ScriptDirectory.from_config(Config(ROOT / "alembic.ini"))
    assert Path(scripts.dir) == migrate.FOLDER
    assert scripts.get_heads() == [migrate.head()]
    assert sorted(script.revision for script in scripts.walk_revisions()) == sorted(migrate._revisions())


def test_alembic_by_hand(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERENNIAL_DATABASE__URL", sqlite_url)
    monkeypatch.chdir(tmp_path)
    for arguments in (["upgrade", "head"], ["check"], ["downgrade", "base"]):
        alembic(["-c", str(ROOT / "alembic.ini"), *arguments])
    engine = open_engine(sqlite_url)
    assert schema_of(engine) == {}
    engine.dispose()
