"""Writes an invented book of subscriptions as `perennial import` reads it.

    python examples/book.py --count 2000 --seed 7 --today 2026-11-22 > examples/book.csv

The same arguments always give the same book. Its dates are counted from the day of the import (`today-45`), so
the book is as fresh on any later day: something is due at once, and something in each of the next weeks.

One thing fades. Terms of the older shutoff regime were bought before 2024-09-16, and three years of them are
over on 2027-09-15. They are written as `today-840` or so, counted from `--today`: imported later, more and more
of them were bought after that day and follow the newer regime. None of them becomes a bad row.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from random import Random
from typing import NamedTuple

READY = date(2026, 11, 22)
"""The day that the ready book.csv was written for."""
CUT_OVER = date(2024, 9, 16)

COLUMNS = (
    "csn", "name", "purchaser", "language", "currency", "country", "timezone", "agreement_manager", "payers",
    "net_days", "credit_limit", "id", "offering", "term", "seats", "starts_on", "ends_on", "state", "reason",
    "lapse_on", "auto_renew", "payment", "partner", "regime_on", "users", "scheduled_term", "scheduled_seats",
)  # fmt: skip

Row = dict[str, object]


class Place(NamedTuple):
    """Where a customer is, and what it pays in."""

    country: str
    zone: str
    currency: str
    language: str
    has_cut_over: bool = False
    local: str | None = None
    """A payment method of the place."""


PLACES = (
    Place("NL", "Europe/Amsterdam", "EUR", "nl", True),
    Place("BE", "Europe/Brussels", "EUR", "nl", True),
    Place("DE", "Europe/Berlin", "EUR", "de", True),
    Place("PT", "Europe/Lisbon", "EUR", "en", True),
    Place("NO", "Europe/Oslo", "NOK", "nb", True),
    Place("GB", "Europe/London", "GBP", "en", True),
    Place("CH", "Europe/Zurich", "CHF", "de", True),
    Place("CA", "America/St_Johns", "CAD", "en", True),
    Place("CA", "America/Toronto", "CAD", "en", True),
    Place("US", "America/New_York", "USD", "en"),
    Place("US", "America/Los_Angeles", "USD", "en"),
    Place("AS", "Pacific/Pago_Pago", "USD", "en"),
    Place("CU", "America/Havana", "USD", "en"),
    Place("CL", "America/Santiago", "USD", "en"),
    Place("NP", "Asia/Kathmandu", "USD", "en"),
    Place("JP", "Asia/Tokyo", "JPY", "en", local="konbini"),
    Place("KW", "Asia/Kuwait", "KWD", "en"),
    Place("SG", "Asia/Singapore", "USD", "en", local="alipay"),
    Place("AU", "Australia/Lord_Howe", "AUD", "en"),
    Place("AU", "Australia/Sydney", "AUD", "en"),
    Place("NZ", "Pacific/Chatham", "AUD", "en"),
    Place("KI", "Pacific/Kiritimati", "AUD", "en"),
)
"""Canada's cut-over day was an earlier one: some of its terms that are meant to be older follow the newer regime."""

SOLD = {
    "monthly": ("FERNLINE", "FERNLINE", "ALDERFRAME", "MOSSWORKS", "CANOPY"),
    "annual": ("FERNLINE", "FERNLINE", "FERNLINE", "ALDERFRAME", "ALDERFRAME", "MOSSWORKS", "CANOPY", "SEEDS",
               "TENDING", "HARVEST", "GROUNDWORK"),
    "three_year": ("FERNLINE", "FERNLINE", "ALDERFRAME", "MOSSWORKS", "CANOPY", "TENDING", "HARVEST"),
    "trial": ("FERNLINE", "ALDERFRAME", "MOSSWORKS"),
}  # fmt: skip
EXEMPT = "CANOPY"


@dataclass(frozen=True)
class Situation:
    """Where subscriptions stand: how many in a thousand, and in how many days their term ends."""

    share: int
    term: str
    state: str
    first: int
    last: int
    reason: str = ""
    auto_renew: bool | None = None
    """None: some do, some do not."""
    lapse: tuple[int, int] | None = None
    """X, where it is not the end of the term."""
    next_term: str = ""
    by_start: bool = False
    """The days count to the first day of the term, not to its last."""
    exempt: bool = False
    old_regime: bool = False
    anywhere: bool = True
    """False: only where no cut-over day holds."""


