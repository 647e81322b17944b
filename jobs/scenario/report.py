"""Shows played scenarios to people: checks, a timeline, a summary; 80 columns and no colour are enough."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobs.scenario.differences import differences, flow
from jobs.scenario.matching import Check
from jobs.scenario.results import Moment, Played, as_json

__all__ = ["Moment", "Played", "as_json", "show"]

_GOOD, _BAD, _QUIET = "green", "bold red", "dim"


@dataclass(frozen=True, slots=True)
class _Signs:
    """Marks that the output's encoding can carry."""

    passed: str
    failed: str
    arrow: str
    cut: Literal["ellipsis", "crop"]


_PRETTY = _Signs("✓", "✗", "→", "ellipsis")
_ASCII = _Signs("ok", "XX", "->", "crop")


def show(results: Sequence[Played], console: Console) -> None:
    """Print every scenario, then how many checks held. Colour is the console's own decision."""
    signs = _PRETTY if console.encoding.lower().startswith("utf") else _ASCII
    for result in results:
        console.print(Text(result.title, style="bold"))
        console.print(Text(result.file, style=_QUIET))
        if result.checks:
            console.print()
            console.print(_checks(result.checks, signs))
        if result.timeline:
            console.print()
            _timeline(result.timeline, console, signs)
        console.print()
        console.print(_verdict(result, signs))
        console.print()
    if len(results) > 1:
        console.print(_summary(results, signs))


def _verdict(result: Played, signs: _Signs) -> Text:
    if not result.failed:
        return Text(f"{signs.passed} {_counted(result.passed, 'check')} passed", style=_GOOD)
    return Text(f"{signs.failed} {result.failed} of {_counted(len(result.checks), 'check')} failed", style=_BAD)


def _summary(results: Sequence[Played], signs: _Signs) -> Text:
    bad = [result for result in results if result.failed]
    checks = sum(len(result.checks) for result in results)
    whole = f"{_counted(len(results), 'scenario')}, {_counted(checks, 'check')}"
    if not bad:
        return Text(f"{signs.passed} {whole}: all passed", style=_GOOD)
    text = Text()
    text.append(f"{signs.failed} {whole}: {sum(result.failed for result in bad)} failed in", style=_BAD)
    for result in bad:
        text.append(f"\n  {result.file}")
    return text


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


# ---------------------------------------------------------------- checks


def _checks(checks: Sequence[Check], signs: _Signs) -> Table:
    """A line for each passed check; for a failed one a line for each part that differs."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style=_QUIET)
    for heading, most in (("", 2), ("Step", 4), ("When", 10), ("Subject", 11), ("Field", 18)):
        table.add_column(heading, overflow="fold", max_width=most)
    table.add_column("Expected", overflow="fold", ratio=1)
    table.add_column("Actual", overflow="fold", ratio=1)
    for (step, at), group in groupby(checks, lambda check: (check.step, check.at)):
        rows = [row for check in group for row in _rows(check, signs)]
        for number, when, row in zip_longest((str(step),), _when(at), rows):
            mark, *cells = row or (Text(""),)
            table.add_row(mark, Text(number or "", justify="right"), Text(when or "", style=_QUIET), *cells)
    return table


def _rows(check: Check, signs: _Signs) -> Iterator[tuple[Text, ...]]:
    """Mark, subject, field, expected and actual."""
    subject = Text(check.subject or "")
    if check.ok:
        expected = Text(flow(check.expected), no_wrap=True, overflow=signs.cut)
        yield Text(signs.passed, style=_GOOD), subject, Text(check.field), expected, Text("")
        return
    for field, expected_text, actual in differences(check):
        mark = Text(signs.failed, style=_BAD)
        yield mark, subject, Text(field), Text(expected_text, style="yellow"), Text(actual, style=_BAD)


def _when(at: str) -> tuple[str, ...]:
    """The day, and below it the time and the offset if there are any: the column stays narrow."""
    return tuple(part for part in (at[:10], at[11:19], at[19:]) if part)


# ---------------------------------------------------------------- timeline


def _timeline(moments: Iterable[Moment], console: Console, signs: _Signs) -> None:
    """What happened, day by day."""
    for day, group in groupby(moments, lambda moment: moment.at[:10]):
        console.print(Text(day, style="bold"))
        console.print(_day(group, signs))


def _day(moments: Iterable[Moment], signs: _Signs) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    for width in (1, 8, 10, 23, 3):
        table.add_column(min_width=width, max_width=width, overflow="fold")
    table.add_column(overflow="fold")
    for moment in moments:
        table.add_row(
            "",
            Text(moment.at[11:19], style=_QUIET),
            Text(moment.subject or ""),
            _change(moment, signs),
            Text(moment.rule or "", style="cyan"),
            Text(_what(moment)),
        )
    return table


def _change(moment: Moment, signs: _Signs) -> Text:
    """`expired → suspended`, or the event where no state changed."""
    if not _is_change(moment):
        return Text(moment.event)
    before = f"{moment.from_} " if moment.from_ else ""
    after = str(moment.to)
    return Text(f"{before}{signs.arrow} ").append(after, style=_COLOURS.get(after, "bold"))


def _what(moment: Moment) -> str:
    """The sentence; without one the event's name, unless it stands there already."""
    return moment.sentence or (moment.event if _is_change(moment) else "")


def _is_change(moment: Moment) -> bool:
    return moment.from_ is not None or moment.to is not None


_COLOURS = {
    "active": "green",
    "renewable": "green",
    "trial": "green",
    "expired": "yellow",
    "suspended": "dark_orange",
    "canceled": "red",
    "returned": "red",
    "trial_ended": "red",
}
