"""What no type can say about settings: codes that exist, amounts a currency can hold, words that fit."""

from __future__ import annotations

import re
import zoneinfo
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Protocol
from urllib.parse import urlsplit

import iso4217

from app.domain.catalogue import Catalogue, Offering, Prices, Promotion
from app.domain.policy import Policy
from app.domain.values import MONTHS, OfferingKind, TermKind
from app.explain import Path, Problem, nearest, one_of

RETURN_KINDS = ("monthly", "annual", "three_year", "flex")
"""What R1 counts days for."""
_PAID = [term.value for term in MONTHS]
_URLS = (
    "must be sqlite:///path/to/file.db, sqlite:// (in memory) or postgresql+psycopg://user:password@host:port/database"
)
_COUNTRY = re.compile("[A-Z]{2}")


# ------------------------------------------------------------------ single values


def currency_problem(code: str) -> str | None:
    """Why a code is no currency that money can be counted in, or None."""
    if _decimals(code) is not None:
        return None
    codes = [each.code for each in iso4217.Currency if each.exponent is not None]
    return f'"{code[:20]}" is not an ISO 4217 currency code such as EUR{nearest(code, codes)}'


def _decimals(code: str) -> int | None:
    try:
        exponent: int | None = iso4217.Currency(code).exponent
    except ValueError:
        return None
    return exponent


def amount_problem(amount: Decimal, currency: str) -> str | None:
    """Why an amount cannot be written in whole minor units: JPY has none, KWD has three decimals."""
    places = _decimals(currency)
    if places is None or amount == round(amount, places):
        return None
    return f"{amount} has more decimals than {currency} has ({places})"


def timezone_problem(name: str) -> str | None:
    """Why a name is no time zone, or None."""
    known = zoneinfo.available_timezones()
    if name in known:
        return None
    return f'"{name[:40]}" is not an IANA time zone such as Europe/Amsterdam{nearest(name, known)}'


def country_problem(code: str) -> str | None:
    """Why a word is no ISO 3166 country code (by its form), or None."""
    if _COUNTRY.fullmatch(code) and code != "UK":
        return None
    hint = "; the United Kingdom is GB" if code == "UK" else ""
    return f'"{code[:20]}" is not an ISO country code of two capitals such as DE{hint}'


def database_problem(url: str) -> str | None:
    """Why a database cannot be used. The text never repeats the address: it may hold a password."""
    if url == "sqlite://" or (url.startswith("sqlite:///") and len(url) > len("sqlite:///")):
        return None
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme == "postgresql+psycopg" and "://" in url and parts.path.strip("/")
        _ = parts.port
    except ValueError:
        is_whole = False
    return None if is_whole else _URLS


# ------------------------------------------------------------------ everything together


class Defaulted(Protocol):
    """The part of the defaults that is looked at here."""

    @property
    def timezone(self) -> str: ...

    @property
    def currency(self) -> str: ...


def check(policy: Policy, catalogue: Catalogue, database: str, defaults: Defaulted) -> list[Problem]:
    """Every problem of settings whose types are right, each with its key."""
    found: list[tuple[Path, str | None]] = [
        (("database", "url"), database_problem(database)),
        (("defaults", "timezone"), timezone_problem(defaults.timezone)),
        (("defaults", "currency"), currency_problem(defaults.currency)),
        *_terms(policy),
        *_lists(policy),
        *_limits(policy),
        *_tax(policy),
        *_regions(catalogue),
    ]
    for code, offering in catalogue.offerings.items():
        found += _offering(("offerings", code), offering)
    for index, promotion in enumerate(catalogue.promotions):
        found += _promotion(("promotions", index), promotion, catalogue)
    found += _twice(("promotions",), (each.code for each in catalogue.promotions))
    return [Problem(path, sentence) for path, sentence in found if sentence]


Found = Iterator[tuple[Path, str | None]]


