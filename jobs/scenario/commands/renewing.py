"""Renewing: by hand, by itself, and what is asked for from the renewal day on."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from app.domain.values import Method, TermKind
from jobs.scenario.commands.base import Command, Payer, exactly_one
from jobs.scenario.fields import Flag, Text, Whole


class Renew(Command):
    """Renewal by hand, one or many (M1). `as` names the order; `seats` is the new number."""

    do: Literal["renew"]
    is_bulk: ClassVar[bool] = True
    subscriptions: tuple[Text, ...]
    payment: Method | None = None
    term: TermKind | None = None
    seats: Whole | None = None
    auto_renew: Flag | None = None
    payer: Payer | None = None
    by: Text | None = None
    as_: Text | None = Field(None, alias="as")


class SetAutoRenew(Command):
    """Automatic renewal on or off, one or many (A4, A5)."""

    do: Literal["set_auto_renew"]
    is_bulk: ClassVar[bool] = True
    subscriptions: tuple[Text, ...]
    enabled: Flag


class ChangePaymentMethod(Command):
    """Of one subscription, or of a customer: its default and whoever used the old default."""

    do: Literal["change_payment_method"]
    payment: Method
    csn: Text | None = None
    subscription: Text | None = None

    @model_validator(mode="after")
    def _names_one(self) -> ChangePaymentMethod:
        exactly_one(csn=self.csn, subscription=self.subscription)
        return self


class ChangeTerm(Command):
    """Another term from the renewal day on (T1); `withdraw` takes it back."""

    do: Literal["change_term"]
    subscription: Text
    term: TermKind | None = None
    withdraw: Flag = False

    @model_validator(mode="after")
    def _says_what(self) -> ChangeTerm:
        _value_or_withdraw("term", self.term, self.withdraw)
        return self


class SwitchOffering(Command):
    """Another product from the renewal day on (T1); `withdraw` takes it back."""

    do: Literal["switch_offering"]
    subscription: Text
    offering: Text | None = None
    withdraw: Flag = False

    @model_validator(mode="after")
    def _says_what(self) -> SwitchOffering:
        _value_or_withdraw("offering", self.offering, self.withdraw)
        return self


class ReduceSeats(Command):
    """Fewer seats from the renewal day on (P5); `seats` is the new number."""

    do: Literal["reduce_seats"]
    subscription: Text
    seats: Whole | None = None
    withdraw: Flag = False

    @model_validator(mode="after")
    def _says_what(self) -> ReduceSeats:
        _value_or_withdraw("seats", self.seats, self.withdraw)
        return self


class RenewalGroups(Command):
    """Asks how a bulk renewal would be split (Q3)."""

    do: Literal["renewal_groups"]
    csn: Text | None = None
    subscriptions: tuple[Text, ...] | None = None

    @model_validator(mode="after")
    def _names_one(self) -> RenewalGroups:
        exactly_one(csn=self.csn, subscriptions=self.subscriptions)
        return self


def _value_or_withdraw(name: str, value: object, withdraw: bool) -> None:
    if value is None and not withdraw:
        raise ValueError(f"{name} is missing (or withdraw: true)")
