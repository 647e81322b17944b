"""List prices and promotions of a day (D5, O2b)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.catalogue import Catalogue, Offering, Promotion
from app.domain.errors import InvalidArgument, UnknownSubject
from app.domain.money import Price
from app.domain.pricing import whole_term
from app.domain.values import TermKind

ANNUAL, MONTHLY = TermKind.ANNUAL, TermKind.MONTHLY
DRAFT = Offering(
    "Draft",
    {"EUR": {ANNUAL: Decimal("730.00"), MONTHLY: Decimal("66.65")}, "JPY": {ANNUAL: Decimal(98000)}},
    prices_from={
        date(2026, 1, 1): {"EUR": {ANNUAL: Decimal("800.00")}},
        date(2025, 7, 1): {"EUR": {ANNUAL: Decimal("750.00")}},
    },
)
SPRING = Promotion("SPRING", Decimal(10), ["DRAFT"], [ANNUAL], date(2026, 5, 1), date(2026, 5, 31))
CATALOGUE = Catalogue(offerings={"DRAFT": DRAFT}, promotions=[SPRING])


@pytest.mark.parametrize(
    ("on", "each"),
    [
        (date(2025, 6, 30), 73000),
        (date(2025, 7, 1), 75000),
        (date(2025, 12, 31), 75000),
        (date(2026, 1, 1), 80000),
        (date(2030, 1, 1), 80000),
    ],
)
def test_the_price_in_force_on_a_day(on: date, each: int) -> None:
    assert whole_term(CATALOGUE, "DRAFT", ANNUAL, "EUR", 3, on) == Price(3 * each)


def test_what_has_no_later_price_keeps_its_own() -> None:
    on = date(2026, 2, 1)
    assert whole_term(CATALOGUE, "DRAFT", MONTHLY, "EUR", 1, on) == Price(6665)
    assert whole_term(CATALOGUE, "DRAFT", ANNUAL, "JPY", 2, on) == Price(196000)


@pytest.mark.parametrize(
    ("day", "discount"),
    [(date(2026, 4, 30), 0), (date(2026, 5, 1), 8000), (date(2026, 5, 31), 8000), (date(2026, 6, 1), 0)],
)
def test_a_promotion_holds_between_its_days(day: date, discount: int) -> None:
    price = whole_term(CATALOGUE, "DRAFT", ANNUAL, "EUR", 1, day)
    assert (price.subtotal_minor, price.discount_minor, price.total_minor) == (80000, discount, 80000 - discount)
    assert price.promotion == ("SPRING" if discount else None)


def test_only_the_best_promotion_counts() -> None:
    better = replace(SPRING, code="MAY", percent=Decimal(15))
    catalogue = replace(CATALOGUE, promotions=[SPRING, better, replace(SPRING, code="LOW", percent=Decimal(5))])
    assert whole_term(catalogue, "DRAFT", ANNUAL, "EUR", 1, date(2026, 5, 2)) == Price(80000, 12000, 0, "MAY")
    assert whole_term(catalogue, "DRAFT", MONTHLY, "EUR", 1, date(2026, 5, 2)) == Price(6665)


def test_a_discount_is_rounded_half_up_once_a_line() -> None:
    """12.5 % of 3 x 66.65 = 24.99375 → 24.99, not three times 8.33."""
    monthly = replace(SPRING, percent=Decimal("12.5"), terms=[MONTHLY])
    catalogue = replace(CATALOGUE, promotions=[monthly])
    assert whole_term(catalogue, "DRAFT", MONTHLY, "EUR", 3, date(2026, 5, 2)).discount_minor == 2499
    assert whole_term(catalogue, "DRAFT", MONTHLY, "EUR", 2, date(2026, 5, 2)).discount_minor == 1666


@pytest.mark.parametrize(
    ("offering", "kind", "currency"),
    [
        ("DRAFT", TermKind.THREE_YEAR, "EUR"),
        ("DRAFT", ANNUAL, "USD"),
        ("DRAFT", MONTHLY, "JPY"),
    ],
)
def test_what_is_not_sold(offering: str, kind: TermKind, currency: str) -> None:
    with pytest.raises(InvalidArgument):
        whole_term(CATALOGUE, offering, kind, currency, 1, date(2026, 1, 1))


def test_an_offering_that_there_is_not() -> None:
    with pytest.raises(UnknownSubject):
        whole_term(CATALOGUE, "NONE", ANNUAL, "EUR", 1, date(2026, 1, 1))


def test_an_offering_that_is_not_in_the_catalogue() -> None:
    with pytest.raises(UnknownSubject):
        whole_term(CATALOGUE, "NONE", ANNUAL, "EUR", 1, date(2026, 1, 1))


@given(
    st.decimals(0, 10**6, places=2),
    st.integers(1, 5000),
    st.decimals(0, 100, places=2),
    st.dates(date(2026, 5, 1), date(2026, 5, 31)),
)
def test_amounts_add_up(each: Decimal, seats: int, percent: Decimal, on: date) -> None:
    offering = Offering("Any", {"EUR": {ANNUAL: each}})
    catalogue = Catalogue(offerings={"DRAFT": offering}, promotions=[replace(SPRING, percent=percent)])
    price = whole_term(catalogue, "DRAFT", ANNUAL, "EUR", seats, on)
    assert price.subtotal_minor == int(each * 100) * seats
    assert 0 <= price.discount_minor <= price.subtotal_minor
    assert price.total_minor == price.subtotal_minor - price.discount_minor
