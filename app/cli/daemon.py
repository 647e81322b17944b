"""The daemon in the foreground, alone or with everything that it needs to begin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import book as book_commands
from app.cli import output, session
from app.cli.shape import START, command
from app.domain.states import State
from app.domain.values import CHARGEABLE

if TYPE_CHECKING:
    from app.bootstrap import Book

commands = typer.Typer()

EXAMPLE = Path("examples", "book.csv")
_LOOKED_AT = 20
_TRY = """In a second terminal, try:
    perennial list
    perennial explain {ref}
    perennial plan --until {until} {ref}
    perennial renew {ref} --dry-run
    perennial job list
Ctrl-C ends it."""

Once = Annotated[bool, typer.Option("--once", help="Do what is due today and end.")]


@command(commands, "run", START, "perennial run --once", "perennial run")
def run(once: Once = False) -> None:
    """Begin at once: init, import, daemon.

    Makes the book, fills an empty one with examples/book.csv, then stays as the daemon.
    """
    from app.services import browse

    with session.open_book(create=True) as book:
        output.say(f"The book is at {session.shown(book.settings.database.url)}.")
        if browse.is_empty(book.ctx):
            _fill(book)
        raise typer.Exit(_stay(book, once))


@command(commands, "daemon", START, "perennial daemon --once", "perennial daemon")
def daemon(once: Once = False) -> None:
    """Do the work of each day as it begins.

    First whatever is due already, each as of its own date; then it stays until Ctrl-C or SIGTERM.
    """
    with session.open_book() as book:
        raise typer.Exit(_stay(book, once))


def _stay(book: Book, once: bool) -> int:
    from jobs import daemon as bell

    return bell.run(book.ctx, book.mailer, book.settings.daemon, lambda line: _say(book, line), once=once)


def _say(book: Book, line: str) -> None:
    """What the daemon says; when it is ready, also what to do next."""
    output.say(line)
    if line == "ready":
        output.say(_next_steps(book))


def _next_steps(book: Book) -> str:
    from app.services import browse

    can_renew = browse.subscriptions(book.ctx, browse.Filters(states=(State.RENEWABLE,)), _LOOKED_AT).rows
    found = browse.subscriptions(book.ctx, browse.Filters(), 1).rows
    if not found:
        return "The book is empty. In a second terminal: perennial import FILE.csv"
    row = next((each for each in can_renew if each["payment"] in CHARGEABLE), found[0])
    return _TRY.format(ref=row["id"], until=max(row["ends_on"], book.ctx.today(row["timezone"])))


def _fill(book: Book) -> None:
    """Read the example in: that of the current folder, else the one that came with the source."""
    for folder in (Path(), Path(__file__).parents[2]):
        if (folder / EXAMPLE).exists():
            output.say(f"It is empty; reading {EXAMPLE} in.")
            book_commands.tell(book_commands.read_in(book.ctx, folder / EXAMPLE))
            return
    output.say("It is empty, and there is no examples/book.csv here; fill it with: perennial import FILE.csv")
