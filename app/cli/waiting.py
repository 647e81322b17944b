"""What waits: subscriptions that could not be processed, and mails that are to be sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import output, session
from app.cli.failures import IN_PART
from app.cli.parameters import AsJson, DryRun
from app.cli.shape import LOOK, WORK, command

if TYPE_CHECKING:
    from app.services.context import Context

commands = typer.Typer()


@command(commands, "stuck", WORK, "perennial stuck", "perennial stuck --retry")
def stuck(
    retry: Annotated[bool, typer.Option("--retry", help="Try each again now.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """List what could not be processed, with why.

    The daemon tries it again by itself (J5).
    """
    from app.services import browse
    from jobs import runner

    with session.open_book() as book, _on(book.ctx, dry_run) as ctx:
        freed = runner.retry_stuck(ctx, timedelta(0), "hand") if retry else 0
        left = browse.stuck(ctx)
    if as_json:
        output.print_json({"dry_run": dry_run, "retried": retry, "freed": freed, "stuck": left})
    else:
        _tell_stuck(left, freed, retry)
    if retry and left:
        raise typer.Exit(IN_PART)


@contextmanager
def _on(ctx: Context, dry_run: bool) -> Iterator[Context]:
    """The live book, or a throw-away copy of what is set aside."""
    if not dry_run:
        yield ctx
        return
    from app.services import browse
    from jobs.dry_run import copied

    with copied(ctx, browse.customers_of(ctx, [row["id"] for row in browse.stuck(ctx)])) as copy:
        yield copy


def _tell_stuck(left: list[dict[str, Any]], freed: int, retry: bool) -> None:
    if retry:
        output.say(f"{freed} done now.")
    if not left:
        output.say("Nothing is set aside.")
        return
    keys = ("id", "due", "due_on", "tries", "last_at", "error")
    output.show_table(
        ("id", "due", "since", "tries", "last tried", "error"), [[row[key] for key in keys] for row in left]
    )


class MailState(StrEnum):
    """What becomes of a mail (W4)."""

    PENDING = "pending"
    SENT = "sent"
    DROPPED = "dropped"


@command(commands, "outbox", LOOK, "perennial outbox --state pending", "perennial outbox --json")
def outbox(
    state: Annotated[MailState | None, typer.Option(metavar="STATE", help="pending, sent or dropped.")] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=0, max=10_000, help="At most so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the mails that wait, were sent or dropped.

    How many there are of each, and the latest of them.
    The daemon sends them, every minute; so does: perennial job run deliver.
    """
    from app.services import browse

    with session.open_book() as book:
        counts, rows = browse.outbox(book.ctx, state, limit)
    if as_json:
        output.print_json({"counts": counts, "latest": rows})
        return
    output.say(", ".join(f"{count} {name}" for name, count in counts.items()))
    if rows:
        keys = ("due_on", "id", "kind", "to", "language", "state", "detail")
        output.show_table(
            ("due", "id", "kind", "to", "language", "state", ""), [[row[key] for key in keys] for row in rows]
        )
