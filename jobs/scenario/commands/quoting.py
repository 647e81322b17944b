"""Quotes: made, accepted, and taken back."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from app.domain.values import Method, TermKind
from jobs.scenario.commands.base import Command, Payer
from jobs.scenario.fields import Amount, Currency, Day, Flag, Text, Whole

QuoteKind = Literal["new", "alignment", "renewal"]
"""Q4."""


class CreateQuote(Command):
    """A quote (Q1-Q5). `csn` and `offering` serve the kind `new`, which renews nothing (Q4)."""

    do: Literal["create_quote"]
    as_: Text = Field(alias="as")
    source: Literal["self_service", "partner", "sales"]
    subscriptions: tuple[Text, ...] = ()
    csn: Text | None = None
    kind: QuoteKind | dict[Text, QuoteKind] | None = None
    partner: Text | None = None
    recipients: tuple[Text, ...] | None = None
    offering: Text | None = None
    term: TermKind | None = None
    seats: Whole | None = None
    currency: Currency | None = None
    starts_on: Day | None = None
    align_to: Text | None = None
    credit_line: Flag | Amount | None = None

    @model_validator(mode="after")
    def _is_about_somebody(self) -> CreateQuote:
        if "subscriptions" not in self.model_fields_set and not (self.is_new and self.csn):
            raise ValueError("subscriptions is missing")
        if isinstance(self.kind, dict):
            strangers = sorted(set(self.kind) - set(self.subscriptions))
            if strangers:
                raise ValueError(f"kind names {strangers[0]}, which is not among the subscriptions")
        return self

    @property
    def is_new(self) -> bool:
        """Whether accepting it makes a new subscription (Q4, C5)."""
        return self.kind == "new" or (isinstance(self.kind, dict) and "new" in self.kind.values())


class AcceptQuote(Command):
    """Buys everything on a quote (Q9). `as` names the order."""

    do: Literal["accept_quote"]
    quote: Text
    payment: Method
    payer: Payer | None = None
    auto_renew: Flag | None = None
    as_: Text | None = Field(None, alias="as")


class CancelQuote(Command):
    """Takes a quote back (Q6)."""

    do: Literal["cancel_quote"]
    quote: Text
    by: Literal["customer", "partner", "sales"]


class UpdateAddress(Command):
    """Tries to edit a sent quote (Q6)."""

    do: Literal["update_address"]
    quote: Text
