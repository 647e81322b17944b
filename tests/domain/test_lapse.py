"""The shutoff's causes and stages, by the rulebook's own dates (L1-L5, S2, W1)."""

from datetime import date, timedelta
from typing import Any

import pytest

from app.domain import lapse
from app.domain.states import State
from app.domain.subscription import OpenInvoice, Subscription
from app.domain.values import Reason, Region, TermKind
from tests.domain.subjects import CLOUD, POLICY, annual, monthly, next_term, trial


def _states(sub: Subscription, first: date, last: date) -> dict[State | None, tuple[date, date]]:
    """The first and last day of each stage between two days."""
    found: dict[State | None, tuple[date, date]] = {}
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        stage, _ = lapse.stage_on(sub, day, POLICY)
        found[stage] = (found.get(stage, (day, day))[0], day)
    return found


def test_an_annual_term_that_is_not_renewed() -> None:
    """E 2026-06-09: expired 06-10 … 06-24, suspended 06-25 … 07-24, canceled 07-25 (L3)."""
    assert _states(annual(), date(2026, 6, 1), date(2026, 7, 31)) == {
        None: (date(2026, 6, 1), date(2026, 6, 9)),
        State.EXPIRED: (date(2026, 6, 10), date(2026, 6, 24)),
        State.SUSPENDED: (date(2026, 6, 25), date(2026, 7, 24)),
        State.CANCELED: (date(2026, 7, 25), date(2026, 7, 31)),
    }


def test_a_monthly_term_that_is_not_renewed() -> None:
    """E 2026-04-09: expired 04-10 … 04-24, suspended 04-25 … 05-09, canceled 05-10 (L3)."""
    assert _states(monthly(), date(2026, 4, 9), date(2026, 5, 10)) == {
        None: (date(2026, 4, 9), date(2026, 4, 9)),
        State.EXPIRED: (date(2026, 4, 10), date(2026, 4, 24)),
        State.SUSPENDED: (date(2026, 4, 25), date(2026, 5, 9)),
        State.CANCELED: (date(2026, 5, 10), date(2026, 5, 10)),
    }


@pytest.mark.parametrize("without_grace", [{"offering": CLOUD}, {"new_regime": False}], ids=["exempt", "older regime"])
def test_without_grace_it_is_canceled_on_the_renewal_date(without_grace: dict[str, Any]) -> None:
    sub = annual(**without_grace)
    assert set(_states(sub, date(2026, 6, 1), date(2026, 7, 31))) == {None, State.CANCELED}
    assert lapse.stage_on(sub, sub.ends_on, POLICY)[0] is None
    assert lapse.stage_on(sub, sub.renews_on, POLICY)[0] is State.CANCELED
    assert lapse.window_last_day(sub, POLICY) == sub.ends_on


def test_the_last_day_of_the_window() -> None:
    """E + 45, and E + 30 for a monthly term (W1)."""
    assert lapse.window_last_day(annual(), POLICY) == date(2026, 7, 24)
    assert lapse.window_last_day(monthly(), POLICY) == date(2026, 5, 9)


def test_the_first_day_of_the_window() -> None:
    """E - 90, or S of a shorter term; a trial has none (W1)."""
    assert lapse.window_opens_on(annual(), POLICY) == date(2026, 3, 11)
    assert lapse.window_opens_on(monthly(), POLICY) == date(2026, 3, 10)
    assert lapse.window_opens_on(trial(), POLICY) is None
    assert not lapse.is_window_open(annual(), date(2026, 3, 10), POLICY)
    assert lapse.is_window_open(annual(), date(2026, 3, 11), POLICY)
    assert not lapse.is_window_open(annual(scheduled=next_term(annual())), date(2026, 6, 1), POLICY)


def test_a_grace_moves_the_next_stage_and_all_later_ones() -> None:
    """Ten more days in the first stage: suspended 07-05, canceled 08-04 (L10)."""
    sub = annual(state=State.EXPIRED, grace_days=10)
    assert lapse.stages(sub, sub.ends_on, POLICY)[1:] == (date(2026, 7, 5), date(2026, 8, 4))
    sub = annual(state=State.SUSPENDED, grace_days=10)
    assert lapse.stages(sub, sub.ends_on, POLICY)[1:] == (date(2026, 6, 25), date(2026, 8, 4))


# ---------------------------------------------------------------- causes (L2, S2)


def _owed(number: int, on: date) -> OpenInvoice:
    return OpenInvoice(number, 1, on, on, False)


def test_the_earlier_cause_counts() -> None:
    sub = annual(unpaid=[_owed(1, date(2026, 6, 20)), _owed(2, date(2026, 5, 31))])
    assert lapse.main_cause(sub) == (date(2026, 5, 31), 0, Reason.NON_PAYMENT)
    sub.unpaid = [_owed(1, date(2026, 6, 20))]
    assert lapse.main_cause(sub) == (date(2026, 6, 9), 1, Reason.NON_RENEWAL)
    sub.unpaid = [_owed(1, date(2026, 6, 9))]
    assert lapse.main_cause(sub) == (date(2026, 6, 9), 0, Reason.NON_PAYMENT)


def test_a_declined_charge_is_a_reason_only_while_auto_renew_is_on() -> None:
    """Switching it off makes the reason `non_renewal` (A6)."""
    declined = annual(auto_renew=True, declined=True)
    assert lapse.main_cause(declined) == (date(2026, 6, 9), 1, Reason.PAYMENT_FAILED)
    declined.auto_renew = False
    assert lapse.main_cause(declined) == (date(2026, 6, 9), 1, Reason.NON_RENEWAL)


def test_a_bought_next_term_leaves_only_what_is_owed() -> None:
    sub = annual(scheduled=next_term(annual()))
    assert lapse.main_cause(sub) is None
    sub.unpaid = [_owed(1, date(2026, 5, 31))]
    assert lapse.main_cause(sub) == (date(2026, 5, 31), 0, Reason.NON_PAYMENT)


# ---------------------------------------------------------------- regimes (L1)


@pytest.mark.parametrize(
    ("region", "on", "is_new"),
    [
        (Region.EEA, date(2024, 9, 15), False),
        (Region.EEA, date(2024, 9, 16), True),
        (Region.UK, date(2024, 9, 15), False),
        (Region.CH, date(2024, 9, 16), True),
        (Region.CA, date(2024, 6, 9), False),
        (Region.CA, date(2024, 6, 10), True),
        (None, date(2020, 1, 1), True),
    ],
)
def test_the_cut_over_of_a_region(region: Region | None, on: date, is_new: bool) -> None:
    assert lapse.is_new_regime(region, on, POLICY) is is_new


def test_late_renewals_start_at_the_original_end() -> None:
    assert not [kind for kind in TermKind if lapse.late_start_is_payment_date(kind, POLICY)]