SITUATIONS = (
    Situation(215, "annual", "active", 92, 363),
    Situation(8, "annual", "active", 90, 90, auto_renew=False),  # the window opens today
    Situation(130, "annual", "renewable", 0, 90),
    Situation(8, "annual", "renewable", 30, 30, auto_renew=False),  # the automatic quote is decided today
    Situation(8, "annual", "renewable", 4, 4),  # a reminder today
    Situation(8, "annual", "renewable", -1, -1, auto_renew=True),  # renewed today
    Situation(6, "annual", "renewable", -1, -1, auto_renew=False),  # expires today
    Situation(150, "monthly", "renewable", 0, 27),
    Situation(8, "monthly", "renewable", -1, -1),
    Situation(90, "three_year", "active", 92, 1090),
    Situation(20, "three_year", "active", 364, 409),  # the third yearly part within six weeks
    Situation(20, "three_year", "active", 729, 774),  # the second
    Situation(20, "three_year", "renewable", 0, 90),
    Situation(30, "annual", "active", 2, 80, next_term="annual"),
    Situation(6, "annual", "active", 2, 80, next_term="three_year"),
    Situation(3, "annual", "active", -1, -1, next_term="annual"),  # the next term starts today
    Situation(32, "annual", "expired", -16, -1, "non_renewal", False),
    Situation(18, "annual", "expired", -16, -1, "payment_failed", True),
    Situation(14, "annual", "expired", 30, 300, "non_payment", lapse=(-15, -1)),
    Situation(3, "three_year", "expired", -16, -1, "non_renewal", False, anywhere=False),
    Situation(12, "monthly", "expired", -16, -1, "non_renewal", False),
    Situation(26, "annual", "suspended", -46, -17, "non_renewal", False),
    Situation(6, "annual", "suspended", 30, 250, "non_payment", lapse=(-45, -17)),
    Situation(8, "monthly", "suspended", -31, -17, "non_renewal", False),
    Situation(30, "annual", "canceled", -400, -47, "non_renewal", False),
    Situation(10, "monthly", "canceled", -300, -32, "payment_failed", True),
    Situation(12, "annual", "canceled", -300, -2, "non_renewal", False, exempt=True),
    Situation(10, "annual", "canceled", -1150, -810, "non_renewal", False, old_regime=True),
    Situation(16, "three_year", "active", -1000, -830, auto_renew=False, by_start=True, old_regime=True),
    Situation(10, "three_year", "renewable", -1090, -1010, auto_renew=False, by_start=True, old_regime=True),
    Situation(6, "annual", "returned", 340, 360),
    Situation(34, "trial", "trial", 0, 28),
    Situation(4, "trial", "trial", -1, -1),
    Situation(19, "trial", "trial_ended", -200, -2),
)

_BEGINNINGS = ("Alm", "Brask", "Cor", "Drev", "Esk", "Fjor", "Gran", "Hel", "Ister", "Jor", "Kves", "Lund", "Mer",
               "Nor", "Oster", "Pell", "Quar", "Rond", "Sten", "Tarn", "Ulv", "Vest", "Wend", "Ys", "Zell")  # fmt: skip
_MIDDLES = ("a", "be", "do", "e", "i", "ke", "la", "mo", "ni", "o", "ra", "si", "ta", "u", "ve")
_ENDINGS = ("bekk", "brek", "dahl", "fen", "grim", "hoven", "lund", "mark", "nes", "quist", "rook", "stad", "vik")
_TRADES = ("Studio", "Drawing Office", "Works", "Surveys", "Interiors", "Structures", "Bureau", "Landscape", "Design")
_PEOPLE = ("ada", "bo", "cleo", "dev", "edda", "finn", "gro", "hugo", "ines", "joss", "kim", "lars", "mei", "noor")


def rows(count: int, seed: int, today: date) -> Iterator[Row]:
    """That many subscriptions, customer after customer; nothing is kept in memory."""
    random = Random(seed)
    shares = list(accumulate(situation.share for situation in SITUATIONS))
    customer: Row = {}
    left = number = 0
    for index in range(1, count + 1):
        if not left:
            number += 1
            place = random.choice(PLACES)
            customer, left = _customer(random, number, place), random.choice((1, 1, 2, 2, 3, 3, 4, 5, 9))
        left -= 1
        situation = random.choices(SITUATIONS, cum_weights=shares)[0]
        while not _is_possible(situation, place, today):
            situation = random.choices(SITUATIONS, cum_weights=shares)[0]
        yield customer | _subscription(random, index, situation, customer, place, today)


def _is_possible(situation: Situation, place: Place, today: date) -> bool:
    if situation.old_regime:
        is_still_running = situation.state == "canceled" or today + timedelta(situation.last) < CUT_OVER
        return place.has_cut_over and is_still_running
    return situation.anywhere or not place.has_cut_over


