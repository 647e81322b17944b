"""Shows a simulated book to people: by kind of event, by day or month, money, states; 80 columns are enough."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from app.domain.money import show as show_amount
from jobs.book_simulation import KINDS, BookSimulation, Counts, Progress

_DAYS_SHOWN = 31
"""A longer span is shown by month, with its busiest days."""
_BUSIEST = 5
_STUCK_SHOWN = 10
_QUIET = "dim"


@contextmanager
def progress_bar(console: Console) -> Iterator[Progress]:
    """A bar that moves with the simulated days; gone when they are over."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("copying the book", total=None)

        def move(first: date, reached: date, last: date) -> None:
            total = max(1, (last - first).days)
            done = (reached - first).days if last > first else total
            bar.update(task, description=str(reached), completed=done, total=total)

        yield move


def show(sim: BookSimulation, console: Console) -> None:
    """Print what came of it. Colour is the console's own decision."""
    days = len(sim.states)
    console.print(Text(f"The book from {sim.starts_on} to {sim.until}, if nobody acts", style="bold"))
    told = f"{sim.subscriptions:,} subscriptions, {days:,} days; done on a copy, with mail and payments caught"
    console.print(Text(told, style=_QUIET))
    for title, table in _parts(sim, days):
        console.print()
        console.print(Text(title, style="bold"))
        console.print(table)
    if sim.stuck_count:
        _show_stuck(sim, console)


def _parts(sim: BookSimulation, days: int) -> Iterator[tuple[str, Table]]:
    yield "By kind of event", _kinds(sim.totals())
    if sim.money:
        yield "Money", _money(sim)
    if days <= _DAYS_SHOWN:
        yield "By day", _over_time(sim.days.items(), str)
    else:
        yield "By month", _over_time(sim.days.items(), lambda day: f"{day:%Y-%m}")
        yield "Busiest days", _over_time(_busiest(sim), str)
    yield "States at the end of the first and of the last day", _states(sim)


def _table(*headings: str) -> Table:
    """The first column to the left, numbers to the right."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=_QUIET)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left", no_wrap=True)
    return table


def _kinds(totals: Counts) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=_QUIET)
    table.add_column("Kind", no_wrap=True)
    table.add_column("Number", justify="right", no_wrap=True)
    table.add_column("Of which", overflow="fold")
    for kind in KINDS:
        names = totals[kind]
        by_size = sorted(names.items(), key=lambda item: (-item[1], item[0]))
        table.add_row(kind, f"{sum(names.values()):,}", ", ".join(f"{name} {number:,}" for name, number in by_size))
    return table


def _money(sim: BookSimulation) -> Table:
    table = _table("Currency", "Charged", "Declined", "Invoiced")
    for currency, sums in sim.money.items():
        amounts = (sums.charged_minor, sums.declined_minor, sums.invoiced_minor)
        table.add_row(currency, *(_grouped(amount, currency) for amount in amounts))
    return table


def _grouped(minor: int, currency: str) -> str:
    whole, point, rest = show_amount(minor, currency).partition(".")
    return f"{int(whole):,}{point}{rest}"


def _over_time(days: Iterable[tuple[date, Counts]], label: Callable[[date], str]) -> Table:
    """A line a day or month, in order."""
    rows: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for day, counts in days:
        for kind, names in counts.items():
            rows[label(day)][kind] += sum(names.values())
    table = _table("When", *KINDS)
    for when, row in sorted(rows.items()):
        table.add_row(when, *(f"{row[kind]:,}" if row[kind] else "" for kind in KINDS))
    return table


def _busiest(sim: BookSimulation) -> Sequence[tuple[date, Counts]]:
    def size(item: tuple[date, Counts]) -> int:
        return sum(sum(names.values()) for names in item[1].values())

    return sorted(sim.days.items(), key=lambda item: (-size(item), item[0]))[:_BUSIEST]


def _states(sim: BookSimulation) -> Table:
    table = _table("State", str(sim.starts_on), str(sim.until))
    first, last = sim.states[sim.starts_on], sim.states[sim.until]
    for state in first:
        if first[state] or last[state]:
            table.add_row(state, f"{first[state]:,}", f"{last[state]:,}")
    return table


def _show_stuck(sim: BookSimulation, console: Console) -> None:
    console.print()
    console.print(Text(f"Could not be processed and set aside: {sim.stuck_count:,}", style="bold red"))
    for row in sim.stuck[:_STUCK_SHOWN]:
        console.print(Text(f"{row.subscription}  {row.due} of {row.due_on}: {row.error}"))
    if sim.stuck_count > _STUCK_SHOWN:
        console.print(Text(f"and {sim.stuck_count - _STUCK_SHOWN:,} more", style=_QUIET))
