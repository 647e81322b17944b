"""What waits: subscriptions that could not be processed, and mails that are to be sent."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from app.cli import output, session
from app.cli.failures import IN_PART
from app.cli.parameters import AsJson
from app.cli.shape import LOOK, WORK, command

commands = typer.Typer()


@command(commands, "stuck", WORK, "perennial stuck", "perennial stuck --retry")
def stuck(
    retry: Annotated[bool, typer.Option("--retry", help="Try each again now.")] = False, as_json: AsJson = False
) -> None:
    """List what could not be processed, with why.

    The daemon tries it again by itself (J5).
    """
    from app.services import browse
    from jobs import runner

    with session.open_book() as book:
        freed = runner.retry_stuck(book.ctx, timedelta(0), "hand") if retry else 0
        left = browse.stuck(book.ctx)
    if as_json:
        output.print_json({"retried": retry, "freed": freed, "stuck": left})
    else:
        _tell_stuck(left, freed, retry)
    if retry and left:
        raise typer.Exit(IN_PART)


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
