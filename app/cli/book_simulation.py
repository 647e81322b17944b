"""`perennial simulate --book`: what the jobs would make of the whole book, as sums, days and a picture."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli import output, session
from app.cli.session import CannotUse

if TYPE_CHECKING:
    from jobs.book_simulation import BookSimulation

_PICTURES = (".svg", ".png")
_DAYS_SHOWN = 40


def play(until: date, picture: Path | None, as_json: bool) -> None:
    """Play a copy of the book to the end of a day and show what came of it."""
    from jobs.book_simulation import simulate_book

    if picture is not None and picture.suffix.lower() not in _PICTURES:
        raise CannotUse(f"--picture {picture}: the name must end in {' or '.join(_PICTURES)}")
    with session.open_book() as book, output.progress("days") as bar:

        def progress(first: date, reached: date, last: date) -> None:
            bar((reached - first).days + 1, (last - first).days + 1)

        found = simulate_book(book.ctx, until, progress)
    if picture is not None:
        from jobs.pictures import states_over_time

        states_over_time(found, picture)
    if as_json:
        output.print_json(found.as_json())
    else:
        _tell(found)
        if picture is not None:
            output.say(f"The states over time are drawn in {picture}.")


def _tell(found: BookSimulation) -> None:
    subscriptions = output.counted(found.subscriptions, "subscription")
    output.say(f"{subscriptions} from {found.starts_on} to {found.until}; the book itself is as it was.")
    rows = [(kind, name, number) for kind, names in found.totals().items() for name, number in names.items()]
    if not rows:
        output.say("Nothing happens.")
        return
    output.say()
    output.show_table(("", "", "in all"), rows)
    _tell_money(found)
    _tell_states(found)
    for each in found.stuck:
        output.warn(f"{each.subscription} could not be processed ({each.due} of {each.due_on}): {each.error}")


def _tell_money(found: BookSimulation) -> None:
    from app.domain.money import show

    if found.money:
        amounts = [
            (
                currency,
                *(show(minor, currency) for minor in (sums.charged_minor, sums.declined_minor, sums.invoiced_minor)),
            )
            for currency, sums in found.money.items()
        ]
        output.say()
        output.show_table(("currency", "charged", "declined", "invoiced"), amounts)


def _tell_states(found: BookSimulation) -> None:
    """How many are in each state: on days spread over the time, the last one included."""
    days = list(found.states)
    step = -(-len(days) // _DAYS_SHOWN)
    shown = sorted({*days[::step], *days[-1:]})
    names = [name for name in found.states[days[0]] if any(found.states[day][name] for day in days)]
    output.say()
    output.show_table(("end of", *names), [(day, *(found.states[day][name] for name in names)) for day in shown])
