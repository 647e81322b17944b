"""A day's work against set-based SQL that writes the same rows, and against the size of the book."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter

from sqlalchemy import Engine

from app.domain.values import Due
from bench import baseline, books
from bench.databases import Databases
from jobs import runner

_NAMES = {Due.OPEN_WINDOW: "state change + record + notice", Due.RENEW: "renewal: charge, invoice, new term, notice"}
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Size:
    """How large the books are, and how often each run is repeated."""

    book: int
    small_book: int
    due: int
    rounds: int


LARGE = Size(book=1_000_000, small_book=100_000, due=100_000, rounds=3)
SMALL = Size(book=60_000, small_book=20_000, due=10_000, rounds=2)


def _engine_day(engine: Engine) -> float:
    ctx = books.context(engine, _PAGE)
    start = perf_counter()
    ran = runner.run_due(ctx)
    seconds = perf_counter() - start
    assert not any(run.set_aside for run in ran), ran
    return seconds


def _sql_day(what: Due, page: int, engine: Engine) -> float:
    start = perf_counter()
    baseline.run(engine, what, page)
    return perf_counter() - start


def _timed(databases: Databases, name: str, build: Callable[[Engine], None], run: Callable[[Engine], float]) -> float:
    engine = databases.fresh(name, build)
    try:
        return run(engine)
    finally:
        engine.dispose()


def measure(database: str, databases: Databases, size: Size) -> None:
    """Print (a) both kinds of day against SQL, (b) a day by size of the book, (d) peak memory by number due."""
    for what in (Due.OPEN_WINDOW, Due.RENEW):
        _against_sql(database, databases, size, what)
    _by_size_of_book(database, databases, size)
    if database == "SQLite":
        _memory(size)


def _against_sql(database: str, databases: Databases, size: Size, what: Due) -> None:
    name = f"book_{what}"
    build = partial(books.build, total=size.book, due=size.due, what=what)
    ratios, ours, pages, whole = [], [], [], []
    for _ in range(size.rounds):
        pages.append(_timed(databases, name, build, partial(_sql_day, what, _PAGE)))
        ours.append(_timed(databases, name, build, _engine_day))
        whole.append(_timed(databases, name, build, partial(_sql_day, what, size.due)))
        ratios.append(pages[-1] / ours[-1])
    databases.forget(name)
    print(
        f"(a) {database}, {size.due:,} due of {size.book:,}, {_NAMES[what]}: "
        f"{median(ratios):.2f} of the speed of set-based SQL by pages ({min(ratios):.2f}-{max(ratios):.2f}); "
        f"{size.due / median(ours):,.0f}/s against {size.due / median(pages):,.0f}/s, "
        f"in one statement {size.due / median(whole):,.0f}/s",
        flush=True,
    )


def _by_size_of_book(database: str, databases: Databases, size: Size) -> None:
    """The same number due in a small and in a large book: cost must not grow with the book."""
    due, what = size.due // 10, Due.OPEN_WINDOW
    ratios = []
    for _ in range(size.rounds):
        seconds = [
            _timed(databases, f"b{total}", partial(books.build, total=total, due=due, what=what), _engine_day)
            for total in (size.small_book, size.book)
        ]
        ratios.append(seconds[1] / seconds[0])
    for total in (size.small_book, size.book):
        databases.forget(f"b{total}")
    print(
        f"(b) {database}, {due:,} due: a book of {size.book:,} takes {median(ratios):.2f} times "
        f"as long as one of {size.small_book:,} ({min(ratios):.2f}-{max(ratios):.2f})",
        flush=True,
    )


def _memory(size: Size) -> None:
    """Peak memory of a process of its own for a tenth and for all of the due rows."""
    peaks = [_peak(due) for due in (size.due // 10, size.due)]
    print(f"(d) peak memory: {peaks[0]:.0f} MB with {size.due // 10:,} due, {peaks[1]:.0f} MB with {size.due:,}: "
          f"{peaks[1] / peaks[0]:.2f} times", flush=True)  # fmt: skip


def _peak(due: int) -> float:
    command = [sys.executable, "-m", "bench.memory", str(due)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
