"""How results are shown: plain tables for people, one JSON document for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

_WIDE = 160
"""Columns where there is no terminal to fit into: a file, a pipe."""
_LONGEST_WORD = 24
"""What stays in one piece, even where a table is squeezed."""


def console() -> Console:
    """Standard output; colour and width are the terminal's."""
    from rich.console import Console

    is_terminal = sys.stdout.isatty()
    width = None if is_terminal or "COLUMNS" in os.environ else _WIDE
    return Console(width=width, highlight=False, emoji=False, markup=False, soft_wrap=False)


def say(line: str = "") -> None:
    """A line for people."""
    print(line, flush=True)


def warn(line: str) -> None:
    """A line beside the result: on standard error, where no program reads."""
    print(line, file=sys.stderr, flush=True)


def print_json(document: Any) -> None:
    """The one document of `--json`."""
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(document, indent=2, ensure_ascii=not is_unicode, default=_plain))


def _plain(value: object) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def text(value: object) -> str:
    """A value in a table."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key} {text(inner)}" for key, inner in value.items() if inner is not None) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(text(inner) for inner in value) or "-"
    return str(value)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table without lines. What is too wide goes on in the next line, at a blank where there is one: an id or
    a day stays whole, to be copied."""
    from rich.table import Table
    from rich.text import Text

    cells = [[text(value) for value in row] for row in rows]
    built = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", show_header=any(headings))
    for place, heading in enumerate(headings):
        longest = max((len(word) for row in [headings, *cells] for word in row[place].split()), default=1)
        built.add_column(heading, overflow="fold", min_width=min(longest, _LONGEST_WORD))
    for row in cells:
        built.add_row(*map(Text, row))
    return built


def show_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table."""
    show(table(headings, rows))


def show(what: RenderableType) -> None:
    """Print something of rich's, without the blanks that fill its lines."""
    screen = console()
    with screen.capture() as captured:
        screen.print(what)
    for line in captured.get().splitlines():
        print(line.rstrip())


def counted(number: int, noun: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error where a person looks on; given how much is done, and of how much."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=max(done, total))
