"""`import`: the same file again changes nothing, and one row that fails costs nobody else anything."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from app.services import import_writing, views
from app.services.commands.managing import assign_user
from app.services.context import Context
from app.services.import_cells import Rejected
from app.services.importing import ImportReport, import_csv
from app.store.engine import open_engine
from tests import factories
from tests.services.rows import NOW, OWNER, bring, bring_one, ends, everything, play, record, sub, table


@pytest.fixture
def ctx(engine: Engine) -> Context:
    return factories.make_context(engine, NOW)


@pytest.fixture
def lite(sqlite_book_url: str) -> Iterator[Context]:
    """On SQLite only: for what no database has a say in."""
    engine = open_engine(sqlite_book_url)
    yield factories.make_context(engine, NOW)
    engine.dispose()


BOOK = [
    sub(id="S1", users="ada@noord.example"),
    ends(12, id="S2", state="renewable"),
    ends(-5, id="S3", state="expired", reason="payment_failed", auto_renew="true"),
    ends(70, id="S4", scheduled_term="annual"),
    sub(id="S5", term="three_year", starts_on="2025-11-18", state="expired", reason="non_payment", lapse_on="today-4"),
    ends(5, id="S6", term="trial", state="trial", payment=None),
    ends(200, id="S7", state="expired", reason="non_payment", lapse_on="today-9", payers=None),
]  # fmt: skip


def test_importing_twice_changes_nothing(ctx: Context, tmp_path: Path) -> None:
    assert bring(ctx, tmp_path, *BOOK) == ImportReport(customers=1, subscriptions=7)
    before = everything(ctx)
    assert bring(ctx, tmp_path, *BOOK) == ImportReport(unchanged=7)
    assert everything(ctx) == before


def test_a_row_is_known_again_after_its_subscription_has_moved_on(ctx: Context, tmp_path: Path) -> None:
    """Relative dates count from the day of the first import, whatever the day of the second."""
    bring(ctx, tmp_path, *BOOK)
    play(ctx, "2027-03-15")
    before = everything(ctx)
    assert bring(ctx, tmp_path, *BOOK) == ImportReport(unchanged=7)
    assert everything(ctx) == before


def test_a_row_that_differs_is_left_to_commands(ctx: Context, tmp_path: Path) -> None:
    bring(ctx, tmp_path, *BOOK)
    factories.buy(ctx, "B1", csn="5100000009")
    changed = [{**BOOK[0], "seats": "4"}, {**BOOK[1], "ends_on": "today+13"}, sub(id="B1")]
    before = everything(ctx)
    report = bring(ctx, tmp_path, *changed, BOOK[2], sub(id="S8"))
    assert [(each.line, each.column, each.reason) for each in report.rejected] == [
        (line, None, "exists and differs: use commands") for line in (2, 3, 4)
    ]
    assert (report.unchanged, report.subscriptions) == (1, 1)
    assert [row for row in everything(ctx, "subscription") if row not in before] == everything(ctx, "subscription")[-1:]


def test_a_row_spelled_otherwise_is_still_the_same(ctx: Context, tmp_path: Path) -> None:
    bring(ctx, tmp_path, ends(98, id="S1"))
    assert bring(ctx, tmp_path, sub(id="S1", auto_renew="No")) == ImportReport(unchanged=1)


def test_pages_and_progress(ctx: Context, tmp_path: Path) -> None:
    file = tmp_path / "book.csv"
    file.write_bytes(table(*[sub(id=f"S{n}", csn=f"51{n % 2}") for n in range(7)]))
    told: list[tuple[int, int]] = []
    pages = factories.make_context(ctx.engine, NOW, page_size=3)
    report = import_csv(pages, file, lambda done, total: told.append((done, total)), actor="ada")
    assert (report.customers, report.subscriptions) == (2, 7)
    assert told == [(4, 8), (7, 8), (8, 8), (8, 8)]
    assert {row[5] for row in record(ctx)} == {"command import by ada"}


def test_a_row_that_the_database_refuses_costs_nobody_else_anything(
    ctx: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = import_writing.write

    def failing(batch: Any, drafts: Any, source: str) -> None:
        writes(batch, drafts, source)
        if any(draft.sub.ref == "S2" for draft in drafts):
            raise OverflowError("too large to be stored\nand more")

    monkeypatch.setattr(import_writing, "write", failing)
    rows = [sub(id="S1"), sub(id="S2", csn="519"), {**ends(40, id="S3")}]
    for name in OWNER:
        if name != "csn":
            del rows[2][name]
    report = bring(ctx, tmp_path, *rows)
    assert (report.customers, report.subscriptions) == (1, 2)
    assert report.rejected == [Rejected(3, None, "cannot be stored: OverflowError: too large to be stored")]
    assert [row[2] for row in everything(ctx, "subscription")] == ["S1", "S3"]
    assert [row[2] for row in everything(ctx, "customer")] == ["5100000001"]


def test_a_database_that_is_gone_is_no_fault_of_a_row(
    lite: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any) -> None:
        raise OperationalError("SELECT 1", {}, OSError("no route"))

    monkeypatch.setattr(import_writing, "write", gone)
    with pytest.raises(OperationalError):
        bring(lite, tmp_path, sub())


def test_commands_work_on_what_was_imported(ctx: Context, tmp_path: Path) -> None:
    bring_one(ctx, tmp_path, ends(-5, state="expired"))
    assign_user(ctx, "S1", "new@noord.example")
    assert views.subscription(ctx, "S1")["assignments"] == ["new@noord.example"]
