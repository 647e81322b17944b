"""Compares what a step expects with what is. Pure: it is given views and answers checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Protocol

from jobs.scenario.story import About, Expectation, Plain, Step

ABSENT = "(not shown)"
"""The actual value of a field that a view does not have: never equal to what a file can expect."""


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison. `step` counts from one, `at` is what the file says; `subject` is None for `groups`."""

    step: int
    at: str
    subject: str | None
    field: str
    expected: Plain
    actual: Plain
    ok: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a step's command. All empty: it was done, or there was none.

    `refusal` is the code of a refusal; `missing` says why this version cannot do it at all;
    `outcomes` is ok or a code by subscription.
    """

    refusal: str | None = None
    missing: str | None = None
    groups: list[list[str]] | None = None
    outcomes: Mapping[str, str] | None = None


class Views(Protocol):
    """What there is to see, as plain values. A subject that does not exist (yet) shows as {} or []."""

    def subscription(self, ref: str) -> Mapping[str, Any]: ...

    def quote(self, name: str) -> Mapping[str, Any]: ...

    def customer(self, csn: str) -> Mapping[str, Any]: ...

    def rows(self, list_name: str, ref: str) -> list[dict[str, Any]]: ...


def evaluate(step: Step, views: Views, outcome: Outcome) -> list[Check]:
    """Every check of a step: first what became of its command, then what it expects, in file order."""
    seen: dict[tuple[About, str | None], Mapping[str, Any]] = {}
    return command_checks(step, outcome) + [
        check(step, each.subject, each.field, each.expected, _actual(each, views, outcome, seen))
        for each in step.expect
    ]


def command_checks(step: Step, outcome: Outcome) -> list[Check]:
    """Whether the command went as the file says. One that simply works is no check."""
    if step.command is None:
        return []
    subject = step.command.subject
    if outcome.missing is not None:
        return [check(step, subject, "do", step.fails or "ok", outcome.missing)]
    if step.fails is not None:
        return [check(step, subject, "fails", step.fails, outcome.refusal)]
    if outcome.refusal is not None:
        return [check(step, subject, "do", "ok", outcome.refusal)]
    return []


def check(step: Step, subject: str | None, field: str, expected: Plain, actual: object) -> Check:
    """One comparison at a step, with both sides as plain values."""
    shown = plain(actual)
    return Check(step.index, step.label, subject, field, expected, shown, matches(expected, shown))


def matches(expected: object, actual: object) -> bool:
    """Whether what is meets what is expected.

    A mapping is met in part: keys left out are not looked at. A list is met whole and in order, each entry
    as above. Everything else is equal only if it is the same kind of thing: amounts are text in their
    currency's own decimals ("730.00", never 730), and true is not 1.
    """
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(
            key in actual and matches(value, actual[key]) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(actual, list)
            and len(actual) == len(expected)
            and all(matches(*pair) for pair in zip(expected, actual, strict=True))
        )
    return type(expected) is type(actual) and expected == actual


def plain(value: object) -> Plain:
    """The value in JSON's own types: dates as ISO text, amounts and enums as text."""
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return value if value is None or isinstance(value, str | int) else str(value)


def _actual(
    expectation: Expectation,
    views: Views,
    outcome: Outcome,
    seen: dict[tuple[About, str | None], Mapping[str, Any]],
) -> object:
    subject, field = expectation.subject, expectation.field
    if expectation.about is About.GROUPS:
        return outcome.groups
    assert subject is not None
    if expectation.about is About.OUTCOMES:
        return (outcome.outcomes or {}).get(subject)
    if expectation.about is About.ROWS:
        return views.rows(field, subject)
    key = (expectation.about, subject)
    if key not in seen:
        seen[key] = _view(expectation.about, subject, views)
    view = seen[key]
    # What does not exist has null everywhere: an order that waits for its money has no state yet (M3).
    return view.get(field, ABSENT) if view else None


def _view(about: About, subject: str, views: Views) -> Mapping[str, Any]:
    if about is About.SUBSCRIPTION:
        return views.subscription(subject)
    return views.quote(subject) if about is About.QUOTE else views.customer(subject)