def _terms(policy: Policy) -> Found:
    """A trial has no suspended days, no standard days and no automatic quote (O4)."""
    maps: dict[Path, Iterable[str]] = {
        ("lapse", "suspended_days"): policy.lapse.suspended_days,
        ("lapse", "late_renewal_starts"): policy.lapse.late_renewal_starts,
        ("proration", "standard_days"): policy.proration.standard_days,
    }
    for path, keys in maps.items():
        yield from _only(path, keys, _PAID)
    yield from _only(("returns", "days"), policy.returns.days, RETURN_KINDS)
    for index, term in enumerate(policy.quotes.automatic_terms):
        yield ("quotes", "automatic_terms", index), _unlike(term, _PAID)


def _only(path: Path, keys: Iterable[str], allowed: Iterable[str]) -> Found:
    for key in keys:
        yield (*path, str(key)), _unlike(key, allowed)


def _unlike(word: str, allowed: Iterable[str]) -> str | None:
    words = list(allowed)
    return None if word in words else f'must be one of {one_of(words)}, not "{word[:40]}"'


def _lists(policy: Policy) -> Found:
    yield from _twice(("notices", "reminder_days"), policy.notices.reminder_days)
    yield from _twice(("auto_renew", "retry_days"), policy.auto_renew.retry_days)
    yield from _twice(("quotes", "automatic_terms"), policy.quotes.automatic_terms)


def _twice(path: Path, values: Iterable[Hashable]) -> Found:
    for value, times in Counter(values).items():
        if times > 1:
            yield path, f"names {value} more than once"


def _limits(policy: Policy) -> Found:
    for currency, limit in policy.quotes.method_limit.items():
        path = ("quotes", "method_limit", currency)
        yield path, currency_problem(currency) or amount_problem(limit, currency)


def _tax(policy: Policy) -> Found:
    seller = policy.tax.seller_country
    if seller is not None:
        yield ("tax", "seller_country"), country_problem(seller)
    for country, rates in policy.tax.rates.items():
        path = ("tax", "rates", country)
        yield path, country_problem(country)
        yield from _twice(path, (rate.start.isoformat() for rate in rates))


def _regions(catalogue: Catalogue) -> Found:
    homes: Counter[str] = Counter()
    for region, countries in catalogue.regions.items():
        for index, country in enumerate(countries):
            homes[country] += 1
            twice = f"{country} stands here a second time, or in two regions" if homes[country] > 1 else None
            yield ("regions", region.value, index), country_problem(country) or twice


def _offering(path: Path, offering: Offering) -> Found:
    yield from _prices((*path, "prices"), offering.kind, offering.prices)
    for start, prices in offering.prices_from.items():
        yield from _prices((*path, "prices_from", start.isoformat()), offering.kind, prices)


def _prices(path: Path, kind: OfferingKind, prices: Prices) -> Found:
    for currency, by_term in prices.items():
        yield (*path, currency), currency_problem(currency)
        yield from _prices_of_terms((*path, currency), kind, by_term)


def _prices_of_terms(path: Path, kind: OfferingKind, prices: Mapping[TermKind, Decimal]) -> Found:
    for term, price in prices.items():
        unlike = _unlike(term, [TermKind.ANNUAL.value] if kind is OfferingKind.FLEX else _PAID)
        reason = " (flex is annual only, I3)" if unlike and kind is OfferingKind.FLEX else ""
        yield (*path, term.value), unlike + reason if unlike else amount_problem(price, str(path[-1]))


def _promotion(path: Path, promotion: Promotion, catalogue: Catalogue) -> Found:
    for index, code in enumerate(promotion.offerings):
        near = nearest(code, catalogue.offerings)
        unknown = f'"{code[:40]}" is not an offering of the catalogue{near}'
        yield (*path, "offerings", index), None if code in catalogue.offerings else unknown
    for index, term in enumerate(promotion.terms):
        yield (*path, "terms", index), _unlike(term, _PAID)
    if promotion.until < promotion.start:
        yield (*path, "until"), f"must not lie before from ({promotion.start})"
