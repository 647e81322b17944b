"""The columns of an imported book, and what a cell of each may say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from app.domain import calendar, money

CUSTOMER_COLUMNS = {
    "name": "the customer's name",
    "purchaser": "the e-mail address of who buys and renews",
    "language": "en, nl, nb or de; left out: en",
    "currency": "ISO code, such as EUR",
    "country": "ISO code, such as NL; left out: not taxed",
    "region": "EEA, UK, CH, CA or none; left out: from the country (L1)",
    "timezone": "IANA name, such as Europe/Brussels; left out: that of the settings (D1)",
    "vat_number": "VAT number (O3)",
    "tax_exempt": "true or false (O3)",
    "agreement_manager": "an e-mail address (W6)",
    "primary_admin": "an e-mail address (W6)",
    "payment_expires": "last day of its card (A9)",
    "payers": "e-mail addresses, separated by spaces or ; (B1)",
    "net_days": "days from an invoice to its due date (B1)",
    "credit_limit": "what may be owed at most (B1)",
    "prepay_required": "true after an unpaid invoice (L8)",
}
"""Said of a customer, beside its number. The first row of a customer says them, later ones may repeat them."""

SUBSCRIPTION_COLUMNS = {
    "csn": "the customer's number",
    "id": "what the subscription is called; one row for each",
    "offering": "its code in the catalogue",
    "term": "monthly, annual, three_year or trial (D3)",
    "seats": "how many; one for a trial",
    "starts_on": "first day of the running term; left out: from ends_on",
    "ends_on": "last day of the running term; left out: from starts_on (D3)",
    "anchor_day": "day of the month on which its terms begin; left out: from the dates (D3)",
    "state": "where it stands: trial, active, renewable, expired, suspended, canceled, returned, trial_ended (S1)",
    "reason": "why it is in a lapse: non_renewal, non_payment, payment_failed (S2)",
    "lapse_on": "X, the day that started the shutoff; left out: the end of the term (L2)",
    "grace_days": "days by which an operator has moved the shutoff (L10)",
    "auto_renew": "true or false; left out: as for a purchase (A1)",
    "payment": "its payment method (A3)",
    "partner": "the partner it was bought from",
    "regime_on": "day of the latest purchase, renewal or extension; left out: starts_on (L1)",
    "users": "e-mail addresses on its seats, first assigned first, separated by spaces or ; (O6)",
    "subscription_timezone": "where it differs from the customer's (D1)",
    "subscription_currency": "where it differs from the customer's",
    "scheduled_term": "length of the next term, where that is bought already (M2)",
    "scheduled_seats": "its seats; left out: as now",
    "scheduled_offering": "its offering; left out: as now",
    "term_price": "what a three-year term costs without tax; left out: the list price (I1)",
    "installments_paid": "yearly parts paid so far, 0 to 3; left out: those whose day has passed (I1)",
    "owed": "what is unpaid of an invoice for the running term; left out: its price (L2)",
    "owed_due_on": "when that was or is due; left out: lapse_on in a non-payment lapse",
}
"""Said of a subscription. Dates are ISO dates, `today`, `today-45` or `today+12`: counted from the import."""

COLUMNS = SUBSCRIPTION_COLUMNS | CUSTOMER_COLUMNS
REQUIRED = ("csn", "id", "offering", "term", "state")

_LONGEST = 500
_MOST = 10**9
_YEARS = range(1970, 2200)
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})|today(?:([+-][0-9]{1,5}))?")
_EMAIL = re.compile(r"[^@\s;,<>]+@[^@\s;,<>]+")
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_LIST = re.compile(r"[\s;,]+")
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not imported: its line in the file, the column at fault where there is one, and why."""

    line: int
    column: str | None
    reason: str


