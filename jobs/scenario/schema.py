"""The shape of a scenario file, one level at a time: each entry is then read with a place of its own."""

from __future__ import annotations

from typing import Any

from jobs.scenario.fields import Day, Keys, Text, Zone


class Sheet(Keys):
    """The top of the file. What stands below is read entry by entry (`parties`, `commands`, `vocabulary`)."""

    title: Text
    start: Day
    end: Day
    timezone: Zone
    settings: dict[str, Any] | None = None
    offerings: dict[str, Any] | None = None
    promotions: list[Any] | None = None
    customers: tuple[Any, ...] = ()
    subscriptions: tuple[Any, ...] = ()
    steps: tuple[Any, ...] = ()


class StepKeys(Keys):
    """The keys of a step that are not parameters of its command."""

    on: Day | None = None
    at: Text | None = None
    do: Text | None = None
    fails: Text | None = None
    expect: dict[str, Any] | None = None
