"""What commands are given: the options they share, and the values people write."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_AMOUNT = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,4})?")
_YEARS = range(1970, 2200)
_LONGEST = 500
_MOST = 10**9


def a_day(written: str) -> date:
    """An ISO date; no other spelling, so that 03-04 is never guessed at."""
    if not _DAY.fullmatch(written):
        raise typer.BadParameter(f'"{printable(written)}" is not a day such as 2026-12-31')
    try:
        day = date.fromisoformat(written)
    except ValueError:
        raise typer.BadParameter(f"{written} is not in the calendar") from None
    if day.year not in _YEARS:
        raise typer.BadParameter(f"the year must lie between {_YEARS[0]} and {_YEARS[-1]}")
    return day


def an_amount(written: str) -> Decimal:
    """An exact amount; what is not possible with it the product refuses."""
    if not _AMOUNT.fullmatch(written):
        raise typer.BadParameter(f'"{printable(written)}" is not an amount such as 730.00')
    return Decimal(written)


def a_number(written: str) -> int:
    """A whole number; 0 and less are left to the product to refuse."""
    try:
        number = int(written)
    except ValueError:
        number = _MOST + 1
    if abs(number) > _MOST:
        raise typer.BadParameter(f'"{printable(written)}" is not a whole number up to {_MOST}')
    return number


def a_word(written: str) -> str:
    """A name, an id or an address: one line that can be shown again."""
    if not written.strip() or len(written) > _LONGEST or not written.isprintable():
        raise typer.BadParameter(f"must be one line of 1 to {_LONGEST} characters")
    return written


def a_zone(written: str) -> str:
    """The name of an IANA time zone."""
    from app.config_checks import timezone_problem

    if problem := timezone_problem(written):
        raise typer.BadParameter(problem)
    return written


def a_switch(written: str) -> bool:
    """`on` or `off`."""
    if written.lower() not in ("on", "off"):
        raise typer.BadParameter(f'must be on or off, not "{printable(written)}"')
    return written.lower() == "on"


def printable(written: str) -> str:
    """One short line of what was written, without what would move a terminal."""
    line = "".join(each if each.isprintable() else " " for each in written)
    return line if len(line) <= 60 else line[:59] + "…"


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would happen; nothing is written.")]
Actor = Annotated[str, typer.Option("--by", "--actor", metavar="NAME", parser=a_word, help="Who asks, for the record.")]
Id = Annotated[str, typer.Argument(metavar="ID", parser=a_word, help="A subscription.", show_default=False)]
Ids = Annotated[list[str], typer.Argument(metavar="ID", parser=a_word, help="Subscriptions.", show_default=False)]
Csn = Annotated[str, typer.Argument(metavar="CSN", parser=a_word, help="A customer number.", show_default=False)]
Until = Annotated[date, typer.Option("--until", metavar="DATE", parser=a_day, help="The last day.", show_default=False)]
Zone = Annotated[str | None, typer.Option("--zone", metavar="NAME", parser=a_zone, help="Only this time zone.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The file.", show_default=False)]
