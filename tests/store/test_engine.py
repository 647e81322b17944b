"""Connections and transactions: what is written stands whole or not at all, and no update is lost."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from app.store import db, numbers
from app.store.create import create_all
from app.store.engine import is_sqlite, open_engine, reading, writing

NOW = datetime(2026, 6, 10, tzinfo=UTC)


def _put(engine: Engine, value: int) -> None:
    with writing(engine) as connection:
        connection.execute(insert(db.counter).values(name="seen", value=value))


def _value(engine: Engine) -> int | None:
    with reading(engine) as connection:
        found: int | None = connection.execute(select(db.counter.c.value).where(db.counter.c.name == "seen")).scalar()
        return found


def _at_once(act: Callable[[], None], count: int) -> None:
    failed: list[BaseException] = []

    def guarded() -> None:
        try:
            act()
        except BaseException as error:
            failed.append(error)

    threads = [Thread(target=guarded) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []


# ---------------------------------------------------------------- transactions


def test_what_is_written_is_there(engine: Engine) -> None:
    _put(engine, 1)
    assert _value(engine) == 1


def test_an_error_undoes_everything(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), writing(engine) as connection:
        connection.execute(insert(db.counter).values(name="seen", value=1))
        raise ZeroDivisionError
    assert _value(engine) is None


def test_what_is_not_committed_is_not_seen(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(insert(db.counter).values(name="seen", value=1))
        assert _value(engine) is None
    assert _value(engine) == 1


def test_the_schema_is_transactional(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), writing(engine) as connection:
        connection.execute(text("CREATE TABLE extra (id INTEGER)"))
        raise ZeroDivisionError
    with pytest.raises(DBAPIError), reading(engine) as connection:
        connection.execute(text("SELECT * FROM extra"))


def test_a_connection_is_given_back_after_an_error(engine: Engine) -> None:
    for _ in range(20):
        with pytest.raises(DBAPIError), writing(engine) as connection:
            connection.execute(text("SELECT * FROM no_such_table"))
    _put(engine, 1)


# ---------------------------------------------------------------- nothing is lost


def test_read_modify_write_loses_nothing(engine: Engine) -> None:
    """SQLite takes its lock when the transaction begins; PostgreSQL locks the row that is read."""
    _put(engine, 0)
    row = select(db.counter.c.value).where(db.counter.c.name == "seen").with_for_update()

    def add() -> None:
        for _ in range(25):
            with writing(engine) as connection:
                value = connection.execute(row).scalar_one()
                connection.execute(update(db.counter).where(db.counter.c.name == "seen").values(value=value + 1))

    _at_once(add, 4)
    assert _value(engine) == 100


def test_numbers_have_neither_gap_nor_repeat(engine: Engine) -> None:
    taken: list[int] = []

    def take() -> None:
        for _ in range(10):
            with writing(engine) as connection:
                first = numbers.take(connection, "invoice-2026", 3)
            taken.extend(range(first, first + 3))

    _at_once(take, 4)
    assert sorted(taken) == list(range(1, 121))


def test_numbers_that_are_rolled_back_are_given_again(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), writing(engine) as connection:
        assert numbers.take(connection, "invoice-2026", 5) == 1
        raise ZeroDivisionError
    with writing(engine) as connection:
        assert numbers.take(connection, "invoice-2026", 1) == 1
        assert numbers.take(connection, "invoice-2027", 1) == 1
        assert numbers.take(connection, "invoice-2026", 1) == 2


def test_a_block_hands_out_its_numbers_one_by_one(engine: Engine) -> None:
    with writing(engine) as connection:
        block = numbers.Block(connection, 3)
        assert [block.next("charge") for _ in range(7)] == [1, 2, 3, 4, 5, 6, 7]
        assert block.next("quote") == 1
    with writing(engine) as connection:
        assert numbers.Block(connection, 3).next("charge") == 10


# ---------------------------------------------------------------- SQLite


def test_sqlite_is_set_up_on_every_connection(sqlite_book_url: str) -> None:
    engine = open_engine(sqlite_book_url)
    with engine.connect() as first, engine.connect() as second:
        for connection in (first, second):
            pragmas = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("foreign_keys", "journal_mode")
            }
            assert pragmas == {"foreign_keys": 1, "journal_mode": "wal"}
            connection.rollback()
    engine.dispose()


def test_foreign_keys_are_on(engine: Engine) -> None:
    with pytest.raises(IntegrityError, match=r"(?i)foreign key"), writing(engine) as connection:
        connection.execute(insert(db.payer).values(customer_id=999, email="a@b.example", position=0))


def test_a_writer_makes_others_wait_and_readers_not(sqlite_book_url: str) -> None:
    first, second = open_engine(sqlite_book_url), open_engine(sqlite_book_url + "?timeout=0.05")
    with writing(first) as connection:
        connection.execute(insert(db.counter).values(name="seen", value=1))
        assert _value(second) is None
    first.dispose()
    second.dispose()


def test_sqlite_says_busy_in_the_end(sqlite_book_url: str) -> None:
    first, second = open_engine(sqlite_book_url), open_engine(sqlite_book_url)
    with writing(first), second.connect() as waiting:
        waiting.connection.driver_connection.execute("PRAGMA busy_timeout=10")  # type: ignore[union-attr]
        with pytest.raises(OperationalError, match="locked"):
            waiting.begin()
    first.dispose()
    second.dispose()


def test_in_memory_is_one_database() -> None:
    engine = open_engine("sqlite://")
    create_all(engine)
    _put(engine, 7)
    assert _value(engine) == 7
    engine.dispose()


def test_a_folder_that_is_missing_is_made(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/new/folder/book.db")
    create_all(engine)
    assert (tmp_path / "new" / "folder" / "book.db").exists()
    engine.dispose()


# ---------------------------------------------------------------- PostgreSQL


def test_a_schema_of_its_own(postgres_url: str) -> None:
    plain = open_engine(postgres_url)
    with writing(plain) as connection:
        connection.execute(text("CREATE SCHEMA books"))
    own = open_engine(postgres_url, search_path="books")
    create_all(own)
    _put(own, 1)
    with reading(plain) as connection:
        assert connection.execute(text("SELECT value FROM books.counter")).scalar_one() == 1
        assert connection.execute(text("SELECT to_regclass('public.counter')")).scalar_one() is None
    own.dispose()
    plain.dispose()


def test_a_connection_that_was_cut_is_replaced(postgres_book_url: str) -> None:
    engine = open_engine(postgres_book_url)
    with reading(engine) as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    other = open_engine(postgres_book_url)
    with writing(other) as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    other.dispose()
    _put(engine, 1)
    engine.dispose()


def test_two_who_wait_for_each_other(engine: Engine) -> None:
    """On PostgreSQL one of the two is told; on SQLite it cannot come to that, the second waits from the beginning."""
    with writing(engine) as connection:
        connection.execute(insert(db.counter), [{"name": name, "value": 0} for name in "ab"])
    met, is_sqlite_ = Barrier(2), engine.dialect.name == "sqlite"
    told: list[str] = []

    def both(first: str, second: str) -> Callable[[], None]:
        def act() -> None:
            try:
                with writing(engine) as connection:
                    for name in (first, second):
                        connection.execute(update(db.counter).where(db.counter.c.name == name).values(value=1))
                        if name == first and not is_sqlite_:
                            met.wait(10)
            except OperationalError as error:
                told.append(str(error.orig).partition("\n")[0])

        return act

    threads = [Thread(target=both("a", "b")), Thread(target=both("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert told == ([] if is_sqlite_ else ["deadlock detected"])


def test_parameters_do_not_stand_in_errors(engine: Engine) -> None:
    """Personal data are not for logs."""
    with pytest.raises(DBAPIError) as caught, writing(engine) as connection:
        connection.execute(text("SELECT :secret FROM no_such_table"), {"secret": "buyer@noord.example"})
    assert "buyer@noord.example" not in str(caught.value)


def test_which_database_it_is(engine: Engine, book_url: str) -> None:
    with reading(engine) as connection:
        assert is_sqlite(connection) is book_url.startswith("sqlite")
