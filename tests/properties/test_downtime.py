"""A late daemon is invisible: any pattern of downtime ends as none would have (J3, J3b)."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties.lives import Life, WithDowntime, at_one_go, play
from tests.properties.strategies import downtimes, lives

Spans = tuple[tuple[datetime, datetime], ...]
with_downtime = lives().flatmap(lambda life: st.tuples(st.just(life), downtimes(life)))


def _check_downtime(life: Life, spans: Spans) -> None:
    expected = play(life)
    actual = play(life, WithDowntime(spans))
    assert actual.answers == expected.answers
    assert actual.subscriptions == expected.subscriptions


@settings(max_examples=60)
@given(with_downtime)
def test_downtime_changes_nothing(drawn: tuple[Life, Spans]) -> None:
    _check_downtime(*drawn)
