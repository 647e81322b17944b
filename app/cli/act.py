"""What all commands by people share: they are carried out or rehearsed, and what happened is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import typer

from app.cli import output, session
from app.cli.failures import IN_PART

if TYPE_CHECKING:
    from jobs.dry_run import Done
    from jobs.happenings import Happening

OPERATOR = "operator"
"""Who acts on the command line, unless the call says otherwise."""
_FINE = ("ok", "pending")


def perform(command: str, about: Sequence[str], /, *, dry_run: bool, as_json: bool, **arguments: Any) -> None:
    """Carry out a command of the product, or rehearse it on a copy of the customers `about` names.

    Arguments that are None were not given: the product has its own defaults for them.
    """
    from app.services.commands import COMMANDS
    from jobs import dry_run as rehearsals

    given = {key: value for key, value in arguments.items() if value is not None}
    act = rehearsals.rehearse if dry_run else rehearsals.carry_out
    with session.open_book() as book:
        done = act(book.ctx, about, lambda ctx: COMMANDS[command](ctx, **given))
    _show(done, dry_run, as_json)
    if any(outcome not in _FINE for outcome in done.outcomes.values()):
        raise typer.Exit(IN_PART)


def _show(done: Done, dry_run: bool, as_json: bool) -> None:
    if as_json:
        happened = [entry(each) for each in done.happened]
        output.print_json(
            {"dry_run": dry_run, "outcomes": done.outcomes, "created": done.created, "happened": happened}
        )
        return
    for ref, outcome in done.outcomes.items():
        output.say(f"{ref}: {_in_words(outcome)}")
    if done.happened:
        output.say()
        output.say("This would happen; nothing was written:" if dry_run else "This happened:")
        show_happened(done.happened)
    elif dry_run:
        output.say("Nothing was written.")


def _in_words(outcome: str) -> str:
    """A code with its sentence and what to do about it."""
    from app.domain.errors import REFUSALS

    refusal = next((each for each in REFUSALS if each.code == outcome), None)
    if refusal is not None:
        return str(refusal())
    return "the payment provider has not answered yet; it is asked again" if outcome == "pending" else outcome


def entry(happening: Happening) -> dict[str, Any]:
    """A line of a timeline for programs."""
    return {
        "on": happening.on,
        "subject": happening.subject,
        "event": happening.event,
        "from": happening.from_,
        "to": happening.to,
        "rule": happening.rule,
        "detail": happening.detail or None,
        "amount": happening.amount,
        "currency": happening.currency,
    }


def show_happened(happened: Iterable[Happening]) -> None:
    """A timeline for people."""
    rows = [
        (each.on, each.subject, change(each.event, each.from_, each.to), each.rule or "", money(each), each.detail)
        for each in happened
    ]
    output.show_table(("day", "id", "what", "rule", "amount", ""), rows)


def money(happening: Happening) -> str:
    """`730.00 EUR`, or nothing."""
    return f"{happening.amount} {happening.currency}" if happening.amount else ""


def change(event: str, before: str | None, after: str | None) -> str:
    """`expired → suspended`, or the event where no state changed."""
    if after is None:
        return event.replace("_", " ")
    return f"{before} → {after}" if before else f"→ {after}"
