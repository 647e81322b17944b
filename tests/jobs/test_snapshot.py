"""A copy of the book is whole, of one instant, in nobody's way, and gone when it is done with."""

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from app.store import belongings, db, raw_rows, snapshot
from app.store.engine import open_engine, reading, writing
from app.store.snapshot import NoSpace, copied, copy_book
from tests.factories import at
from tests.jobs import mixed_book
from tests.jobs.mixed_book import NOORD, WEST


def test_the_whole_book_is_copied(engine: Engine) -> None:
    mixed_book.build(engine)
    original = mixed_book.rows(engine)
    with copied(engine) as copy:
        assert copy.dialect.name == "sqlite"
        assert mixed_book.rows(copy) == original
        assert _is_sound(copy)
        assert _indexes(copy) == {str(i.name) for t in SQLModel.metadata.sorted_tables for i in t.indexes}
    assert mixed_book.rows(engine) == original
    empty = {name for name, found in original.items() if not found}
    assert empty == {"pending_change", "stuck"}, "the book of this test has some of everything else"


def test_a_copy_keeps_its_rules(engine: Engine) -> None:
    """Foreign keys, checks and the append-only record hold again when the rows are there."""
    mixed_book.build(engine)
    for customer_ids in (None, [1]):
        with copied(engine, customer_ids=customer_ids) as copy:
            for refused in (
                "UPDATE event SET name = 'nothing'",
                "UPDATE subscription SET customer_id = 99",
                "UPDATE subscription SET seats = 0",
            ):
                with pytest.raises(IntegrityError), writing(copy) as connection:
                    connection.execute(text(refused))


def test_an_instant_is_stored_as_sqlite_stores_it(engine: Engine) -> None:
    """Texts are compared as they stand, so their form must be that of every other writer."""
    mixed_book.build(engine)
    with copied(engine) as copy, reading(copy) as connection:
        found = connection.execute(text("SELECT placed_on, placed_at FROM sale_order ORDER BY id")).first()
        kinds = connection.execute(text("SELECT DISTINCT typeof(auto_renew), typeof(id) FROM subscription")).all()
    assert found == ("2025-05-25", "2025-05-25 10:00:00.000000")
    assert kinds == [("integer", "integer")]


def test_a_whole_book_in_memory(engine: Engine) -> None:
    mixed_book.build(engine)
    copy = copy_book(engine, None)
    assert mixed_book.rows(copy) == mixed_book.rows(engine)
    copy.dispose()


# ---------------------------------------------------------------- a few customers


def test_a_few_customers_come_with_all_that_is_theirs(engine: Engine) -> None:
    mixed_book.build(engine)
    whole = mixed_book.rows(engine)
    with copied(engine, customer_ids=_ids(engine, NOORD, WEST)) as copy:
        assert _is_sound(copy)
        found = mixed_book.rows(copy)
    assert {row[1] for row in found["customer"]} == {NOORD, WEST}
    subscriptions = {row[0] for row in found["subscription"]}
    assert subscriptions == {row[0] for row in whole["subscription"] if row[2] in {c[0] for c in found["customer"]}}
    for table in SQLModel.metadata.sorted_tables:
        assert set(found[table.name]) <= set(whole[table.name]), table.name
        if "subscription_id" in table.c and table.name != "assignment":
            theirs = [row for row in whole[table.name] if row[_place(table, "subscription_id")] in subscriptions]
            mine = [row for row in found[table.name] if row[_place(table, "subscription_id")] is not None]
            assert mine == theirs, table.name
    assert found["counter"] == whole["counter"]
    assert found["zone"] == whole["zone"]
    assert [row[2] for row in found["assignment"]] == ["tekenaar@noord.example"], "who has no seat any more stays"
    assert len(found["provider_switch"]) == 1
    assert found["provider_charge"] == [], "nothing is left to ask about"


