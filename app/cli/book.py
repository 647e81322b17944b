"""Making a book and filling it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import output, session
from app.cli.failures import IN_PART
from app.cli.parameters import AsJson, DryRun
from app.cli.shape import START, command

if TYPE_CHECKING:
    from app.services.context import Context

commands = typer.Typer()


@command(commands, "init", START, "perennial init")
def init(as_json: AsJson = False) -> None:
    """Make the database, or bring its schema up to date.

    A book that is there stays as it is.
    """
    from app.services import browse

    with session.open_book(create=True) as book:
        url = session.shown(book.settings.database.url)
        is_empty = browse.is_empty(book.ctx)
        source = book.settings.source
    if as_json:
        output.print_json({"database": url, "settings": source, "empty": is_empty})
        return
    output.say(f"The book is at {url}, its schema is up to date (settings: {source}).")
    if is_empty:
        output.say("It is empty; fill it with: perennial import FILE.csv")


@command(
    commands, "import", START, "perennial import examples/book.csv", "perennial import examples/book.csv --dry-run"
)
def import_file(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.csv", help="Customers and what they bought.", show_default=False)
    ],
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Read customers and subscriptions from a CSV file.

    Good rows are taken, bad ones are listed with line, column and reason; the same file again changes nothing.
    What a file may say: perennial columns.
    """
    from jobs.dry_run import copied

    with session.open_book(create=not dry_run) as book:
        if dry_run:
            with copied(book.ctx, None) as ctx:
                report = read_in(ctx, file)
        else:
            report = read_in(book.ctx, file)
    if as_json:
        output.print_json({"dry_run": dry_run, **report})
    else:
        tell(report)
        output.say("Nothing was written." if dry_run else "What comes next: perennial list")
    if report["rejected"]:
        raise typer.Exit(IN_PART)


def read_in(ctx: Context, file: Path) -> dict[str, Any]:
    """Import a file into a book and answer the report as plain values. Raises `CannotUse` for one that is no book."""
    from app.domain.errors import InvalidArgument
    from app.services.importing import import_csv

    try:
        with output.progress(f"reading {file.name}") as progress:
            report = import_csv(ctx, file, progress)
    except InvalidArgument as error:
        raise session.CannotUse(f"{file}: {error.detail}") from error
    rejected = [{"line": each.line, "column": each.column, "reason": each.reason} for each in report.rejected]
    return {
        "file": str(file),
        "customers": report.customers,
        "subscriptions": report.subscriptions,
        "unchanged": report.unchanged,
        "rejected": rejected,
    }


def tell(report: dict[str, Any]) -> None:
    """The report for people: counts, then a line for each row that was not taken."""
    customers = output.counted(report["customers"], "customer")
    output.say(f"{customers} and {output.counted(report['subscriptions'], 'subscription')} are new.")
    if report["unchanged"]:
        output.say(f"{output.counted(report['unchanged'], 'row')} changed nothing.")
    if report["rejected"]:
        output.say(f"{output.counted(len(report['rejected']), 'row')} rejected:")
        rows = [(each["line"], each["column"], each["reason"]) for each in report["rejected"]]
        output.show_table(("line", "column", "why"), rows)


@command(commands, "columns", START, "perennial columns")
def columns(as_json: AsJson = False) -> None:
    """List the columns of a file to import.

    With what each may say, and which are required.
    """
    from app.services.import_cells import COLUMNS, REQUIRED

    if as_json:
        output.print_json(
            [{"name": name, "says": says, "required": name in REQUIRED} for name, says in COLUMNS.items()]
        )
        return
    rows = [(name, "required" if name in REQUIRED else "", says) for name, says in COLUMNS.items()]
    output.show_table(("column", "", "what it says"), rows)
