"""What the jobs do next to a subscription, and when: by the rulebook's own dates."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.deadlines import Deadlines, agenda, next_deadline, next_event, next_retry, quote_skip, renewal_skip
from app.domain.money import Price
from app.domain.states import LIVE, State
from app.domain.subscription import Installment, OpenInvoice, Subscription, Term
from app.domain.values import Due, InstallmentState, Method, TermKind
from tests.domain.subjects import CLOUD, POLICY, annual, monthly, next_term, trial

E = date(2026, 6, 9)
R = date(2026, 6, 10)


def _next(sub: Subscription) -> tuple[str, str] | None:
    found = next_event(sub, POLICY)
    return None if found is None else (found.due, str(found.on))


def _agenda(sub: Subscription) -> list[tuple[str, str]]:
    return [(d.due, str(d.on)) for d in sorted(agenda(sub, POLICY))]


# ---------------------------------------------------------------- a year in which nobody acts


def test_the_year_of_an_annual_term() -> None:
    """Bought 2025-06-10: the window on E - 90, the quote on E - 30, the reminder on E - 4, the shutoff after E."""
    assert _agenda(annual()) == [
        ("open_window", "2026-03-11"),
        ("issue_quote", "2026-05-10"),
        ("remind", "2026-05-10"),
        ("expire", "2026-06-10"),
    ]
    assert _next(annual()) == ("open_window", "2026-03-11")


def test_what_is_next_in_the_window() -> None:
    sub = annual(state=State.RENEWABLE)
    assert _next(sub) == ("issue_quote", "2026-05-10")
    sub.quote_decided_on = date(2026, 5, 10)
    sub.reminded_on = date(2026, 5, 10)
    assert _next(sub) == ("expire", "2026-06-10")
    assert next_deadline(sub, POLICY) == (date(2026, 6, 5), 11, Due.REMIND), "mail is a deadline, but not shown"


def test_the_stages_of_an_annual_lapse() -> None:
    """E 2026-06-09: expired 06-10, suspended 06-25, canceled 07-25 (L3)."""
    done: dict[str, Any] = {"quote_decided_on": E, "reminded_on": E}
    assert _next(annual(**done, state=State.RENEWABLE)) == ("expire", "2026-06-10")
    assert _next(annual(**done, state=State.EXPIRED)) == ("suspend", "2026-06-25")
    assert _next(annual(**done, state=State.SUSPENDED)) == ("cancel", "2026-07-25")
    assert _next(annual(state=State.CANCELED)) is None


def test_the_stages_of_a_monthly_lapse() -> None:
    """E 2026-04-09: expired 04-10, suspended 04-25, canceled 05-10 (L3)."""
    assert _next(monthly(state=State.RENEWABLE)) == ("expire", "2026-04-10")
    assert _next(monthly(state=State.EXPIRED)) == ("suspend", "2026-04-25")
    assert _next(monthly(state=State.SUSPENDED)) == ("cancel", "2026-05-10")


def test_a_short_term_has_no_quote_and_no_reminder_before_it_begins() -> None:
    """Monthly from 03-10 to 04-09: E - 30 is S, so only the reminder four days before is left (W3, Q10)."""
    assert _agenda(monthly(state=State.RENEWABLE)) == [("remind", "2026-04-05"), ("expire", "2026-04-10")]


@pytest.mark.parametrize("without_grace", [{"offering": CLOUD}, {"new_regime": False}], ids=["exempt", "older regime"])
def test_without_grace_the_end_comes_at_once(without_grace: dict[str, Any]) -> None:
    sub = annual(**without_grace, state=State.RENEWABLE, quote_decided_on=E)
    assert _next(sub) == ("cancel", "2026-06-10")


def test_a_trial() -> None:
    """Thirty days, then `trial_ended` at 00:00 on S + 30 (O4)."""
    assert _agenda(trial()) == [("end_trial", "2026-01-31")]
    assert _next(trial(state=State.TRIAL_ENDED)) is None


# ---------------------------------------------------------------- auto-renew and its retries (A2, A6)


def test_the_charge_is_made_on_the_renewal_date() -> None:
    sub = annual(state=State.RENEWABLE, auto_renew=True)
    assert _next(sub) == ("renew", "2026-06-10")
    assert ("issue_quote", "2026-05-10") in _agenda(sub), "decided to be skipped, and recorded (Q10)"


def test_a_declined_charge_is_tried_again_after_3_7_and_14_days() -> None:
    sub = annual(state=State.RENEWABLE, auto_renew=True, declined=True, tried_on=R, quote_decided_on=E)
    assert _next(sub) == ("expire", "2026-06-10"), "the charge on R comes before, in the order of the day"
    sub.state = State.EXPIRED
    tries = []
    while (found := next_event(sub, POLICY)) is not None and found.due is Due.RETRY_CHARGE:
        tries.append(str(found.on))
        sub.tried_on = found.on
    assert tries == ["2026-06-13", "2026-06-17", "2026-06-24"]
    assert _next(sub) == ("suspend", "2026-06-25")


def test_switching_auto_renew_off_stops_the_retries() -> None:
    sub = annual(state=State.EXPIRED, declined=True, tried_on=R, quote_decided_on=E)
    assert _next(sub) == ("suspend", "2026-06-25")


def test_no_retries_without_grace() -> None:
    sub = annual(offering=CLOUD, state=State.RENEWABLE, auto_renew=True, declined=True, tried_on=R, quote_decided_on=E)
    assert _agenda(sub)[-1] == ("cancel", "2026-06-10")


@pytest.mark.parametrize(("last", "then"), [(10, 13), (11, 13), (13, 17), (16, 17), (17, 24), (24, None), (30, None)])
def test_the_next_planned_try(last: int, then: int | None) -> None:
    found = next_retry(R, date(2026, 6, last), POLICY)
    assert found == (None if then is None else date(2026, 6, then))


def test_the_charge_is_not_made_while_an_invoice_is_past_due() -> None:
    """Nor is it shown: a decision that would be to skip does not count (L6)."""
    owed = OpenInvoice(1, 1, date(2026, 6, 1), date(2026, 6, 1), False)
    sub = annual(state=State.EXPIRED, auto_renew=True, unpaid=[owed], quote_decided_on=E)
    assert renewal_skip(sub, R) == "an invoice is past due"
    assert _next(sub) == ("suspend", "2026-06-17")
    assert renewal_skip(sub, date(2026, 6, 1)) is None, "due that day is not past due"


# ---------------------------------------------------------------- the next term, installments, overdue notices


def test_a_scheduled_term_begins_on_the_renewal_date() -> None:
    sub = annual(auto_renew=True)
    sub.scheduled = next_term(sub)
    assert _agenda(sub) == [("start_term", "2026-06-10")]


def _three_years(**changes: Any) -> Subscription:
    parts = [
        Installment(n, 1, n + 1, date(2025 + n, 6, 10), Price(25000), InstallmentState.SCHEDULED, None, None)
        for n in (1, 2)
    ]
    term = {"kind": TermKind.THREE_YEAR, "ends_on": date(2028, 6, 9), "installments": parts}
    return annual(**{**term, **changes})


def test_installments_are_billed_on_the_anniversaries() -> None:
    assert _next(_three_years()) == ("bill_installment", "2026-06-10")


def test_a_declined_installment_is_tried_again_while_the_shutoff_runs() -> None:
    """Its due day is X: expired the day after, tried again 3, 7 and 14 days after X (I2)."""
    sub = _three_years()
    sub.installments[0] = replace(sub.installments[0], state=InstallmentState.OPEN, invoice_id=7, tried_on=R)
    sub.unpaid = [OpenInvoice(7, 1, R, R, False)]
    assert _next(sub) == ("expire", "2026-06-11")
    sub.state = State.EXPIRED
    assert _next(sub) == ("retry_charge", "2026-06-13")


def test_payers_are_told_the_day_after_an_invoice_is_due() -> None:
    """A deadline that is mail only, and once (B4)."""
    owed = OpenInvoice(7, 1, R, R, False)
    sub = _three_years(installments=[], unpaid=[owed], has_payers=True)
    assert next_deadline(sub, POLICY) == (date(2026, 6, 11), 1, Due.OVERDUE_NOTICE)
    assert _next(sub) == ("expire", "2026-06-11")
    sub.unpaid = [replace(owed, overdue_told=True)]
    assert next_deadline(sub, POLICY) == (date(2026, 6, 11), 6, Due.EXPIRE)
    assert next_deadline(replace(sub, unpaid=[owed], has_payers=False), POLICY) == next_deadline(sub, POLICY)


# ---------------------------------------------------------------- the automatic quote (Q10)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"auto_renew": True}, "renews by itself"),
        ({"scheduled": next_term(annual())}, "next term already bought"),
        ({"state": State.EXPIRED}, "in a lapse"),
        ({"open_quotes": [4]}, "a renewal quote is open"),
    ],
)
def test_why_no_quote_is_issued(changes: dict[str, Any], why: str | None) -> None:
    assert quote_skip(annual(**changes), date(2026, 5, 10), POLICY) == why


@pytest.mark.parametrize("changes", [{"auto_renew": True}, {"open_quotes": [4]}])
def test_a_quote_that_would_be_skipped_is_not_shown(changes: dict[str, Any]) -> None:
    found = _next(annual(state=State.RENEWABLE, **changes))
    assert found is not None
    assert found[0] != "issue_quote"


# ---------------------------------------------------------------- pages of subscriptions that are alike


@st.composite
def subscriptions(draw: st.DrawFn) -> Subscription:
    """Any facts that deadlines are worked out from, sensible together or not."""
    sub = draw(st.sampled_from([annual, monthly, _three_years]))()
    days = st.one_of(st.none(), st.integers(-40, 40).map(lambda n: sub.ends_on + timedelta(days=n)))
    sub.state = draw(st.sampled_from(sorted(LIVE | {State.EXPIRED, State.SUSPENDED, State.CANCELED})))
    sub.offering = draw(st.sampled_from([sub.offering, CLOUD]))
    sub.new_regime, sub.auto_renew, sub.declined = draw(st.tuples(st.booleans(), st.booleans(), st.booleans()))
    sub.tried_on, sub.reminded_on, sub.quote_decided_on = draw(st.tuples(days, days, days))
    sub.grace_days = draw(st.integers(0, 3))
    sub.method = draw(st.sampled_from([Method.CARD, Method.KONBINI, None]))
    sub.scheduled = draw(st.sampled_from([None, next_term(sub)]))
    sub.has_payers = draw(st.booleans())
    if not draw(st.booleans()):
        sub.installments = []
    if (due_on := draw(days)) is not None:
        sub.unpaid = [OpenInvoice(1, 1, due_on, due_on, draw(st.booleans()))]
    return sub


@given(st.lists(subscriptions(), min_size=2, max_size=6))
def test_a_page_is_worked_out_like_its_subscriptions(page: list[Subscription]) -> None:
    """Each kind is worked out once; the answer is that of each subscription by itself."""
    known = Deadlines(POLICY)
    assert [known.of(sub) for sub in page] == [next_deadline(sub, POLICY) for sub in page]


def test_a_scheduled_term_starts_the_day_after_the_running_one() -> None:
    sub = annual()
    assert next_term(sub) == Term(2, TermKind.ANNUAL, R, date(2027, 6, 9), 2, "REED")
