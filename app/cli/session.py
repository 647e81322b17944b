"""What a call of the program works on: its settings and its book, opened only when a command needs them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.bootstrap import Book
    from app.config import Settings


class CannotUse(Exception):
    """What a person gave cannot be used; the text says what and why (exit status 2)."""


class CannotReach(Exception):
    """The database cannot be opened or reached (exit status 5)."""


@dataclass(frozen=True, slots=True)
class Given:
    """The options of every command."""

    config: Path | None = None
    database: str | None = None


_GIVEN: ContextVar[Given] = ContextVar("given")


def remember(given: Given) -> None:
    """Called once, before the command."""
    _GIVEN.set(given)


def given() -> Given:
    """The options of every command, as they were given."""
    return _GIVEN.get(Given())


def settings() -> Settings:
    """The settings of this installation, with the command line laid over them."""
    from app.config import load

    own = given()
    overlay = {"database": {"url": own.database}} if own.database is not None else None
    return load(own.config, os.environ, overlay)


@contextmanager
def open_book(*, create: bool = False) -> Iterator[Book]:
    """The live book, up to date and wired. Without `create` a SQLite file that is not there is no book."""
    from app import bootstrap

    found = settings()
    url = found.database.url
    if not create:
        _require_file(url)
    try:
        book = bootstrap.open_book(found)
    except OSError as error:
        # The folder of a SQLite file that cannot be made.
        raise CannotReach(f"{shown(url)} cannot be opened: {error.strerror or error}") from error
    try:
        yield book
    finally:
        book.close()


def _require_file(url: str) -> None:
    path = _sqlite_file(url)
    try:
        is_missing = path is not None and not path.exists()
    except OSError as error:
        raise CannotReach(f"{shown(url)} cannot be opened: {error.strerror or error}") from error
    if is_missing:
        raise CannotUse(f"there is no book at {shown(url)} yet; `perennial init` makes one")


def _sqlite_file(url: str) -> Path | None:
    """The file of a SQLite address, or None for one in memory and for other databases."""
    from sqlalchemy.engine import make_url

    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database)).expanduser()


def shown(url: str) -> str:
    """A database address as it may be shown."""
    from app.config import masked

    return masked(url)
