"""Files to import, row by row, and what is in a book afterwards."""

import csv
import io
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.services import lists
from app.services.context import Context
from app.services.import_cells import COLUMNS
from app.services.importing import ImportReport, import_csv
from app.store import db
from app.store.engine import reading
from jobs.simulation import Simulation

NOW = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
"""Noon in Amsterdam."""
TODAY = date(2026, 11, 22)

ROW = {
    "csn": "5100000001",
    "name": "Atelier Noord",
    "purchaser": "buyer@noord.example",
    "language": "nl",
    "currency": "EUR",
    "country": "NL",
    "timezone": "Europe/Amsterdam",
    "id": "S1",
    "offering": "REED",
    "term": "annual",
    "seats": "3",
    "starts_on": "2026-03-01",
    "state": "active",
    "auto_renew": "false",
    "payment": "card",
}
"""Bought on 2026-03-01, until 2027-02-28; the window opens on 2026-11-30."""
OWNER = {name: ROW[name] for name in ("csn", "name", "purchaser", "language", "currency", "country", "timezone")}


def sub(**cells: Any) -> dict[str, str]:
    """A good row, with other cells; None empties one."""
    return {name: str(cell) for name, cell in (ROW | cells).items() if cell is not None}


def ends(days: int, **cells: Any) -> dict[str, str]:
    """A good row whose term ends in so many days."""
    return sub(**{"starts_on": None, "ends_on": f"today{days:+d}"} | cells)


def table(*rows: dict[str, str], separator: str = ",") -> bytes:
    """A file of these rows, with the columns that they use."""
    names = [name for name in COLUMNS if any(name in row for row in (ROW, *rows))]
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", delimiter=separator, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def bring(ctx: Context, folder: Path, *rows: dict[str, str]) -> ImportReport:
    """Import a file of these rows."""
    return bring_bytes(ctx, folder, table(*rows))


def bring_bytes(ctx: Context, folder: Path, content: bytes) -> ImportReport:
    file = folder / "book.csv"
    file.write_bytes(content)
    return import_csv(ctx, file)


def bring_one(ctx: Context, folder: Path, row: dict[str, str]) -> None:
    """Import a row that must be good."""
    assert bring(ctx, folder, row) == ImportReport(customers=1, subscriptions=1)


def why(ctx: Context, folder: Path, row: dict[str, str]) -> tuple[str | None, str]:
    """Column and reason of the only row, which must be bad."""
    report = bring(ctx, folder, row)
    (rejected,) = report.rejected
    assert rejected.line == 2
    assert (report.customers, report.subscriptions, report.unchanged) == (0, 0, 0)
    assert everything(ctx, "zone", "customer", "subscription", "term", "event") == []
    return rejected.column, rejected.reason


def everything(ctx: Context, *tables: str) -> list[Any]:
    """All rows of some tables, or of all."""
    names = tables or tuple(name for name in vars(db) if hasattr(getattr(db, name), "c"))
    with reading(ctx.engine) as connection:
        return [(name, *row) for name in names for row in connection.execute(select(getattr(db, name)))]


def record(ctx: Context) -> list[tuple[Any, ...]]:
    """The record without what two databases or two days write differently."""
    e = db.event.c
    query = select(e.kind, e.name, e.from_state, e.to_state, e.effective_on, e.cause, e.rule, e.detail).order_by(e.id)
    with reading(ctx.engine) as connection:
        return [tuple(row) for row in connection.execute(query)]


def play(ctx: Context, until: str) -> Simulation:
    """Let the daemon run to noon of a day."""
    simulation = Simulation(ctx, ctx.clock)
    simulation.work()
    simulation.advance(datetime.fromisoformat(f"{until}T11:00:00+00:00"))
    return simulation


def notices(ctx: Context, kind: str, ref: str = "S1") -> list[date]:
    return [row["on"] for row in lists.of(ctx, "notices_of", ref) if row["kind"] == kind]