class Bad(Exception):
    """A cell, or a row as a whole, that cannot be imported."""

    def __init__(self, column: str | None, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file: its cells that say something, by column. Every method raises `Bad`."""

    line: int
    cells: Mapping[str, str]

    def word(self, column: str) -> str | None:
        """The cell's text, or None for an empty one."""
        return self.need(column) if column in self.cells else None

    def need(self, column: str) -> str:
        """The text of a cell that must say something."""
        cell = self.cells.get(column)
        if cell is None:
            raise Bad(column, "is missing")
        if len(cell) > _LONGEST:
            raise Bad(column, f"is longer than {_LONGEST} characters")
        return cell

    def choice(self, column: str, words: type[Word]) -> Word | None:
        """One of the words of a vocabulary."""
        cell = self.cells.get(column)
        return None if cell is None else self.need_choice(column, words)

    def need_choice(self, column: str, words: type[Word]) -> Word:
        """The same of a cell that must say something."""
        found: Word = _chosen(column, self.need(column), words)
        return found

    def day(self, column: str, today: date) -> date | None:
        """A date, or one counted from the day of the import."""
        cell = self.cells.get(column)
        if cell is None:
            return None
        said = _day(cell)
        if said is None:
            raise Bad(column, f'"{cell}" is no date: write 2026-06-09, today, today-45 or today+12')
        on = said if isinstance(said, date) else today + timedelta(days=said)
        if on.year not in _YEARS:
            raise Bad(column, f"{on} is not between {_YEARS[0]} and {_YEARS[-1]}")
        return on

    def count(self, column: str, least: int, most: int = _MOST) -> int | None:
        """A whole number between two."""
        cell = self.cells.get(column)
        if cell is None:
            return None
        if not (cell.isascii() and cell.isdigit() and len(cell) <= 10 and least <= int(cell) <= most):
            raise Bad(column, f'"{cell}" is no whole number from {least} to {most}')
        return int(cell)

    def flag(self, column: str) -> bool | None:
        """True or false."""
        cell = self.cells.get(column)
        if cell is None:
            return None
        if cell.casefold() not in _FLAGS:
            raise Bad(column, f'"{cell}" is neither true nor false')
        return _FLAGS[cell.casefold()]

    def amount(self, column: str, currency: str) -> int | None:
        """An amount in the currency's minor units."""
        cell = self.cells.get(column)
        if cell is None:
            return None
        if not _AMOUNT.fullmatch(cell):
            raise Bad(column, f'"{cell}" is no amount such as 730.00')
        try:
            return money.exact_minor(Decimal(cell), currency)
        except ValueError as error:
            raise Bad(column, str(error)) from None

    def email(self, column: str) -> str | None:
        """One e-mail address, as far as its form can tell."""
        cell = self.word(column)
        if cell is not None and not _EMAIL.fullmatch(cell):
            raise Bad(column, f'"{cell}" is no e-mail address')
        return cell

    def emails(self, column: str, most: int, what: str) -> tuple[str, ...]:
        """Several e-mail addresses, each once."""
        cell = self.cells.get(column)
        if cell is None:
            return ()
        found = tuple(word for word in _LIST.split(cell) if word)
        if wrong := next((email for email in found if not _EMAIL.fullmatch(email)), None):
            raise Bad(column, f'"{wrong}" is no e-mail address')
        if len({email.casefold() for email in found}) < len(found):
            raise Bad(column, "names an address twice")
        if len(found) > most:
            raise Bad(column, f"names {len(found)} {what}, at most {most}")
        return found

    def zone(self, column: str) -> str | None:
        """The name of an IANA time zone."""
        cell = self.cells.get(column)
        if cell is not None and not _is_zone(cell):
            raise Bad(column, f'there is no time zone "{cell}"')
        return cell

    def currency(self, column: str) -> str | None:
        """An ISO currency code."""
        cell = self.cells.get(column)
        if cell is not None and not _is_currency(cell):
            raise Bad(column, f'there is no currency "{cell}"')
        return cell


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that looks most like one that is not known."""
    return get_close_matches(word, list(known), n=1, cutoff=0.0)[0]


@lru_cache(maxsize=1024)
def _chosen(column: str, cell: str, words: type[Word]) -> Word:
    by_name = {str(member).casefold(): member for member in words}
    found = by_name.get(cell.casefold())
    if found is None:
        raise Bad(column, f'"{cell}" is none of {", ".join(words)}; the nearest is {nearest(cell, by_name)}')
    return found


@lru_cache(maxsize=16384)
def _day(cell: str) -> date | int | None:
    """A date, or the days from the import's; None for what is neither."""
    match = _DAY.fullmatch(cell)
    if match is None:
        return None
    if match[1] is None:
        return int(match[2] or 0)
    try:
        return date.fromisoformat(match[1])
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    try:
        calendar.zone(name)
    except (KeyError, ValueError, OSError):
        # OSError: "Europe" is a folder of the time zone database, not a zone.
        return False
    return True


@lru_cache(maxsize=1024)
def _is_currency(code: str) -> bool:
    try:
        money.exponent(code)
    except ValueError:
        return False
    return True
