"""Comparing what is expected with what is."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.domain.states import State
from jobs.scenario.matching import ABSENT, Check, Outcome, evaluate, matches, plain
from tests.scenarios.stories import story


class Shown:
    """Views that show what a test says, and count how often they are asked."""

    def __init__(self, views: dict[str, dict[str, Any]] | None = None, rows: Any = None) -> None:
        self.views = views or {}
        self.lists = rows or {}
        self.asked: list[str] = []

    def subscription(self, ref: str) -> Mapping[str, Any]:
        self.asked.append(ref)
        return self.views.get(ref, {})

    quote = customer = subscription

    def rows(self, list_name: str, ref: str) -> list[dict[str, Any]]:
        return self.lists.get((list_name, ref), [])


def checks(folder, step: str, views: Shown | None = None, outcome: Outcome | None = None) -> list[Check]:
    """The checks of a scenario with a single step."""
    (only,) = story(folder, f"  - {{on: 2026-05-01, {step}}}\n").steps
    return evaluate(only, views or Shown(), outcome or Outcome())


@pytest.mark.parametrize(
    ("expected", "actual", "ok"),
    [
        ("active", "active", True),
        ("active", "renewable", False),
        ("730.00", "730.00", True),
        ("730", "730.00", False),  # an amount is text in the currency's own decimals
        (2, 2, True),
        (1, True, False),
        (False, 0, False),
        (None, None, True),
        (None, "x", False),
        ("2026-06-09", "2026-06-09", True),
        ({"seats": 1}, {"seats": 1, "term": None}, True),  # in part
        ({"seats": 1, "term": "annual"}, {"seats": 1, "term": None}, False),
        ({"seats": 1}, None, False),
        ({"seats": None}, {}, False),  # a field that is not shown is not null
        ({}, {"seats": 1}, True),
        (None, {}, False),
        ([{"total": "1"}], [{"total": "1", "tax": "0"}], True),  # each entry in part
        ([{"total": "1"}], [{"total": "1"}, {"total": "2"}], False),  # complete
        ([{"total": "1"}, {"total": "2"}], [{"total": "2"}, {"total": "1"}], False),  # in order
        ([], [], True),
        ([], None, False),
        (["a@b.example", "c@d.example"], ["c@d.example", "a@b.example"], False),
        ([["S1", "S2"], ["S3"]], [["S1", "S2"], ["S3"]], True),
        ([["S1", "S2"], ["S3"]], [["S1"], ["S2", "S3"]], False),
    ],
)
def test_matches(expected, actual, ok):
    assert matches(expected, actual) is ok


def test_values_become_plain():
    value = {State.ACTIVE: (date(2026, 6, 9), Decimal("1E+2"), None, True)}
    assert plain(value) == {"active": ["2026-06-09", "100", None, True]}
    assert type(plain(State.ACTIVE)) is str
    assert plain(datetime(2026, 6, 9, 12, tzinfo=UTC)) == "2026-06-09T12:00:00+00:00"


def test_one_check_for_each_field(tmp_path):
    views = Shown({"S1": {"state": State.ACTIVE, "ends_on": date(2026, 6, 9), "next": None}})
    found = checks(tmp_path, "expect: {S1: {state: active, ends_on: 2026-06-08, next: null}}", views)
    assert found == [
        Check(1, "2026-05-01", "S1", "state", "active", "active", True),
        Check(1, "2026-05-01", "S1", "ends_on", "2026-06-08", "2026-06-09", False),
        Check(1, "2026-05-01", "S1", "next", None, None, True),
    ]
    assert views.asked == ["S1"]  # one look for all fields


def test_a_list_is_one_check(tmp_path):
    rows = {("charges_of", "S1"): [{"on": date(2025, 6, 10), "amount": "1460.00", "result": "succeeded"}]}
    (found,) = checks(tmp_path, 'expect: {charges_of: {S1: [{amount: "1460.00"}]}}', Shown(rows=rows))
    assert (found.subject, found.field, found.ok) == ("S1", "charges_of", True)
    assert found.actual == [{"on": "2025-06-10", "amount": "1460.00", "result": "succeeded"}]


def test_what_does_not_exist_yet_is_null(tmp_path):
    """A bought subscription that waits for its money is only an order (M3)."""
    (found,) = checks(tmp_path, "expect: {S1: {state: null}}")
    assert found.ok


def test_what_a_view_does_not_show_never_passes(tmp_path):
    (found,) = checks(tmp_path, "expect: {S1: {reason: null}}", Shown({"S1": {"state": "active"}}))
    assert (found.actual, found.ok) == (ABSENT, False)


def test_a_customer_by_its_number(tmp_path):
    views = Shown({"5100000001": {"owed": "0.00"}})
    (found,) = checks(tmp_path, 'expect: {5100000001: {owed: "0.00"}}', views)
    assert (found.subject, found.field, found.ok) == ("5100000001", "owed", True)


RENEW = "do: renew, subscriptions: [S1, T1]"


@pytest.mark.parametrize(
    ("step", "outcome", "expected"),
    [
        (RENEW, Outcome(), []),
        (RENEW, Outcome(refusal="window_closed"), [("S1", "do", "ok", "window_closed", False)]),
        (
            f"{RENEW}, fails: window_closed",
            Outcome(refusal="window_closed"),
            [("S1", "fails", "window_closed", "window_closed", True)],
        ),
        (
            f"{RENEW}, fails: window_closed",
            Outcome(refusal="in_lapse"),
            [("S1", "fails", "window_closed", "in_lapse", False)],
        ),
        (f"{RENEW}, fails: window_closed", Outcome(), [("S1", "fails", "window_closed", None, False)]),
        (RENEW, Outcome(missing="not in this version"), [("S1", "do", "ok", "not in this version", False)]),
        (
            f"{RENEW}, fails: in_lapse",
            Outcome(missing="not in this version"),
            [("S1", "do", "in_lapse", "not in this version", False)],
        ),
        (
            f"{RENEW}, expect: {{outcomes: {{S1: ok, T1: not_renewable}}}}",
            Outcome(outcomes={"S1": "ok", "T1": "window_closed"}),
            [
                ("S1", "outcomes", "ok", "ok", True),
                ("T1", "outcomes", "not_renewable", "window_closed", False),
            ],
        ),
        (
            "do: renewal_groups, csn: 5100000001, expect: {groups: [[S1]]}",
            Outcome(groups=[["S1"]]),
            [(None, "groups", [["S1"]], [["S1"]], True)],
        ),
        (
            "do: renewal_groups, csn: 5100000001, expect: {groups: [[S1]]}",
            Outcome(missing="not in this version"),
            [
                ("5100000001", "do", "ok", "not in this version", False),
                (None, "groups", [["S1"]], None, False),
            ],
        ),
    ],
)
def test_what_became_of_the_command(tmp_path, step, outcome, expected):
    found = checks(tmp_path, step, outcome=outcome)
    assert [(each.subject, each.field, each.expected, each.actual, each.ok) for each in found] == expected