def test_a_charge_without_an_outcome_comes_with_the_providers_answer(engine: Engine) -> None:
    mixed_book.build(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE charge SET state = 'pending' WHERE purpose = 'order' AND csn = '5100000003'"))
    with copied(engine, customer_ids=_ids(engine, WEST)) as copy:
        found = mixed_book.rows(copy)
    assert sorted(row[0] for row in found["provider_charge"]) == sorted(row[1] for row in found["charge"])
    assert len(found["charge"]) == 2, "the purchase, and the one that was declined"


def test_every_row_of_a_customer_is_found_through_an_index(sqlite_book: Engine) -> None:
    """Three customers out of a million must be quick: a new table needs an index that begins with its owner."""
    owned = belongings._owned()
    assert {table.name for table in SQLModel.metadata.sorted_tables if table not in owned} == {
        "counter", "job_run", "provider_charge", "provider_switch", "zone",
    }  # fmt: skip
    with reading(sqlite_book) as connection:
        for table in owned[1:]:
            for way in belongings._ways(table, owned):
                where = f" AND {way.condition}" if way.condition else ""
                sql = f'SELECT * FROM "{table.name}" WHERE "{way.column.name}" IN (1, 2, 3){where}'
                steps = connection.execute(text(f"EXPLAIN QUERY PLAN {sql}")).all()
                assert all("SEARCH" in step[3] for step in steps), (table.name, way.column.name, steps)


# ---------------------------------------------------------------- in nobody's way


@pytest.mark.parametrize("who", ["all", "some"])
def test_a_writer_goes_on_and_the_copy_is_of_one_instant(
    engine: Engine, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each transaction writes a customer and a payer: whoever sees one without the other saw two instants."""
    monkeypatch.setattr(snapshot, "_BACKUP_PAGES", 1)
    monkeypatch.setattr(raw_rows, "PAGE", 5)
    stop, failures = threading.Event(), []
    written = _written(engine)
    thread = threading.Thread(target=_write_until, args=(engine, stop, written, failures))
    thread.start()
    try:
        while len(written) < 20 and not failures:
            stop.wait(0.01)
        for _ in range(3):
            before = len(written)
            ids = None if who == "all" else list(range(1, 15))
            with copied(engine, customer_ids=ids) as copy:
                found = mixed_book.rows(copy)
            assert len(found["customer"]) == len(found["payer"])
            assert len(found["customer"]) >= before if ids is None else len(found["customer"]) == 14
    finally:
        stop.set()
        thread.join()
    assert failures == []


def test_a_writer_commits_while_a_copy_is_half_done(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    written = _written(engine)
    with _watched(engine, monkeypatch, lambda: _write(engine, written)), copied(engine) as copy:
        found = mixed_book.rows(copy)
    assert len(written) > 1
    assert len(found["customer"]) == len(found["payer"]) == 1, "as it was when the copy began"


def _written(engine: Engine) -> list[int]:
    written: list[int] = []
    _write(engine, written)
    return written


def _write(engine: Engine, written: list[int]) -> None:
    number = len(written) + 1
    values = {
        "id": number, "csn": str(number), "name": "x" * 500, "purchaser": "b@x.example", "language": "en",
        "currency": "EUR", "timezone": "UTC", "created_at": at("2026-01-01"), "tax_exempt": False,
        "prepay_required": False,
    }  # fmt: skip
    with writing(engine) as connection:
        connection.execute(db.customer.insert().values(**values))
        connection.execute(db.payer.insert().values(customer_id=number, email="p@x.example", position=0))
    written.append(number)


def _write_until(engine: Engine, stop: threading.Event, written: list[int], failures: list[BaseException]) -> None:
    while not stop.wait(0.001):
        try:
            _write(engine, written)
        except BaseException as error:
            failures.append(error)
            return


# ---------------------------------------------------------------- room, errors, leftovers


def test_nothing_is_left_behind(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    with copied(engine, folder) as copy:
        assert [path.name[:15] for path in folder.iterdir()] == ["perennial-copy-"]
        mixed_book.rows(copy)
    assert list(folder.iterdir()) == []
    with pytest.raises(RuntimeError, match="half way"), copied(engine, folder) as copy:
        mixed_book.rows(copy)
        raise RuntimeError("half way")
    assert list(folder.iterdir()) == []


def test_a_copy_that_fails_half_way_is_removed(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mixed_book.build(engine)
    folder = tmp_path / "copies"
    folder.mkdir()

    def interrupt() -> None:
        raise KeyboardInterrupt

    with _watched(engine, monkeypatch, interrupt), pytest.raises(KeyboardInterrupt):
        copy_book(engine, folder / "book.db")
    assert list(folder.iterdir()) == []
    with _watched(engine, monkeypatch, interrupt), pytest.raises(KeyboardInterrupt), copied(engine, folder):
        pass
    assert list(folder.iterdir()) == []


def test_a_file_that_exists_is_never_overwritten(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "mine.db"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match=r"mine\.db"):
        copy_book(engine, path)
    assert path.read_text() == "mine"


def test_without_room_nothing_is_begun(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    monkeypatch.setattr(snapshot.shutil, "disk_usage", lambda _: SimpleNamespace(free=100_000))
    with pytest.raises(NoSpace) as refused, copied(engine, folder):
        pass
    assert refused.value.needed > refused.value.free == 100_000
    assert re.search(f"need about [12] MB in {folder}, where 1 MB are free", str(refused.value))
    assert list(folder.iterdir()) == []


# ---------------------------------------------------------------- tools


@pytest.fixture
def sqlite_book(sqlite_book_url: str) -> Iterator[Engine]:
    engine = open_engine(sqlite_book_url)
    yield engine
    engine.dispose()


class _watched:
    """Do something while a copy is half done, whichever way it is made."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
        self._monkeypatch, self._act, self._is_sqlite = monkeypatch, act, engine.dialect.name == "sqlite"

    def __enter__(self) -> None:
        if self._is_sqlite:
            self._monkeypatch.setattr(snapshot, "_driver", lambda connection: _Stepping(connection, self._act))
        else:
            store = raw_rows.store
            self._monkeypatch.setattr(raw_rows, "store", lambda *args: (self._act(), store(*args))[1])

    def __exit__(self, *_: object) -> None:
        self._monkeypatch.undo()


class _Stepping:
    """A source whose backup takes a step a page, with something done between steps."""

    def __init__(self, connection: Any, act: Callable[[], None]) -> None:
        self._driver: sqlite3.Connection = connection.connection.driver_connection
        self._act = act

    def backup(self, target: sqlite3.Connection, pages: int) -> None:
        assert pages > 0
        self._driver.backup(target, pages=1, progress=lambda *_: self._act())


def _ids(engine: Engine, *csns: str) -> list[int]:
    with reading(engine) as connection:
        query = select(db.customer.c.id).where(db.customer.c.csn.in_(csns))
        return list(connection.execute(query).scalars())


def _is_sound(engine: Engine) -> bool:
    with reading(engine) as connection:
        whole = connection.execute(text("PRAGMA integrity_check")).scalar_one()
        return whole == "ok" and connection.execute(text("PRAGMA foreign_key_check")).all() == []


def _indexes(engine: Engine) -> set[str]:
    with reading(engine) as connection:
        query = text("SELECT name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite%'")
        return set(connection.execute(query).scalars())


def _place(table: Any, column: str) -> int:
    return list(table.c.keys()).index(column)
