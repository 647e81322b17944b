"""`perennial simulate --book`: what the jobs would make of the whole book, as sums, days and a picture."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from app.cli import output, session
from app.cli.session import CannotUse

if TYPE_CHECKING:
    from jobs.book_simulation import Progress

_PICTURES = (".svg", ".png")


def play(until: date, picture: Path | None, as_json: bool) -> None:
    """Play a copy of the book to the end of a day and show what came of it."""
    from jobs import book_report
    from jobs.book_simulation import simulate_book

    if picture is not None and picture.suffix.lower() not in _PICTURES:
        raise CannotUse(f"--picture {picture}: the name must end in {' or '.join(_PICTURES)}")
    with session.open_book() as book, _bar() as progress:
        found = simulate_book(book.ctx, until, progress)
    if picture is not None:
        from jobs.pictures import states_over_time

        states_over_time(found, picture)
    if as_json:
        output.print_json(found.as_json())
    else:
        book_report.show(found, output.console())
        if picture is not None:
            output.say(f"The states over time are drawn in {picture}.")


@contextmanager
def _bar() -> Iterator[Progress]:
    """A bar on standard error where a person looks on."""
    from jobs.book_report import progress_bar

    if not sys.stderr.isatty():
        yield lambda first, reached, last: None
        return
    with progress_bar(Console(stderr=True)) as bar:
        yield bar