def _customer(random: Random, number: int, place: Place) -> Row:
    word = random.choice(_BEGINNINGS) + random.choice(_MIDDLES) + random.choice(_ENDINGS)
    domain = f"{word.lower()}-{number}.example"
    has_net_terms = random.random() < 0.25
    exact = "000" if place.currency == "KWD" else "" if place.currency == "JPY" else "00"
    limit = random.choice((5_000, 10_000, 25_000, 100_000)) * (100 if place.currency == "JPY" else 1)
    return {
        "csn": f"{5_100_000_000 + number}",
        "name": f"{word} {random.choice(_TRADES)}",
        "purchaser": f"orders@{domain}",
        "language": place.language,
        "currency": place.currency,
        "country": place.country,
        "timezone": place.zone,
        "agreement_manager": f"{random.choice(_PEOPLE)}@{domain}" if random.random() < 0.1 else "",
        "payers": " ".join(f"{box}@{domain}" for box in ("ap", "books")[: random.randint(1, 2)])
        if has_net_terms
        else "",
        "net_days": random.choice((14, 30, 45)) if has_net_terms else "",
        "credit_limit": f"{limit}.{exact}".rstrip(".") if has_net_terms else "",
    }


def _subscription(random: Random, index: int, situation: Situation, customer: Row, place: Place, today: date) -> Row:
    seats = 1 if situation.term == "trial" else random.choice((1, 1, 1, 2, 2, 3, 4, 5, 8, 10, 15, 25))
    payment = _payment(random, situation, customer, place)
    return {
        "id": f"S-{index:07d}",
        "offering": _offering(random, situation),
        "term": situation.term,
        "seats": seats,
        **_dates(random, situation, today),
        "state": situation.state,
        "reason": situation.reason,
        "auto_renew": _auto_renew(random, situation, payment),
        "payment": payment,
        "partner": f"P-{random.randint(1001, 1012)}" if random.random() < 0.15 else "",
        "users": _users(random, situation, customer, seats),
        "scheduled_term": situation.next_term,
        "scheduled_seats": max(1, seats - random.randint(0, 1)) if situation.next_term else "",
    }


def _offering(random: Random, situation: Situation) -> str:
    """Exempt ones have no stages between their end and canceled."""
    if situation.exempt:
        return EXEMPT
    if situation.state in ("expired", "suspended") or situation.old_regime:
        return random.choice([code for code in SOLD[situation.term] if code != EXEMPT])
    return random.choice(SOLD[situation.next_term or situation.term])


def _dates(random: Random, situation: Situation, today: date) -> Row:
    """Either end of the term: months are not as long as each other, so the other follows from the calendar."""
    days = random.randint(situation.first, situation.last)
    if situation.old_regime and situation.state == "canceled":
        # Over for good, so these may be written as they were.
        return {"starts_on": (CUT_OVER + timedelta(days + 420)).isoformat()}
    found: Row = {"starts_on" if situation.by_start else "ends_on": relative(days)}
    if situation.lapse:
        found["lapse_on"] = relative(random.randint(*situation.lapse))
    elif situation.reason:
        found["lapse_on"] = relative(days)
    if situation.next_term:
        found["regime_on"] = relative(min(days, 0) - random.randint(1, 5))
    return found


def relative(days: int) -> str:
    """A day as the import reads it: `today`, `today-45`, `today+12`."""
    return f"today{days:+d}" if days else "today"


def _payment(random: Random, situation: Situation, customer: Row, place: Place) -> str:
    if situation.term == "trial":
        return ""
    methods = ["card", "card", "card", "paypal", "direct_debit"]
    if situation.reason == "non_payment":
        return "invoice" if customer["payers"] else "direct_debit"  # an invoice is overdue, or a debit bounced
    if situation.reason == "payment_failed" or situation.auto_renew:
        return random.choice(methods)
    if customer["payers"]:
        methods += ["invoice", "invoice"]
    return random.choice([*methods, place.local or "bank_transfer"])


def _auto_renew(random: Random, situation: Situation, payment: str) -> str:
    if payment in ("", "bank_transfer", "konbini", "alipay"):
        return "false"
    wanted = random.random() < 0.65 if situation.auto_renew is None else situation.auto_renew
    return "true" if wanted else "false"


def _users(random: Random, situation: Situation, customer: Row, seats: int) -> str:
    if situation.state in ("canceled", "returned", "trial_ended") or random.random() < 0.5:
        return ""
    domain = str(customer["purchaser"]).partition("@")[2]
    return " ".join(f"{person}@{domain}" for person in random.sample(_PEOPLE, min(seats, random.randint(1, 4))))


def write(count: int, seed: int, today: date) -> None:
    """The book on standard output."""
    table = csv.DictWriter(sys.stdout, COLUMNS, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(rows(count, seed, today))


def main() -> None:
    parser = argparse.ArgumentParser(description="Write an invented book of subscriptions as CSV.")
    parser.add_argument("--count", type=int, default=2000, help="subscriptions (default: 2000)")
    parser.add_argument("--seed", type=int, default=7, help="another seed, another book (default: 7)")
    parser.add_argument("--today", type=date.fromisoformat, default=READY, help="the day it is meant for (ISO date)")
    given = parser.parse_args()
    write(given.count, given.seed, given.today)


if __name__ == "__main__":
    main()
