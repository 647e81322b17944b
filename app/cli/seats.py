"""Commands about seats and who sits on them."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.act import OPERATOR, perform
from app.cli.parameters import Actor, AsJson, DryRun, Id, a_number, a_word
from app.cli.renewing import Payment
from app.cli.shape import ACT, command

commands = typer.Typer()

Email = Annotated[str, typer.Argument(metavar="EMAIL", parser=a_word, help="The user.", show_default=False)]


@command(commands, "add-seats", ACT, "perennial add-seats S1 --seats 2 --dry-run")
def add_seats(
    subscription: Id,
    seats: Annotated[int, typer.Option(metavar="N", parser=a_number, help="How many more.", show_default=False)],
    payment: Payment = None,
    by: Actor = OPERATOR,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Add seats at once (P3, P4).

    Until the end of the running term.
    """
    perform(
        "add_seats", [subscription], subscription=subscription, seats=seats, payment=payment, actor=by,
        dry_run=dry_run, as_json=as_json,
    )  # fmt: skip


@command(commands, "assign-user", ACT, "perennial assign-user S1 ada@noord.example")
def assign_user(
    subscription: Id, email: Email, by: Actor = OPERATOR, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Give a user a seat (O6, S4)."""
    perform(
        "assign_user", [subscription], subscription=subscription, email=email, actor=by, dry_run=dry_run,
        as_json=as_json,
    )  # fmt: skip


@command(commands, "unassign-user", ACT, "perennial unassign-user S1 bo@noord.example")
def unassign_user(
    subscription: Id, email: Email, by: Actor = OPERATOR, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Take a user's seat back (S4)."""
    perform(
        "unassign_user", [subscription], subscription=subscription, email=email, actor=by, dry_run=dry_run,
        as_json=as_json,
    )  # fmt: skip
