"""A daemon killed at any instant loses nothing and repeats nothing (J4); two do each piece of work once (J6)."""

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, text

from app.store.engine import open_engine
from tests.jobs import crash_book

CHILD = Path(__file__).with_name("crash_child.py")
PAGE = 4
"""Rows in a transaction: few, so that a day is many of them."""


class Child:
    """A process that forks for each run of a daemon's day, and says whether the run was killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(CHILD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def run(self, url: str, mails: Path, **how: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"url": url, "mails": str(mails), "now": crash_book.NOW.isoformat(), "page_size": PAGE, **how}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    child = Child()
    yield child
    child.close()


@dataclass(frozen=True)
class Day:
    """A book on the morning of the day, and what becomes of it when nobody disturbs the daemon."""

    new_book: Callable[[], str]
    """Makes a copy of it and answers its URL."""
    outcome: dict[str, Any]
    steps: list[str]
    done: int


def _sqlite_day(folder: Path, child: Child, copies: int) -> Day:
    morning = folder / "morning.db"
    book = open_engine("sqlite://")
    crash_book.build(book, copies)
    stored = open_engine(f"sqlite:///{morning}")
    crash_book.copy(book, stored)
    stored.dispose()
    book.dispose()

    def new_book() -> str:
        return f"sqlite:///{shutil.copy(morning, folder / f'{uuid4().hex}.db')}"

    return _undisturbed(new_book, folder, child)


def _undisturbed(new_book: Callable[[], str], folder: Path, child: Child) -> Day:
    url, mails = new_book(), folder / "undisturbed.txt"
    ran = child.run(url, mails)
    assert not ran["killed"]
    crash_book.check_books(url)
    return Day(new_book, crash_book.picture(url, mails), ran["names"], ran["done"])


def _postgres_day(sqlite_day: Day, admin: Connection, folder: Path, child: Child) -> Iterator[Day]:
    names: list[str] = []

    def new_book(template: str = "template0") -> str:
        names.append(f"crash_{uuid4().hex}")
        admin.execute(text(f'CREATE DATABASE "{names[-1]}" TEMPLATE "{template}" STRATEGY FILE_COPY'))
        return admin.engine.url.set(database=names[-1]).render_as_string(hide_password=False)

    stored, origin = open_engine(new_book()), open_engine(sqlite_day.new_book())
    crash_book.copy(origin, stored)
    stored.dispose()
    origin.dispose()
    morning = names[0]
    yield _undisturbed(lambda: new_book(morning), folder, child)
    for name in names:
        admin.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture(scope="module")
def sqlite_day(tmp_path_factory: pytest.TempPathFactory, child: Child) -> Day:
    return _sqlite_day(tmp_path_factory.mktemp("crash"), child, copies=1)


@pytest.fixture(scope="module")
def postgres_day(
    sqlite_day: Day, postgres_admin: Connection, tmp_path_factory: pytest.TempPathFactory, child: Child
) -> Iterator[Day]:
    yield from _postgres_day(sqlite_day, postgres_admin, tmp_path_factory.mktemp("crash"), child)


@pytest.fixture(params=["sqlite", "postgresql"])
def day(request: pytest.FixtureRequest) -> Day:
    found: Day = request.getfixturevalue({"sqlite": "sqlite_day", "postgresql": "postgres_day"}[request.param])
    return found


def _crash(day: Day, child: Child, mails: Path, kills: list[dict[str, Any]]) -> list[str]:
    """Kill one run after the other, then let one end; answers where they were killed."""
    url, killed_at = day.new_book(), []
    handed: dict[str, int] = {}
    for kill in kills:
        ran = child.run(url, mails, **kill)
        if not ran["killed"]:
            break
        killed_at.append(ran["step"])
        handed |= crash_book.recorded(url, mails)
    child.run(url, mails)
    crash_book.check_books(url)
    assert crash_book.picture(url, mails) == day.outcome, f"killed at {killed_at}"
    sent = crash_book.recorded(url, mails)
    assert {mail: sent[mail] for mail in handed} == handed, f"a mail on record was sent again; killed at {killed_at}"
    return killed_at


# ---------------------------------------------------------------- one daemon, killed


def test_a_day_that_nobody_disturbs(day: Day, child: Child, tmp_path: Path) -> None:
    """What is done is done: the next run has nothing to do, sends nothing and asks the provider for nothing."""
    url, mails = day.new_book(), tmp_path / "mails.txt"
    child.run(url, mails)
    before = mails.read_text("utf-8")
    again = child.run(url, mails)
    assert again["done"] == 0
    assert "ask the provider" not in again["names"]
    assert mails.read_text("utf-8") == before
    assert crash_book.picture(url, mails) == day.outcome


def test_the_same_on_both_databases(sqlite_day: Day, postgres_day: Day) -> None:
    assert sqlite_day.outcome == postgres_day.outcome
    assert sqlite_day.done == postgres_day.done


@pytest.mark.parametrize("step", ["ask the provider", "hand a mail over", "mails handed over"])
def test_killed_between_us_and_the_outside(sqlite_day: Day, child: Child, tmp_path: Path, step: str) -> None:
    _crash_at(sqlite_day, child, tmp_path, step)


def test_killed_between_the_provider_s_yes_and_our_record(day: Day, child: Child, tmp_path: Path) -> None:
    """It is asked about, and never charged again (J4)."""
    _crash_at(day, child, tmp_path, "the provider has answered")


def _crash_at(day: Day, child: Child, folder: Path, step: str) -> None:
    places = [n + 1 for n, name in enumerate(day.steps) if name == step]
    killed_at = _crash(day, child, folder / "mails.txt", [{"kill_at": random.Random(step).choice(places)}])
    assert killed_at == [step]


@pytest.mark.parametrize("seed", range(3))
def test_killed_anywhere(day: Day, child: Child, tmp_path: Path, seed: int) -> None:
    """Up to three times in a row, at steps drawn by a seed."""
    chance = random.Random(seed)
    kills = [{"kill_at": chance.randint(1, len(day.steps))} for _ in range(chance.randint(1, 3))]
    assert _crash(day, child, tmp_path / "mails.txt", kills)


def test_killed_at_some_instant(day: Day, child: Child, tmp_path: Path) -> None:
    """By somebody else, wherever it happens to be."""
    _crash(day, child, tmp_path / "mails.txt", [{"kill_after": delay} for delay in (0.06, 0.09)])


# ---------------------------------------------------------------- two daemons


def test_two_daemons_do_each_piece_of_work_once(day: Day, child: Child, tmp_path: Path) -> None:
    _two_daemons(day, child, tmp_path)


def _two_daemons(day: Day, child: Child, folder: Path) -> None:
    url, other = day.new_book(), Child()
    files = [folder / "mails-1.txt", folder / "mails-2.txt"]
    try:
        with ThreadPoolExecutor(2) as pool:
            runs = list(
                pool.map(
                    lambda each: each[0].run(url, each[1], rounds=6, outside_takes=0.03),
                    zip((child, other), files, strict=True),
                )
            )
    finally:
        other.close()
    mails = folder / "mails.txt"
    mails.write_text("".join(file.read_text("utf-8") for file in files if file.exists()), "utf-8")
    crash_book.check_books(url)
    assert crash_book.picture(url, mails) == day.outcome
    assert sum(ran["done"] for ran in runs) == day.done, "a piece of work was done twice"
    assert len(mails.read_text("utf-8").splitlines()) == len(day.outcome["mails"]), "a mail was sent twice"


# ---------------------------------------------------------------- hundreds of crashes on a large day


@pytest.fixture(scope="module")
def large_sqlite_day(tmp_path_factory: pytest.TempPathFactory, child: Child) -> Day:
    return _sqlite_day(tmp_path_factory.mktemp("soak"), child, copies=12)


@pytest.fixture(scope="module")
def large_postgres_day(
    large_sqlite_day: Day, postgres_admin: Connection, tmp_path_factory: pytest.TempPathFactory, child: Child
) -> Iterator[Day]:
    yield from _postgres_day(large_sqlite_day, postgres_admin, tmp_path_factory.mktemp("soak"), child)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100))
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_killed_anywhere_on_a_large_day(
    request: pytest.FixtureRequest, child: Child, tmp_path: Path, database: str, seed: int
) -> None:
    day: Day = request.getfixturevalue(f"large_{database}_day")
    chance = random.Random(seed)
    kills = [{"kill_at": chance.randint(1, len(day.steps))} for _ in range(chance.randint(1, 5))]
    assert _crash(day, child, tmp_path / "mails.txt", kills)


@pytest.mark.soak
@pytest.mark.parametrize("attempt", range(10))
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_two_daemons_on_a_large_day(
    request: pytest.FixtureRequest, child: Child, tmp_path: Path, database: str, attempt: int
) -> None:
    _two_daemons(request.getfixturevalue(f"large_{database}_day"), child, tmp_path)
