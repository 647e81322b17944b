"""Where an expected and an actual value part, in pieces short enough for a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jobs.scenario.matching import Check, matches
from jobs.scenario.story import Plain

NOTHING = "none"
"""What stands on the side of a list that has no such entry."""


def differences(check: Check) -> Iterator[tuple[str, str, str]]:
    """Field, expected and actual of every part of a failed check that differs.

    `charges_of #2 on`, `2026-02-10`, `2026-02-13`: entries of a list are counted from one.
    """
    for where, expected, actual in _parts(check.expected, check.actual):
        yield " ".join((check.field, *where)), expected, actual


def flow(value: Plain) -> str:
    """A value as one would write it in a scenario file."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(inner) for inner in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def _parts(expected: Any, actual: Any) -> Iterator[tuple[tuple[str, ...], str, str]]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        yield from _in_mapping(expected, actual)
    elif _are_rows(expected) and _are_rows(actual):
        yield from _in_rows(expected, actual)
    else:
        yield (), flow(expected), flow(actual)


def _in_mapping(expected: dict[str, Any], actual: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    for key, wanted in expected.items():
        if key not in actual:
            yield (key,), flow(wanted), NOTHING
        elif not matches(wanted, actual[key]):
            for where, left, right in _parts(wanted, actual[key]):
                yield (key, *where), left, right


def _in_rows(expected: list[Any], actual: list[Any]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    for index in range(max(len(expected), len(actual))):
        number = f"#{index + 1}"
        if index >= len(actual):
            yield (number,), flow(expected[index]), NOTHING
        elif index >= len(expected):
            yield (number,), NOTHING, flow(actual[index])
        elif not matches(expected[index], actual[index]):
            for where, left, right in _parts(expected[index], actual[index]):
                yield (number, *where), left, right


def _are_rows(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)
