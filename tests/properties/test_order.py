"""Whose turn is first, and how many share a transaction, makes no difference to anybody."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties.lives import Life, play
from tests.properties.strategies import at_once, lives

several = lives(most=4).map(at_once)
pages = st.sampled_from([1, 2, 3])
seeds = st.integers(0, 100)


def _check(life: Life, page_size: int, seed: int) -> None:
    order = list(range(len(life.purchases)))
    random.Random(seed).shuffle(order)
    expected = play(life)
    actual = play(life, page_size=page_size, order=order)
    assert actual.answers == expected.answers
    assert actual.subscriptions == expected.subscriptions


@settings(max_examples=8)
@given(several, pages, seeds)
def test_order_and_page_size_change_nothing(life: Life, page_size: int, seed: int) -> None:
    _check(life, page_size, seed)


@pytest.mark.soak
@settings(max_examples=500)
@given(several, pages, seeds)
def test_order_and_page_size_never_change_anything(life: Life, page_size: int, seed: int) -> None:
    _check(life, page_size, seed)
