"""Looking at the book: lists and single things."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import typer

from app.cli import output, session
from app.cli.parameters import AsJson, Zone, a_day, a_word
from app.cli.shape import LOOK, command
from app.domain.states import State
from app.domain.values import Reason, TermKind

commands = typer.Typer()

_LISTS = ("invoices", "installments", "charges", "quotes", "notices", "transitions")
_MOST = 100_000


@command(
    commands,
    "list",
    LOOK,
    "perennial list --state expired --state suspended",
    "perennial list --due-before 2027-01-01 --json",
)
def list_subscriptions(
    state: Annotated[
        list[State] | None, typer.Option(metavar="STATE", help="Only this state; may be repeated.")
    ] = None,
    customer: Annotated[str | None, typer.Option(metavar="CSN", parser=a_word, help="Only this customer.")] = None,
    offering: Annotated[str | None, typer.Option(metavar="CODE", parser=a_word, help="Only this product.")] = None,
    term: Annotated[TermKind | None, typer.Option(metavar="TERM", help="Only terms of this length.")] = None,
    zone: Zone = None,
    due_before: Annotated[
        date | None,
        typer.Option(metavar="DATE", parser=a_day, help="Only with a next event before this day."),
    ] = None,
    reason: Annotated[Reason | None, typer.Option(metavar="REASON", help="Only this reason of a shutoff.")] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=_MOST, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List subscriptions, with what comes next.

    In the order in which they came into the book.
    """
    from app.services import browse

    with session.open_book() as book:
        filters = browse.Filters(tuple(state or ()), customer, offering, term, zone, reason, due_before)
        found = browse.subscriptions(book.ctx, filters, limit)
    for line in found.unreadable:
        output.warn(f"cannot be shown: {line}")
    if as_json:
        output.print_json({"subscriptions": found.rows, "more": found.is_more})
        return
    if not found.rows:
        output.say("No subscription fits." if _is_filtered(filters) else "The book has no subscriptions yet.")
        return
    output.show_table(_HEADINGS, [_cells(row) for row in found.rows])
    if found.is_more:
        output.say(f"… and more; --limit {limit * 2} shows the next ones too.")


_HEADINGS = ("id", "customer", "product", "state", "until", "next")


def _is_filtered(filters: Any) -> bool:
    return any(getattr(filters, name) for name in filters.__slots__)


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    ahead = row["next"]
    coming = f"{ahead['on']} {ahead['event'].replace('_', ' ')}" if ahead else None
    state = f"{row['state']} ({row['reason']})" if row["reason"] else row["state"]
    product = f"{row['offering']} {row['term']} x{row['seats']}"
    return (row["id"], f"{row['csn']} {row['customer']}", product, state, row["dates"], coming)


@command(commands, "show", LOOK, "perennial show S1", "perennial show 5100000001 --json")
def show(
    name: Annotated[
        str,
        typer.Argument(metavar="ID", parser=a_word, help="A subscription, a customer number or a quote.",
                       show_default=False),
    ],
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Show everything about one.

    A subscription with its invoices, installments, charges, quotes, mails, moves and users; or a customer; or a quote.
    """
    with session.open_book() as book:
        found = _look_up(book.ctx, name)
    if as_json:
        output.print_json(found)
        return
    output.show_table(("", ""), [(key.replace("_", " "), value) for key, value in found.items() if key not in _LISTS])
    for key in _LISTS:
        if rows := found.get(key):
            output.say()
            output.say(key.capitalize())
            output.show_table(tuple(rows[0]), [tuple(row.values()) for row in rows])


def _look_up(ctx: Any, name: str) -> dict[str, Any]:
    """Whatever has that name; ids of subscriptions go first."""
    from app.domain.errors import UnknownSubject
    from app.services import browse, lists, views

    if view := browse.details(ctx, name):
        return view | {each: lists.of(ctx, f"{each}_of", name) for each in _LISTS}
    if view := views.customer(ctx, name):
        return {"csn": name, **view}
    if view := views.quote(ctx, name):
        return {"quote": name, **view}
    raise UnknownSubject(name)
