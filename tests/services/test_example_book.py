"""`examples/book.csv`: written by its generator, fresh on any day, with something of everything."""

import csv
import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from app import config
from app.services.context import Context
from app.services.importing import ImportReport, import_csv
from app.store.engine import open_engine
from examples import book
from jobs import runner
from jobs.registry import JOBS
from tests import factories
from tests.services.rows import NOW

READY = Path(__file__).parents[2] / "examples" / "book.csv"


@pytest.fixture
def lite(sqlite_book_url: str) -> Iterator[Context]:
    """On SQLite only: for what no database has a say in."""
    engine = open_engine(sqlite_book_url)
    yield factories.make_context(engine, NOW)
    engine.dispose()


def shipped(engine: Engine, now: datetime = NOW) -> Context:
    """A book on the shipped settings."""
    settings = config.shipped()
    ctx = factories.make_context(engine, now, catalogue=settings.catalogue)
    assert ctx.policy == settings.policy
    return ctx


def test_the_ready_book_is_what_its_generator_writes() -> None:
    text = io.StringIO()
    with redirect_stdout(text):
        book.write(2000, 7, book.READY)
    assert text.getvalue() == READY.read_text("utf-8")


def test_a_day_of_the_ready_book(engine: Engine) -> None:
    ctx = shipped(engine)
    report = import_csv(ctx, READY)
    assert (report.rejected, report.subscriptions, report.customers > 550) == ([], 2000, True)

    ran = runner.run_due(ctx)
    assert [run for run in ran if run.set_aside] == []
    assert {run.job for run in ran} == {job.name for job in JOBS} - {"expire_quotes", "deliver"}
    assert import_csv(ctx, READY) == ImportReport(unchanged=2000)


@pytest.mark.parametrize("day", ["2027-03-01", "2028-02-29", "2031-01-31"])
def test_the_ready_book_is_fresh_on_any_day(lite: Context, day: str) -> None:
    report = import_csv(shipped(lite.engine, datetime.fromisoformat(f"{day}T23:30:00+00:00")), READY)
    assert (report.rejected, report.subscriptions) == ([], 2000)


def test_the_ready_book_has_everything() -> None:
    with READY.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    def said(column: str) -> set[str]:
        return {row[column] for row in rows if row[column]}

    assert said("term") == {"monthly", "annual", "three_year", "trial"}
    assert said("state") == {
        "trial", "active", "renewable", "expired", "suspended", "canceled", "returned", "trial_ended"
    }  # fmt: skip
    assert said("reason") == {"non_renewal", "non_payment", "payment_failed"}
    assert len(said("currency")) >= 7
    assert len(said("timezone")) >= 12
    assert said("timezone") > {"Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Havana", "Asia/Kathmandu"}
    assert said("offering") == set(config.shipped().catalogue.offerings)
    assert all(said(column) for column in ("payers", "partner", "users", "scheduled_term"))


def test_the_generator_streams_and_repeats_itself() -> None:
    rows = book.rows(10**12, 3, book.READY)
    first = [next(rows) for _ in range(50)]
    again = book.rows(10**6, 3, book.READY)
    assert first == [next(again) for _ in range(50)]
    assert first != [row for row, _ in zip(book.rows(100, 4, book.READY), range(50), strict=False)]


def test_the_generator_knows_when_the_older_regime_is_history() -> None:
    rows = list(book.rows(3000, 7, date(2030, 1, 1)))
    assert not [row for row in rows if row["term"] == "three_year" and "starts_on" in row]
    assert [row for row in rows if str(row.get("starts_on")).startswith("2023")]
