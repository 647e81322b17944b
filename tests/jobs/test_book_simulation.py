"""A simulated book comes to what the same days really come to, and nothing of it leaves the copy."""

import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import Engine, select

from app.domain.catalogue import Catalogue
from app.domain.errors import InvalidArgument
from app.domain.payments import Answer, ChargeRequest
from app.store import db
from app.store.engine import open_engine, reading
from jobs import book_report
from jobs.book_simulation import BookSimulation, Money, simulate_book
from tests.factories import CATALOGUE, at
from tests.jobs import mixed_book

UNTIL = date(2026, 7, 20)
AFTERWARDS = "2026-07-21 12:00"
"""Every zone is past the 20th by then."""


def test_it_comes_to_what_really_happens(engine: Engine) -> None:
    ctx = mixed_book.build(engine)
    before = mixed_book.rows(engine)

    sim = simulate_book(ctx, UNTIL)

    assert mixed_book.rows(engine) == before
    mixed_book.run_on(ctx, AFTERWARDS)
    really = Really(engine, before)
    assert sim.days == really.days()
    assert sim.money == really.money()
    assert sim.states[UNTIL] == really.states(UNTIL)
    assert sim.states[date(2026, 6, 14)] == really.states(date(2026, 6, 14))
    assert next(iter(sim.states)) == sim.starts_on == date(2026, 5, 7), "in Honolulu it is still the 7th"
    assert len(sim.states) == 75
    assert sim.stuck_count == 0
    assert {"renew", "expire", "suspend", "cancel", "end_trial"} <= set(sim.totals()["transitions"])


def test_no_charge_and_no_mail_leaves_the_copy(sqlite_book: Engine, tmp_path: Path) -> None:
    ctx = mixed_book.build(sqlite_book)
    folder = tmp_path / "copies"
    folder.mkdir()
    sim = simulate_book(replace(ctx, provider=_Unwanted()), UNTIL, folder=folder)
    assert sim.totals()["charges"]["succeeded"] > 0
    assert sim.totals()["charges"]["declined"] > 0, "the copy's provider declines whom the live one declines"
    assert list(folder.iterdir()) == []


def test_progress_goes_from_the_first_day_to_the_last(sqlite_book: Engine) -> None:
    ctx = mixed_book.build(sqlite_book)
    told: list[tuple[date, date, date]] = []
    simulate_book(ctx, UNTIL, lambda *days: told.append(days))
    reached = [day for _, day, _ in told]
    assert reached == sorted(reached)
    assert reached[-1] == UNTIL
    assert {(first, last) for first, _, last in told} == {(date(2026, 5, 7), UNTIL)}


def test_what_was_overdue_counts_on_its_own_day_and_in_the_states_of_the_first(sqlite_book: Engine) -> None:
    """The daemon has been down since May: the copy catches up as the daemon would (J3)."""
    ctx = mixed_book.build(sqlite_book)
    ctx.clock.move_to(at("2026-06-20 12:00"))
    sim = simulate_book(ctx, date(2026, 6, 21))
    assert sim.starts_on == date(2026, 6, 20)
    assert sim.days[date(2026, 6, 10)]["transitions"]["renew"] == 1
    assert list(sim.states) == [date(2026, 6, 20), date(2026, 6, 21)]
    assert sum(sim.states[date(2026, 6, 20)].values()) == sim.subscriptions


def test_a_charge_whose_outcome_is_found_out_counts(sqlite_book: Engine) -> None:
    """It was asked for before a crash: the copy asks what became of it, and tells (J4)."""
    ctx = mixed_book.build(sqlite_book)
    silent = replace(ctx, provider=_Silent())
    mixed_book.run_on(silent, "2026-06-10 12:00")
    sim = simulate_book(ctx, date(2026, 6, 11))
    assert sim.days[date(2026, 6, 10)]["charges"]["succeeded"] >= 1
    assert "pending" not in sim.totals()["charges"]


def test_what_could_not_be_processed_is_told(sqlite_book: Engine) -> None:
    ctx = mixed_book.build(sqlite_book)
    offerings = {code: offering for code, offering in CATALOGUE.offerings.items() if code != "DRIFT"}
    ctx = replace(ctx, catalogue=Catalogue(offerings=offerings, regions=CATALOGUE.regions))
    sim = simulate_book(ctx, UNTIL)
    assert sim.stuck_count == 1
    assert (sim.stuck[0].subscription, "DRIFT" in sim.stuck[0].error) == ("O-OFF", True)
    assert "Could not be processed and set aside: 1" in _shown(sim)


def test_a_day_that_is_over_is_refused(sqlite_book: Engine) -> None:
    ctx = mixed_book.build(sqlite_book)
    with pytest.raises(InvalidArgument, match="2026-05-06 is over"):
        simulate_book(ctx, date(2026, 5, 6))


def test_a_book_with_nothing_in_it(sqlite_book: Engine) -> None:
    ctx = mixed_book.make_context(sqlite_book)
    sim = simulate_book(ctx, date(2025, 6, 12))
    assert (sim.subscriptions, sim.days, sim.money) == (0, {}, {})
    assert len(sim.states) == 3
    assert "0 subscriptions, 3 days" in _shown(sim)


