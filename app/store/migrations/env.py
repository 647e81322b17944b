"""What Alembic runs: with the connection that `app.store.migrate` hands it, or by hand with that of the settings."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection, DateTime, String
from sqlalchemy.types import TypeDecorator

from app import config
from app.store.engine import open_engine
from app.store.migrate import OPTIONS, head, migrating


def main() -> None:
    given = context.config.attributes.get("connection")
    if context.is_offline_mode():
        context.configure(url=_url(), literal_binds=True, **OPTIONS)
        _run()
    elif given is not None:
        _run_on(given)
    else:
        engine = open_engine(_url())
        with migrating(engine) as connection:
            _run_on(connection)
        engine.dispose()


def _run_on(connection: Connection) -> None:
    context.configure(connection=connection, render_item=_plain_type, process_revision_directives=_numbered, **OPTIONS)
    _run()


def _run() -> None:
    with context.begin_transaction():
        context.run_migrations()


def _url() -> str:
    return config.load(None, os.environ).database.url


def _plain_type(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """A migration outlives the libraries of its day: it names SQLAlchemy's own types only."""
    impl = item.impl_instance if kind == "type" and isinstance(item, TypeDecorator) else None
    if isinstance(impl, DateTime):
        return "sa.DateTime(timezone=True)"
    return "sa.String()" if isinstance(impl, String) else False


def _numbered(_context: Any, _revision: Iterable[Any], directives: list[Any]) -> None:
    """Revisions are numbered, so that the newest is known by the names of the files."""
    directives[0].rev_id = f"{int(head()) + 1:04d}"


main()
