"""Commands of the scenario format that this version does not have: they say so, and exit with status 4."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.shape import LATER, command
from app.domain.errors import NotInThisVersion

commands = typer.Typer()

MISSING = {
    "create-quote": "Make a quote (Q1-Q5).",
    "renewal-groups": "Split a bulk renewal into quotes (Q3).",
    "cancel-quote": "Take a quote back (Q6).",
    "update-address": "Try to edit a sent quote (Q6).",
    "receive-payment": "Book money that arrives by itself (M3).",
    "return-order": "Send the latest purchase or renewal back (R1, R2).",
    "clear-prepay": "Let a customer buy by invoice again (L8).",
    "update-customer": "Change a customer's data (O8).",
    "reverse-payment": "Open a paid invoice again (B7).",
    "credit-invoice": "Credit an invoice, in whole or part (B8).",
    "pay-out": "Pay a cash balance out (B8).",
    "extend-grace": "Move the next stage of a lapse (L10).",
    "stop-daemon": "In scenarios; here a daemon ends by Ctrl-C.",
    "start-daemon": "In scenarios; here: perennial daemon.",
    "run-job": "In scenarios; here: perennial job run.",
}

_ANYTHING = {"ignore_unknown_options": True, "allow_extra_args": True}


def _declare(name: str, purpose: str) -> None:
    @command(commands, name, LATER, f"perennial {name}", help=purpose, context_settings=_ANYTHING)
    def answer(words: Annotated[list[str] | None, typer.Argument(hidden=True)] = None) -> None:
        raise NotInThisVersion(f"{name}. {purpose}")


for _name, _purpose in MISSING.items():
    _declare(_name, _purpose)
