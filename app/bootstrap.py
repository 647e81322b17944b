"""Wires the parts of a running installation: the only place that chooses real, test or simulated ones."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from app.clock import Clock, SystemClock
from app.config import Settings
from app.domain.mail import Mailer
from app.domain.payments import Provider
from app.effects.book_provider import BookProvider
from app.effects.mail_files import MailFiles
from app.services.context import Context
from app.store.engine import open_engine
from app.store.migrate import upgrade


@dataclass(frozen=True, slots=True)
class Book:
    """A live book: its settings, what use cases are given, and who carries its mail."""

    settings: Settings
    ctx: Context
    mailer: Mailer

    @property
    def engine(self) -> Engine:
        return self.ctx.engine

    def close(self) -> None:
        self.engine.dispose()


def open_book(
    settings: Settings, *, clock: Clock | None = None, provider: Provider | None = None, migrate: bool = True
) -> Book:
    """Open the configured database, bring its schema up to date, and wire the parts to it."""
    engine = open_engine(settings.database.url)
    if migrate:
        upgrade(engine)
    ctx = Context(
        engine,
        settings.policy,
        settings.catalogue,
        clock or SystemClock(),
        provider or BookProvider(engine),
        page_size=settings.daemon.page_size,
        default_timezone=settings.defaults.timezone,
    )
    return Book(settings, ctx, MailFiles(settings.daemon.outbox_folder, settings.policy))
