"""The program: its commands by heading, the options of all of them, and `main`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from app.cli import (
    book,
    buying,
    explain,
    failures,
    jobs,
    paying,
    read,
    renewing,
    rules,
    seats,
    session,
    simulate,
    todo,
    waiting,
)
from app.cli import daemon as long_running

_EVERYWHERE = ("--config", "--database")
"""Options of every command: they may stand before its name or after it."""

_EPILOG = "\n".join(
    (
        "Exit status:",
        *(f"{status} {meaning}" for status, meaning in failures.EXIT_CODES.items()),
        "Start with: perennial run. Then, in a second terminal: perennial list",
    )
)


class Program(TyperGroup):
    """Ends every call, however it went, with a documented exit status."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        given = hoisted(list(sys.argv[1:] if args is None else args))
        call = super().main
        act = partial(call, given, "perennial", complete_var, standalone_mode=False, **extra)
        sys.exit(failures.guarded(act, as_json="--json" in given))

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise failures.OutputClosed from None


def hoisted(args: list[str]) -> list[str]:
    """The arguments with the options of every command in front, wherever they stood."""
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(args)
    for each in waiting:
        if each == "--":
            return [*front, *rest, each, *waiting]
        name, equals, _ = each.partition("=")
        if name not in _EVERYWHERE:
            rest.append(each)
            continue
        front += [each] if equals else [each, *islice(waiting, 1)]
    return [*front, *rest]


root = typer.Typer(
    cls=Program,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EPILOG,
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"perennial {version('perennial')}")
        raise typer.Exit


@root.callback()
def perennial(
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Settings; else PERENNIAL_CONFIG, else ./config.yaml. May stand anywhere."),
    ] = None,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="The database, whatever the settings say. May stand anywhere.")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Keeps term subscriptions alive: windows, renewals, shutoffs, invoices and mails, day by day."""
    session.remember(session.Given(config, database))


for _part in (book, long_running, read, explain, rules, renewing, buying, seats, paying, jobs, waiting, simulate, todo):
    root.add_typer(_part.commands)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise failures.Terminated


def main() -> None:
    """The installed `perennial`."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            # A terminal that cannot show a sign gets another one in its place, not an error.
            reconfigure(errors="replace")
    signal.signal(signal.SIGTERM, _terminate)
    root()
