"""The small types of a scenario file: what a text, an amount, a day or an instant may look like."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt

from app.domain.calendar import zone
from app.domain.money import exponent

_LONGEST_TEXT = 500
_LARGEST_NUMBER = 10**9
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_COUNTRY = re.compile(r"[A-Z]{2}")


def text(value: object) -> str:
    """A word or sentence on one line. A bare number is a word too: `csn: 5100000001` needs no quotes.

    Raises ValueError for anything else, and for characters that would move a reader's terminal.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be text")
    if len(value) > _LONGEST_TEXT or not value.isprintable():
        raise ValueError(f"must be one line of at most {_LONGEST_TEXT} characters")
    return value


def day(value: object) -> date:
    """An ISO date such as 2026-06-09. Raises ValueError for any other spelling (20260609, 2026-6-9)."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("must be a date such as 2026-06-09")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value} is not in the calendar") from None


def amount(value: object) -> str:
    """An exact amount as text, "730.00"; a negative one is left to the product to refuse (B3)."""
    written = text(value)
    if not _AMOUNT.fullmatch(written):
        raise ValueError('must be an amount such as "730.00"')
    return written


def email(value: object) -> str:
    """An e-mail address, as far as its form can tell."""
    written = text(value)
    if not _EMAIL.fullmatch(written):
        raise ValueError("must be an e-mail address")
    return written


def currency(value: object) -> str:
    """An ISO currency code in capitals."""
    written = text(value)
    try:
        exponent(written)
    except ValueError:
        raise ValueError("must be an ISO currency code such as EUR") from None
    return written


def country(value: object) -> str:
    """A two-letter ISO country code in capitals."""
    written = text(value)
    if not _COUNTRY.fullmatch(written):
        raise ValueError("must be an ISO country code such as NL")
    return written


def timezone(value: object) -> str:
    """The name of an IANA time zone (D1)."""
    written = text(value)
    try:
        zone(written)
    except (KeyError, ValueError, OSError):
        # OSError: "Europe" is a directory of the time zone database, not a zone.
        raise ValueError("must be an IANA time zone such as Europe/Brussels") from None
    return written


Text = Annotated[str, BeforeValidator(text)]
Amount = Annotated[str, BeforeValidator(amount)]
Email = Annotated[str, BeforeValidator(email)]
Currency = Annotated[str, BeforeValidator(currency)]
Country = Annotated[str, BeforeValidator(country)]
Zone = Annotated[str, BeforeValidator(timezone)]
Day = Annotated[date, BeforeValidator(day)]
Flag = StrictBool
Whole = Annotated[StrictInt, Field(ge=-_LARGEST_NUMBER, le=_LARGEST_NUMBER)]
"""Any whole number, also 0 and below: what is impossible the product refuses with a code."""
Count = Annotated[StrictInt, Field(ge=1, le=_LARGEST_NUMBER)]
Language = Literal["en", "nl", "nb", "de"]
"""The customer's language (W5)."""


class Keys(BaseModel):
    """A mapping of the file. A key that it does not know is a mistake, never passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def one_seat_for_a_trial(given: Any) -> Any:
    """A trial has one seat unless the file says otherwise; whatever else is sold says how many."""
    if isinstance(given, dict) and given.get("term") == "trial" and "seats" not in given:
        return {**given, "seats": 1}
    return given
