"""A late daemon is invisible: any pattern of downtime ends as none would have, for people too (J3, J3b)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.values import Method, Region, TermKind
from tests.properties.lives import Command, Customer, Life, Move, Purchase, Seen, WithDowntime, at_one_go, play
from tests.properties.strategies import downtimes, lives

Spans = tuple[tuple[datetime, datetime], ...]
with_downtime = lives().flatmap(lambda life: st.tuples(st.just(life), downtimes(life)))


def _expect_the_same(life: Life, move: Move, page_size: int = 1000) -> Seen:
    expected = play(life)
    actual = play(life, move, page_size=page_size)
    assert actual.answers == expected.answers
    assert actual.subscriptions == expected.subscriptions
    return actual


@settings(max_examples=20)
@given(with_downtime)
def test_downtime_changes_nothing(drawn: tuple[Life, Spans]) -> None:
    life, spans = drawn
    _expect_the_same(life, WithDowntime(spans))


@settings(max_examples=8)
@given(lives())
def test_a_jump_is_as_good_as_days(life: Life) -> None:
    """The clock leaps from one thing that people do to the next, a day at a time or a year."""
    _expect_the_same(life, at_one_go)


@pytest.mark.soak
@settings(max_examples=1500)
@given(with_downtime)
def test_downtime_changes_nothing_ever(drawn: tuple[Life, Spans]) -> None:
    life, spans = drawn
    _expect_the_same(life, WithDowntime(spans), page_size=2)


@pytest.mark.soak
@settings(max_examples=500)
@given(lives())
def test_a_jump_is_always_as_good_as_days(life: Life) -> None:
    _expect_the_same(life, at_one_go)


# ---------------------------------------------------------------- lives that once ended differently


def _utc(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def test_a_quote_that_ended_before_its_subscription_was_canceled_has_expired() -> None:
    """Its last day is E, and nobody renews: expired on R, though a late command finds both over at once."""
    bought = Purchase(_utc("2024-08-20 12:00"), "S1", "1", "UTC", auto_renew=False)
    life = Life(
        (Customer("1", "UTC"),),
        (bought,),
        (Command(_utc("2025-10-20 12:00"), "set_auto_renew", {"subscriptions": ["S1"], "enabled": True}),),
        _utc("2025-11-01 12:00"),
    )
    seen = _expect_the_same(life, WithDowntime([(_utc("2025-08-01 12:00"), _utc("2025-10-25 12:00"))]))
    assert [quote["state"] for quote in seen.subscriptions["S1"]["quotes_of"]] == ["expired"]
    assert seen.answers == [("set_auto_renew", "final_state")]


def test_a_new_default_method_leaves_out_what_has_ended_unnoticed() -> None:
    """Of the older regime, and over on R: the customer's other subscription gets the method all the same."""
    life = Life(
        (Customer("1", "UTC", region=Region.CA),),
        (
            Purchase(_utc("2024-03-01 12:00"), "S1", "1", "UTC", kind=TermKind.MONTHLY),
            Purchase(_utc("2024-03-01 12:00"), "S2", "1", "UTC", kind=TermKind.ANNUAL),
        ),
        (Command(_utc("2024-04-15 09:00"), "change_payment_method", {"csn": "1", "payment": Method.PAYPAL}),),
        _utc("2024-05-01 12:00"),
    )
    seen = _expect_the_same(life, WithDowntime([(_utc("2024-03-20 12:00"), _utc("2024-04-20 12:00"))]))
    assert seen.answers == [("change_payment_method", {"S2": "ok"})]
    assert [seen.subscriptions[ref]["view"]["payment"] for ref in ("S1", "S2")] == [Method.CARD, Method.PAYPAL]


def test_a_quote_that_is_due_can_be_accepted_while_the_daemon_is_down() -> None:
    life = Life(
        (Customer("1", "UTC"),),
        (Purchase(_utc("2025-03-10 12:00"), "S1", "1", "UTC", auto_renew=False),),
        (Command(_utc("2026-02-20 12:00"), "accept_quote", {"quote": "S1", "payment": Method.CARD}),),
        _utc("2026-04-01 12:00"),
    )
    seen = _expect_the_same(life, WithDowntime([(_utc("2026-01-20 12:00"), _utc("2026-03-01 12:00"))]))
    assert seen.answers == [("accept_quote", {"S1": "ok"})]
    assert len(seen.subscriptions["S1"]["terms"]) == 2


@pytest.mark.parametrize("hours", [1, 25, 24 * 40])
def test_a_command_at_the_instant_at_which_a_day_begins(hours: int) -> None:
    """Switching auto-renew off at 00:00 on R is a second too late: the jobs of the day came first (A2)."""
    life = Life(
        (Customer("1", "UTC"),),
        (Purchase(_utc("2025-03-10 12:00"), "S1", "1", "UTC"),),
        (Command(_utc("2026-03-10 00:00"), "set_auto_renew", {"subscriptions": ["S1"], "enabled": False}),),
        _utc("2026-05-01 12:00"),
    )
    back = _utc("2026-03-10 00:00") + timedelta(hours=hours)
    seen = _expect_the_same(life, WithDowntime([(_utc("2026-03-01 12:00"), back)]))
    assert len(seen.subscriptions["S1"]["charges_of"]) == 2
    assert seen.subscriptions["S1"]["view"]["auto_renew"] is False
