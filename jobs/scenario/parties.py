"""Who is in a scenario and what they bought: `customers:` and `subscriptions:`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StrictInt, model_validator

from app.domain.values import ORDERABLE, Method, Region, TermKind
from jobs.scenario.fields import (
    Amount,
    Count,
    Country,
    Currency,
    Day,
    Email,
    Flag,
    Keys,
    Language,
    Text,
    Zone,
    one_seat_for_a_trial,
)


class NetTerms(Keys):
    """What a customer may buy by invoice (B1). A key left out is None: the default of `config.yaml`."""

    days: Annotated[StrictInt, Field(ge=0, le=3650)] | None = None
    credit_limit: Amount | None = None
    payers: tuple[Email, ...] = ()


class CustomerKeys(Keys):
    """What is known about a customer, apart from its number (O8).

    A key left out differs from one that is null: see `model_fields_set`.
    """

    name: Text = ""
    purchaser: Email = ""
    language: Language = "en"
    currency: Currency = ""
    country: Country | None = None
    region: Region | None = None
    vat_number: Text | None = None
    tax_exempt: Flag = False
    agreement_manager: Email | None = None
    primary_admin: Email | None = None
    payment: Method | None = Method.CARD
    payment_expires: Day | None = None
    timezone: Zone | None = None
    net_terms: NetTerms | None = None


class Customer(CustomerKeys):
    """One of `customers:`."""

    csn: Text
    name: Text
    purchaser: Email
    currency: Currency

    @property
    def names_its_region(self) -> bool:
        """Whether the file says the region (null too); otherwise the country decides (L1)."""
        return "region" in self.model_fields_set


class Bought(Keys):
    """One of `subscriptions:`: bought at noon of `starts_on` in the scenario's zone, or at `at`."""

    id: Text
    csn: Text
    offering: Text
    term: TermKind
    seats: Count
    starts_on: Day | None = None
    at: Text | None = None
    auto_renew: Flag | None = None
    payment: Method | None = None
    partner: Text | None = None
    currency: Currency | None = None
    timezone: Zone | None = None

    @model_validator(mode="before")
    @classmethod
    def _trial_has_a_seat(cls, given: Any) -> Any:
        return one_seat_for_a_trial(given)

    @model_validator(mode="after")
    def _is_possible(self) -> Bought:
        if self.starts_on is None and self.at is None:
            raise ValueError("starts_on (or at) is missing")
        if self.payment is not None and self.payment not in ORDERABLE:
            raise ValueError(f"payment: nothing is bought with {self.payment}")
        return self