def test_as_json_is_plain(sqlite_book: Engine) -> None:
    ctx = mixed_book.build(sqlite_book)
    found = json.loads(json.dumps(simulate_book(ctx, UNTIL).as_json()))
    assert list(found) == ["from", "until", "subscriptions", "totals", "money", "days", "states", "stuck"]
    assert found["states"][-1]["on"] == "2026-07-20"
    assert found["money"]["EUR"]["charged"].endswith(".00")
    assert (
        sum(day.get("transitions", {}).get("renew", 0) for day in found["days"])
        == (found["totals"]["transitions"]["renew"])
    )


def test_the_report_fits_eighty_columns() -> None:
    for sim in (_made_up(days=400), _made_up(days=10)):
        shown = _shown(sim)
        assert max(len(line.rstrip()) for line in shown.splitlines()) <= 80
        assert "EUR       12,345,678.90" in shown
        assert "1,234,567 subscriptions" in shown
    assert "By day" in shown
    assert "By month" in _shown(_made_up(days=400))
    assert "Busiest days" in _shown(_made_up(days=400))


def test_a_bar_moves_and_is_gone() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    with book_report.progress_bar(console) as move:
        move(date(2026, 1, 1), date(2026, 1, 1), date(2026, 1, 31))
        move(date(2026, 1, 1), date(2026, 1, 31), date(2026, 1, 31))
        move(date(2026, 1, 1), date(2026, 1, 1), date(2026, 1, 1))


# ---------------------------------------------------------------- tools


@pytest.fixture
def sqlite_book(sqlite_book_url: str) -> Iterator[Engine]:
    engine = open_engine(sqlite_book_url)
    yield engine
    engine.dispose()


class _Unwanted:
    """A provider that nobody may ask."""

    def charge(self, requests: Sequence[ChargeRequest]) -> list[Answer]:
        raise AssertionError(requests)

    def find(self, keys: Sequence[str]) -> list[Answer | None]:
        raise AssertionError(keys)

    def set_declining(self, csn: str, at: object, declines: bool) -> None:
        raise AssertionError(csn)


class _Silent(_Unwanted):
    """A provider that does not answer."""

    def charge(self, requests: Sequence[ChargeRequest]) -> list[Answer]:
        return [Answer.UNKNOWN for _ in requests]

    def find(self, keys: Sequence[str]) -> list[Answer | None]:
        return [Answer.UNKNOWN for _ in keys]


class Really:
    """What a run on the book itself came to, counted row by row."""

    def __init__(self, engine: Engine, before: dict[str, list[tuple[Any, ...]]]) -> None:
        self._engine = engine
        tables = (db.event, db.charge, db.invoice, db.notice, db.quote)
        known = {table.name: {row[0] for row in before[table.name]} for table in tables}
        self._all = {table.name: self._rows(table) for table in tables}
        self._new = {name: [row for row in rows if row.id not in known[name]] for name, rows in self._all.items()}

    def _rows(self, table: Any) -> list[Any]:
        with reading(self._engine) as connection:
            return list(connection.execute(select(table).order_by(table.c.id)))

    def days(self) -> dict[date, dict[str, dict[str, int]]]:
        seen = [("transitions", r.effective_on, r.name) for r in self._new["event"] if r.kind == "transition"]
        seen += [("charges", r.charged_on, r.state) for r in self._new["charge"]]
        seen += [("invoices", r.issued_on, r.state) for r in self._new["invoice"]]
        seen += [("notices", r.due_on, r.kind) for r in self._new["notice"] if r.state != "dropped"]
        seen += [("quotes", r.issued_on, r.source) for r in self._new["quote"]]
        found: dict[date, dict[str, dict[str, int]]] = {}
        for (kind, on, name), number in Counter(seen).items():
            if on <= UNTIL:
                found.setdefault(on, {}).setdefault(kind, {})[name] = number
        return found

    def money(self) -> dict[str, Money]:
        charges = [row for row in self._new["charge"] if row.charged_on <= UNTIL]
        invoices = [row for row in self._new["invoice"] if row.issued_on <= UNTIL]
        return {
            "EUR": Money(
                sum(row.amount_minor for row in charges if row.state == "succeeded"),
                sum(row.amount_minor for row in charges if row.state == "declined"),
                sum(row.total_minor for row in invoices),
            )
        }

    def states(self, on: date) -> dict[str, int]:
        """By the last move of each subscription up to the end of a day."""
        last = {
            row.subscription_id: row.to_state
            for row in self._all["event"]
            if row.kind == "transition" and row.effective_on <= on
        }
        counted = Counter(last.values())
        names = ["trial", "trial_ended", "active", "renewable", "expired", "suspended", "canceled", "returned"]
        return {name: counted[name] for name in names}


def _made_up(days: int) -> BookSimulation:
    first = date(2026, 1, 1)
    every = [date.fromordinal(first.toordinal() + n) for n in range(days)]
    names = ["order_confirmation", "payment_method_expiring", "auto_renew_changed", "renewal_reminder"]
    counts = {"transitions": {"renew": 12_345}, "notices": dict.fromkeys(names, 123_456), "charges": {"declined": 1}}
    return BookSimulation(
        first,
        every[-1],
        1_234_567,
        dict.fromkeys(every[1:], counts),
        {"EUR": Money(1_234_567_890, 99, 1_234_567_890), "JPY": Money(0, 0, 5)},
        {day: {"active": 1_234_567, "canceled": 0} for day in every},
    )


def _shown(sim: BookSimulation) -> str:
    console = Console(file=io.StringIO(), width=80)
    book_report.show(sim, console)
    return console.file.getvalue()  # type: ignore[attr-defined]
