"""Exact money: minor units, rounding half up, thirds (I1, P2)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.money import Price, exact_minor, exponent, show, thirds, to_decimal, to_minor

CURRENCIES = ["EUR", "USD", "NOK", "JPY", "KWD", "ISK"]
minors = st.integers(0, 10**15)


@pytest.mark.parametrize(("currency", "decimals"), [("EUR", 2), ("JPY", 0), ("ISK", 0), ("KWD", 3), ("XAU", 0)])
def test_decimals_of_a_currency(currency: str, decimals: int) -> None:
    assert exponent(currency) == decimals


def test_an_unknown_currency() -> None:
    with pytest.raises(ValueError, match="XXQ"):
        exponent("XXQ")


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("0.125", "EUR", 13),
        ("0.135", "EUR", 14),
        ("0.1249", "EUR", 12),
        ("2.5", "JPY", 3),
        ("3.5", "JPY", 4),
        ("1.0005", "KWD", 1001),
        ("730.00", "EUR", 73000),
    ],
)
def test_rounds_half_up(amount: str, currency: str, minor: int) -> None:
    assert to_minor(Decimal(amount), currency) == minor


def test_an_amount_that_would_have_to_be_rounded() -> None:
    assert exact_minor(Decimal("10.5"), "EUR") == 1050
    with pytest.raises(ValueError, match=r"10\.505 has more decimals than EUR has"):
        exact_minor(Decimal("10.505"), "EUR")


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(73000, "EUR", "730.00"), (98000, "JPY", "98000"), (1, "KWD", "0.001"), (0, "EUR", "0.00")],
)
def test_shown_with_its_own_decimals(minor: int, currency: str, text: str) -> None:
    assert show(minor, currency) == text


@given(minors, st.sampled_from(CURRENCIES))
def test_there_and_back(minor: int, currency: str) -> None:
    assert to_minor(to_decimal(minor, currency), currency) == minor
    assert exact_minor(Decimal(show(minor, currency)), currency) == minor


def test_a_third_is_rounded_down_and_the_rest_comes_last() -> None:
    """2500.00 → 833.33, 833.33, 833.34 (I1)."""
    assert thirds(250000) == (83333, 83333, 83334)
    assert thirds(250001) == (83333, 83333, 83335)
    assert thirds(2) == (0, 0, 2)


@given(minors)
def test_thirds_add_up_again(minor: int) -> None:
    first, second, last = thirds(minor)
    assert first + second + last == minor
    assert first == second == minor // 3
    assert 0 <= last - first <= 2


@given(minors, minors, minors)
def test_parts_of_a_price_add_up(subtotal: int, discount: int, tax: int) -> None:
    whole = Price(subtotal, discount, tax)
    parts = [Price(*each) for each in zip(thirds(subtotal), thirds(discount), thirds(tax), strict=True)]
    assert sum(part.total_minor for part in parts) == whole.total_minor
