"""Terms: no two overlap, none has a gap, none drifts from its anchor, none is charged or billed twice (D3, L7, A6)."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings

from app.domain.calendar import ONE_DAY, renewal_date
from app.domain.deadlines import next_deadline
from app.domain.values import MONTHS, TermKind
from app.store.engine import reading
from app.store.facts import Facts
from jobs.simulation import Simulation
from tests.properties.lives import Customer, Life, Purchase, Seen, play, refs
from tests.properties.strategies import lives


def _check_terms(seen: Seen) -> None:
    for ref, what in seen.subscriptions.items():
        terms = what["terms"]
        for before, after in pairwise(terms):
            assert after[0] == before[1] + ONE_DAY, f"{ref}: {before[:2]}, then {after[:2]}"
        anchor = terms[0][0].day
        for starts_on, ends_on, kind, *_, anchor_day, _bought_on in terms:
            assert anchor_day == anchor
            if kind != TermKind.TRIAL:
                assert ends_on + ONE_DAY == renewal_date(starts_on, MONTHS[TermKind(kind)], anchor)


def _check_money(seen: Seen) -> None:
    """No charge without a paid invoice of its own; nothing is left to bill of what has ended (L9)."""
    for ref, what in seen.subscriptions.items():
        taken = [Decimal(row["amount"]) for row in what["charges_of"] if row["result"] == "succeeded"]
        paid = [Decimal(row["share"]) for row in what["invoices_of"] if row["state"] == "paid"]
        assert not Counter(taken) - Counter(paid), f"{ref} was charged more than was billed: {taken}, {paid}"
        has_ended = what["view"]["state"] == "canceled"
        assert not (has_ended and "scheduled" in [part["state"] for part in what["installments_of"]]), ref


def _check_transitions(seen: Seen) -> None:
    """Each begins where the one before ended, on that day or later."""
    for ref, what in seen.subscriptions.items():
        moves: list[dict[str, Any]] = what["transitions_of"]
        assert moves[0]["from"] is None
        for before, after in pairwise(moves):
            assert after["from"] == before["to"], ref
            assert after["on"] >= before["on"], ref
        assert moves[-1]["to"] == what["view"]["state"], ref


def _check_deadlines(simulation: Simulation) -> None:
    """What the jobs look up is what the rules say, whoever changed the subscription last."""
    ctx = simulation.ctx
    everybody = refs(ctx)
    with reading(ctx.engine) as connection:
        for sub in Facts(connection, ctx.policy, ctx.catalogue).by_refs(everybody):
            deadline = next_deadline(sub, ctx.policy)
            stored = None if sub.next_on is None else (sub.next_on, sub.next_job)
            assert stored == (deadline and (deadline.on, deadline.place)), sub.ref


def _check_life(life: Life) -> None:
    seen = play(life, look=_check_deadlines)
    _check_terms(seen)
    _check_money(seen)
    _check_transitions(seen)


@settings(max_examples=10)
@given(lives())
def test_any_life(life: Life) -> None:
    _check_life(life)


@pytest.mark.soak
@settings(max_examples=1500)
@given(lives())
def test_very_many_lives(life: Life) -> None:
    _check_life(life)


# ---------------------------------------------------------------- a very long life


def _long_life(kind: TermKind, first: datetime, last: datetime, zone: str) -> Seen:
    return play(
        Life((Customer("1", zone),), (Purchase(first, "S1", "1", zone, kind=kind),), (), last + timedelta(hours=12))
    )


def _expect_every_term(seen: Seen, first: datetime, kind: TermKind, count: int) -> None:
    _check_terms(seen)
    starts = [term[0] for term in seen.subscriptions["S1"]["terms"]]
    months = MONTHS[kind]
    assert starts == [renewal_date(first.date(), months * n, first.day) for n in range(count)]
    assert len(seen.subscriptions["S1"]["charges_of"]) == count


def test_yearly_from_2020_to_2104() -> None:
    """From a 29 February to the last: on 28 February in the years between, never a day off (D3)."""
    first = datetime(2020, 2, 29, 12, tzinfo=UTC)
    seen = _long_life(TermKind.ANNUAL, first, datetime(2104, 2, 29, 12, tzinfo=UTC), "Europe/Oslo")
    _expect_every_term(seen, first, TermKind.ANNUAL, 85)
    assert seen.subscriptions["S1"]["terms"][-1][0].isoformat() == "2104-02-29"


@pytest.mark.soak
@pytest.mark.parametrize("zone", ["America/Havana", "Africa/Cairo", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_monthly_from_2020_to_2104(zone: str) -> None:
    first = datetime(2020, 1, 31, 12, tzinfo=UTC)
    day = first.astimezone(UTC)
    seen = _long_life(TermKind.MONTHLY, first, datetime(2104, 12, 30, 12, tzinfo=UTC), zone)
    starts = [term[0] for term in seen.subscriptions["S1"]["terms"]]
    _expect_every_term(seen, day.replace(day=starts[0].day, month=starts[0].month), TermKind.MONTHLY, len(starts))
    assert starts[-1].year == 2104
