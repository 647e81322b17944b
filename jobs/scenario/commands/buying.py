"""Buying: purchases, trials that become purchases, added seats, extensions and returns."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from app.domain.values import Method, TermKind
from jobs.scenario.commands.base import Command, Payer
from jobs.scenario.fields import Currency, Flag, Keys, Text, Whole, one_seat_for_a_trial

_LINE_KEYS = ("as", "offering", "term", "seats")


class BuyItem(Keys):
    """One line of a purchase. A trial without `seats` has one."""

    as_: Text = Field(alias="as")
    offering: Text
    term: TermKind
    seats: Whole

    @model_validator(mode="before")
    @classmethod
    def _trial_has_a_seat(cls, given: Any) -> Any:
        return one_seat_for_a_trial(given)


class Buy(Command):
    """A purchase of one line, or of several under `items` (O1).

    A purchase of one line is spelled without `items`; to those who play it, it has one item all the same.
    """

    do: Literal["buy"]
    csn: Text
    payment: Method
    items: Annotated[tuple[BuyItem, ...], Field(min_length=1)]
    auto_renew: Flag | None = None
    partner: Text | None = None
    payer: Payer | None = None
    currency: Currency | None = None

    @model_validator(mode="before")
    @classmethod
    def _single_line(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "items" in given:
            return given
        line = {key: given[key] for key in _LINE_KEYS if key in given}
        rest = {key: value for key, value in given.items() if key not in _LINE_KEYS}
        return {**rest, "items": [line]}


class ConvertTrial(Command):
    """A trial becomes a purchase (O4)."""

    do: Literal["convert_trial"]
    subscription: Text
    as_: Text = Field(alias="as")
    term: TermKind
    seats: Whole
    payment: Method
    email: Text | None = None
    auto_renew: Flag | None = None


class AddSeats(Command):
    """More seats at once (P3, P4); `seats` is how many more."""

    do: Literal["add_seats"]
    subscription: Text
    seats: Whole
    payment: Method | None = None


class Extend(Command):
    """A new end date, that of another subscription (C1)."""

    do: Literal["extend"]
    subscription: Text
    align_to: Text
    payment: Method | None = None


class ReturnOrder(Command):
    """The latest purchase or renewal goes back (R1, R2)."""

    do: Literal["return_order"]
    subscription: Text
