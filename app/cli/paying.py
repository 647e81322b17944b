"""Commands about money: invoices that are paid, and the test payment provider's switch."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import typer

from app.cli.act import OPERATOR, perform
from app.cli.parameters import Actor, AsJson, Csn, DryRun, a_word, an_amount
from app.cli.shape import ACT, command
from app.domain.values import Method

commands = typer.Typer()


@command(
    commands,
    "pay-invoices",
    ACT,
    "perennial pay-invoices 5100000002 S4 --payment card",
    "perennial pay-invoices 5100000002 S4 --payment bank_transfer --amount 100.00 --dry-run",
)
def pay_invoices(
    csn: Csn,
    invoices: Annotated[
        list[str],
        typer.Argument(metavar="INVOICE", parser=a_word, help="Numbers, or subscriptions: their open ones.",
                       show_default=False),
    ],
    payment: Annotated[Method, typer.Option(metavar="METHOD", help="card, paypal, …", show_default=False)],
    amount: Annotated[
        Decimal | None, typer.Option(metavar="AMOUNT", parser=an_amount, help="Left out: all that is open.")
    ] = None,
    by: Actor = OPERATOR,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Pay invoices of a customer (B3).

    The oldest due first; what is short leaves the rest open.
    """
    perform(
        "pay_invoices", [csn, *invoices], csn=csn, invoices=invoices, payment=payment, amount=amount, actor=by,
        dry_run=dry_run, as_json=as_json,
    )  # fmt: skip


@command(commands, "decline-payments", ACT, "perennial decline-payments 5100000001")
def decline_payments(csn: Csn, by: Actor = OPERATOR, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Have a customer's charges declined.

    A switch of the test payment provider, from now on.
    """
    perform("decline_payments", [csn], csn=csn, actor=by, dry_run=dry_run, as_json=as_json)


@command(commands, "accept-payments", ACT, "perennial accept-payments 5100000001")
def accept_payments(csn: Csn, by: Actor = OPERATOR, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Have a customer's charges taken again.

    A switch of the test payment provider, from now on.
    """
    perform("accept_payments", [csn], csn=csn, actor=by, dry_run=dry_run, as_json=as_json)
