"""Simulations: scenario files on a fresh database, or the book on a copy with its clock moved on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

from app.cli import book_simulation, output, session
from app.cli.failures import IN_PART
from app.cli.parameters import AsJson, a_day
from app.cli.session import CannotUse
from app.cli.shape import TRY, command

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from app.config import Settings
    from jobs.scenario.results import Played

commands = typer.Typer()

IN_MEMORY = "sqlite://"


@command(
    commands,
    "simulate",
    TRY,
    "perennial simulate examples/scenarios/01-annual-lapse.yaml",
    "perennial simulate --book --until 2027-12-31",
)
def simulate(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]", help="Scenario files.", show_default=False)
    ] = None,
    whole_book: Annotated[bool, typer.Option("--book", help="Play the book itself, on a copy, until a day.")] = False,
    until: Annotated[date | None, typer.Option(metavar="DATE", parser=a_day, help="With --book: the last day.")] = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --book: draw the states over time, as .svg or .png.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Play scenario files, or the book, day by day.

    Files are played from the shipped settings (or those of --config) in memory,
    or with --database on PostgreSQL, in a schema that is dropped afterwards.
    The book is played on a copy: it is never changed.
    """
    if whole_book:
        _require(until is not None and not files, "--book needs --until DATE, and no files")
        assert until is not None
        book_simulation.play(until, picture, as_json)
        return
    _require(bool(files), "name scenario files, or the book: --book --until DATE")
    _require(until is None and picture is None, "--until and --picture go with --book")
    _play(files or [], as_json)


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise CannotUse(otherwise)


def _play(files: list[Path], as_json: bool) -> None:
    """All files are read before the first is played: a mistake in one is told at once."""
    from jobs.scenario.reader import read
    from jobs.scenario.report import as_json as document
    from jobs.scenario.report import show

    base = _base()
    url = _database()
    scenarios = [read(file, base) for file in files]
    results = [_one(scenario, url) for scenario in scenarios]
    if as_json:
        output.print_json(document(results))
    else:
        show(results, output.console())
    if any(result.failed for result in results):
        raise typer.Exit(IN_PART)


def _base() -> Settings | None:
    """What scenarios start from: the shipped settings, unless the call names a file; never the environment."""
    from app.config import load

    named = session.given().config
    return None if named is None else load(named, {})


def _one(scenario: Any, url: str) -> Played:
    from jobs.scenario.player import play

    with fresh_database(url) as engine:
        return play(scenario, engine)


def _database() -> str:
    """Where files are played. A SQLite file is refused: it might be the book."""
    named = session.given().database
    url = IN_MEMORY if named is None else named
    if url == IN_MEMORY or url.startswith("postgresql"):
        return url
    raise CannotUse("scenarios are played in memory or on PostgreSQL: --database postgresql+psycopg://…")


@contextmanager
def fresh_database(url: str) -> Iterator[Engine]:
    """An empty database in memory, or an empty schema of a PostgreSQL database; gone afterwards, whatever happens."""
    from app.store.engine import open_engine

    if url == IN_MEMORY:
        engine = open_engine(url)
        try:
            yield engine
        finally:
            engine.dispose()
        return
    schema = f"perennial_simulation_{os.getpid()}_{uuid4().hex[:8]}"
    with _schema(url, schema):
        engine = open_engine(url, search_path=schema)
        try:
            yield engine
        finally:
            engine.dispose()


@contextmanager
def _schema(url: str, name: str) -> Iterator[None]:
    from sqlalchemy import text
    from sqlalchemy.exc import ArgumentError

    from app.store.engine import open_engine

    try:
        engine = open_engine(url)
    except ArgumentError:
        raise CannotUse("--database is not an address such as postgresql+psycopg://user@host:5432/name") from None
    try:
        with engine.begin() as connection:
            connection.execute(text(f'CREATE SCHEMA "{name}"'))
        try:
            yield
        finally:
            with engine.begin() as connection:
                connection.execute(text(f'DROP SCHEMA "{name}" CASCADE'))
    finally:
        engine.dispose()
