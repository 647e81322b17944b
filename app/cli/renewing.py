"""Commands that renew, and what is asked for from the renewal day on."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.act import OPERATOR, perform
from app.cli.parameters import Actor, AsJson, DryRun, Id, Ids, a_number, a_switch, a_word
from app.cli.session import CannotUse
from app.cli.shape import ACT, command
from app.domain.values import Method, TermKind

commands = typer.Typer()

Payment = Annotated[
    Method | None, typer.Option(metavar="METHOD", help="card, paypal or direct_debit; left out: its own.")
]
AutoRenew = Annotated[
    bool | None, typer.Option("--auto-renew/--no-auto-renew", help="Renew by itself afterwards, or not.")
]
Withdraw = Annotated[bool, typer.Option("--withdraw", help="Take back what was asked for.")]


@command(commands, "renew", ACT, "perennial renew S1 --payment card", "perennial renew S1 S2 --dry-run")
def renew(
    ids: Ids,
    payment: Payment = None,
    term: Annotated[TermKind | None, typer.Option(metavar="TERM", help="Another length; one id only.")] = None,
    seats: Annotated[
        int | None, typer.Option(parser=a_number, metavar="N", help="The new number; one id only.")
    ] = None,
    auto_renew: AutoRenew = None,
    order: Annotated[
        str | None, typer.Option("--as", metavar="NAME", parser=a_word, help="A name for the order; one id only.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", "--actor", metavar="EMAIL", parser=a_word, help="Who asks; W6 says who may."),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Buy the next term (M1, M2).

    While the renewal window is open. Of several those that can be renewed are; the others are told with why.
    """
    perform(
        "renew", ids, subscriptions=ids, payment=payment, term=term, seats=seats, auto_renew=auto_renew, name=order,
        by=by, actor=by or OPERATOR, dry_run=dry_run, as_json=as_json,
    )  # fmt: skip


@command(
    commands, "set-auto-renew", ACT, "perennial set-auto-renew off S1 S2", "perennial set-auto-renew on S1 --dry-run"
)
def set_auto_renew(
    enabled: Annotated[
        bool, typer.Argument(metavar="on|off", parser=a_switch, help="The new setting.", show_default=False)
    ],
    ids: Ids,
    by: Actor = OPERATOR,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Switch automatic renewal on or off (A4).

    Of several those that can be changed are (A5). Off ends nothing early (A8).
    """
    perform("set_auto_renew", ids, subscriptions=ids, enabled=enabled, actor=by, dry_run=dry_run, as_json=as_json)


@command(
    commands,
    "change-payment-method",
    ACT,
    "perennial change-payment-method S1 --payment paypal",
    "perennial change-payment-method --csn 5100000001 --payment direct_debit --dry-run",
)
def change_payment_method(
    subscription: Annotated[
        str | None, typer.Argument(metavar="[ID]", parser=a_word, help="One subscription.", show_default=False)
    ] = None,
    payment: Annotated[
        Method, typer.Option(metavar="METHOD", help="card, paypal, direct_debit, invoice, …", show_default=False)
    ] = ...,  # type: ignore[assignment]
    csn: Annotated[
        str | None,
        typer.Option(metavar="CSN", parser=a_word, help="A customer: the default, and whatever used the old one."),
    ] = None,
    by: Actor = OPERATOR,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Change how a subscription or customer pays (A3).

    A declined charge is tried again at once (A6).
    """
    if (csn is None) == (subscription is None):
        raise CannotUse("name either a subscription or a customer (--csn)")
    perform(
        "change_payment_method", [csn or subscription or ""], payment=payment, csn=csn, subscription=subscription,
        actor=by, dry_run=dry_run, as_json=as_json,
    )  # fmt: skip


@command(commands, "change-term", ACT, "perennial change-term S1 --term monthly", "perennial change-term S2 --withdraw")
def change_term(
    subscription: Id,
    term: Annotated[TermKind | None, typer.Option(metavar="TERM", help="monthly, annual or three_year.")] = None,
    withdraw: Withdraw = False,
    by: Actor = OPERATOR,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Ask for another term, or take that back (T1).

    From the renewal day on; until then nothing is charged.
    """
    _ask("change_term", subscription, "term", term, withdraw, by, dry_run, as_json)


@command(
    commands,
    "switch-offering",
    ACT,
    "perennial switch-offering S1 --offering ALDERFRAME",
    "perennial switch-offering S2 --withdraw",
)
def switch_offering(
    subscription: Id,
    offering: Annotated[
        str | None, typer.Option(metavar="CODE", parser=a_word, help="The new product, from the renewal day on.")
    ] = None,
    withdraw: Withdraw = False,
    by: Actor = OPERATOR,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Ask for another product, or take that back (T1).

    From the renewal day on; it can be asked once the renewal window is open.
    """
    _ask("switch_offering", subscription, "offering", offering, withdraw, by, dry_run, as_json)


@command(commands, "reduce-seats", ACT, "perennial reduce-seats S1 --seats 1", "perennial reduce-seats S2 --withdraw")
def reduce_seats(
    subscription: Id,
    seats: Annotated[
        int | None, typer.Option(metavar="N", parser=a_number, help="The new number, from the renewal day on.")
    ] = None,
    withdraw: Withdraw = False,
    by: Actor = OPERATOR,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Ask for fewer seats, or take that back (P5).

    From the renewal day on; the number is the new one.
    """
    _ask("reduce_seats", subscription, "seats", seats, withdraw, by, dry_run, as_json)


def _ask(name: str, ref: str, key: str, wanted: object, withdraw: bool, by: str, dry_run: bool, as_json: bool) -> None:
    """A change from the renewal day on: a new value, or its withdrawal."""
    if (wanted is None) != withdraw:
        raise CannotUse(f"say either --{key} or --withdraw")
    change = {key: wanted, "withdraw": withdraw or None}
    perform(name, [ref], subscription=ref, actor=by, dry_run=dry_run, as_json=as_json, **change)
