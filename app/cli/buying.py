"""Commands that buy: new subscriptions, trials that become purchases, quotes, other end dates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.act import OPERATOR, perform
from app.cli.parameters import Actor, AsJson, Csn, DryRun, Id, a_number, a_word, a_zone
from app.cli.renewing import AutoRenew, Payment
from app.cli.session import CannotUse
from app.cli.shape import ACT, command
from app.domain.values import Method, TermKind

if TYPE_CHECKING:
    from app.services.commands.buying import Item

commands = typer.Typer()

New = Annotated[
    str, typer.Option("--as", metavar="ID", parser=a_word, help="The id of the new subscription.", show_default=False)
]
Term = Annotated[TermKind, typer.Option(metavar="TERM", help="monthly, annual or three_year.", show_default=False)]
Paid = Annotated[Method, typer.Option(metavar="METHOD", help="card, paypal or direct_debit.", show_default=False)]


@command(
    commands,
    "buy",
    ACT,
    "perennial buy 5100000001 --item S9:FERNLINE:annual:2 --payment card",
    "perennial buy 5100000001 --item T9:FERNLINE:trial:1 --dry-run",
)
def buy(
    csn: Csn,
    items: Annotated[
        list[str],
        typer.Option("--item", metavar="ID:OFFERING:TERM:SEATS", parser=a_word, help="A line; may be repeated.",
                     show_default=False),
    ],
    payment: Annotated[Method | None, typer.Option(metavar="METHOD", help="Left out: the customer's way.")] = None,
    auto_renew: AutoRenew = None,
    partner: Annotated[str | None, typer.Option(metavar="NUMBER", parser=a_word, help="Sold by this one.")] = None,
    currency: Annotated[str | None, typer.Option(metavar="CODE", parser=a_word, help="Not the customer's.")] = None,
    timezone: Annotated[str | None, typer.Option(metavar="NAME", parser=a_zone, help="Not the customer's.")] = None,
    by: Actor = OPERATOR,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Buy new subscriptions in one order (S1, O1)."""
    lines = [_item(written) for written in items]
    perform(
        "buy", [csn, *(line.ref for line in lines)], csn=csn, items=lines, payment=payment, auto_renew=auto_renew,
        partner=partner, currency=currency, timezone=timezone, actor=by, dry_run=dry_run, as_json=as_json,
    )  # fmt: skip


def _item(written: str) -> Item:
    """`S9:FERNLINE:annual:2`; the id itself may hold colons."""
    from app.services.commands.buying import Item

    parts = written.rsplit(":", 3)
    try:
        ref, offering, term, seats = parts
        return Item(a_word(ref), offering, TermKind(term), a_number(seats))
    except ValueError:
        terms = ", ".join(TermKind)
        raise CannotUse(f'--item "{written}" is not ID:OFFERING:TERM:SEATS (terms: {terms})') from None


@command(commands, "convert-trial", ACT, "perennial convert-trial T1 --as S9 --term annual --seats 1 --payment card")
def convert_trial(
    subscription: Id,
    new: New,
    term: Term,
    seats: Annotated[int, typer.Option(metavar="N", parser=a_number, help="How many.", show_default=False)],
    payment: Paid,
    email: Annotated[str | None, typer.Option(metavar="EMAIL", parser=a_word, help="Who converts it (O4).")] = None,
    auto_renew: AutoRenew = None,
    by: Actor = OPERATOR,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Turn a trial into a purchase (O4).

    The trial is over at once.
    """
    perform(
        "convert_trial", [subscription, new], subscription=subscription, name=new, term=term, seats=seats,
        payment=payment, email=email, auto_renew=auto_renew, actor=by, dry_run=dry_run, as_json=as_json,
    )  # fmt: skip


@command(
    commands,
    "accept-quote",
    ACT,
    "perennial accept-quote S1 --payment card --dry-run",
    "perennial accept-quote Q00000001 --payment card",
)
def accept_quote(
    quote: Annotated[
        str,
        typer.Argument(metavar="QUOTE", parser=a_word, help="Its number, or a subscription's only open one.",
                       show_default=False),
    ],
    payment: Paid,
    auto_renew: AutoRenew = None,
    order: Annotated[
        str | None, typer.Option("--as", metavar="NAME", parser=a_word, help="A name for the order.")
    ] = None,
    by: Actor = OPERATOR,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Renew everything on a quote (Q9).

    At its prices, at once and together: all or nothing.
    """
    perform(
        "accept_quote", [quote], quote=quote, payment=payment, auto_renew=auto_renew, name=order, actor=by,
        dry_run=dry_run, as_json=as_json,
    )  # fmt: skip


@command(commands, "extend", ACT, "perennial extend S1 --align-to S2 --dry-run")
def extend(
    subscription: Id,
    align_to: Annotated[
        str,
        typer.Option(metavar="ID", parser=a_word, help="The subscription whose end date it gets.", show_default=False),
    ],
    payment: Payment = None,
    by: Actor = OPERATOR,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Extend to another one's end date (C1).

    Both belong to one customer, and the other one ends later.
    """
    perform(
        "extend", [subscription, align_to], subscription=subscription, align_to=align_to, payment=payment, actor=by,
        dry_run=dry_run, as_json=as_json,
    )  # fmt: skip
