"""`import`: a book of customers and subscriptions as they stand, in mid-life, from a CSV file.

One row is one subscription with its customer's columns beside it (`import_cells.COLUMNS`). Rows that are bad,
contradict each other or cannot stand where they say by the rulebook are rejected with line, column and reason;
the good ones are imported, a page at a time, each page in one transaction.

An imported subscription has two entries in the record: the command `import`, with file and line, and its first
transition, from nothing to the state it stands in, under S1 and as of the first day of its running term. What
lies before the day of the import counts as dealt with by the system it comes from: no charge is made up for and
no mail is sent late, but for one reminder (`import_writing.settle_past`). What is due on the day of the import
is left to the next run of the jobs; so is the window of an `active` one that should be open.

The same row twice changes nothing: the record keeps a fingerprint of what was imported, so that a row is known
again after its subscription has moved on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection, select
from sqlalchemy.exc import InterfaceError, OperationalError

from app.domain.calendar import local_day
from app.domain.money import Price
from app.domain.subscription import Subscription, Term
from app.services import import_billing, import_drafts, import_states, import_writing, renewals
from app.services.batch import Batch
from app.services.context import Context
from app.services.import_cells import Bad, Rejected, Row
from app.services.import_customers import Customer, Customers, among
from app.services.import_drafts import Draft
from app.services.import_lines import Table, open_table
from app.store import db
from app.store.engine import writing

__all__ = ["ImportReport", "Rejected", "import_csv"]

Item = TypeVar("Item")
Progress = Callable[[int, int], None]
"""Told lines done and lines in all, page by page."""


@dataclass(slots=True)
class ImportReport:
    """What an import came to: customers and subscriptions that are new, rows that changed nothing, and the rest."""

    customers: int = 0
    subscriptions: int = 0
    unchanged: int = 0
    rejected: list[Rejected] = field(default_factory=list)

    def add(self, other: ImportReport) -> None:
        self.customers += other.customers
        self.subscriptions += other.subscriptions
        self.unchanged += other.unchanged
        self.rejected += other.rejected


def _silent(_done: int, _total: int) -> None:
    return None


def import_csv(ctx: Context, path: Path, progress: Progress = _silent, actor: str = "operator") -> ImportReport:
    """Import a file. Raises `InvalidArgument` for one that is no table of known columns; then nothing is imported."""
    table = open_table(path)
    desk = _Desk(ctx, table, actor)
    for page in _pages(table.rows(), ctx.page_size):
        desk.do(page)
        progress(page[-1].line, table.lines)
    progress(table.lines, table.lines)
    desk.report.rejected.sort(key=lambda rejected: rejected.line)
    return desk.report


def _pages(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while page := list(islice(items, size)):
        yield page


class _Known(NamedTuple):
    """A subscription that the book has: when it was imported and from which row; None for one that was bought."""

    since: date | None
    mark: str | None


class _Desk:
    """The work on one file."""

    def __init__(self, ctx: Context, table: Table, actor: str) -> None:
        self.ctx = ctx
        self.source = table.path.name
        self.cause = f"command {import_writing.NAME} by {actor}"
        self.customers = Customers(ctx)
        self.report = ImportReport()
        self._line_of: dict[str, int] = {}

    def do(self, page: Sequence[Row | Rejected]) -> None:
        """A page in one transaction; where that fails, row by row, so that one costs nobody else anything."""
        rows = list(self._readable(page))
        try:
            self.report.add(self._import(rows))
        except (OperationalError, InterfaceError):
            raise  # the database is gone or busy: no row is to blame
        except Exception:
            for row in rows:
                self._import_alone(row)

    def _import_alone(self, row: Row) -> None:
        try:
            self.report.add(self._import([row]))
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            told = (str(error).splitlines() or [""])[0][:200]
            self.report.rejected.append(Rejected(row.line, None, f"cannot be stored: {type(error).__name__}: {told}"))

    def _readable(self, page: Iterable[Row | Rejected]) -> Iterator[Row]:
        """Rows with a subscription of their own; the others are rejected."""
        for row in page:
            if isinstance(row, Rejected):
                self.report.rejected.append(row)
                continue
            ref = row.cells.get("id")
            if ref is None or "csn" not in row.cells:
                self.report.rejected.append(Rejected(row.line, "id" if ref is None else "csn", "is missing"))
            elif (line := self._line_of.setdefault(ref, row.line)) != row.line:
                self.report.rejected.append(Rejected(row.line, "id", f'"{ref}" stands on line {line} already'))
            else:
                yield row

    def _import(self, rows: Sequence[Row]) -> ImportReport:
        report = ImportReport()
        if not rows:
            return report
        with writing(self.ctx.engine) as connection:
            known = _known(connection, {row.cells["id"] for row in rows})
            self.customers.load(connection, {row.cells["csn"] for row in rows})
            batch = Batch(self.ctx, connection, self.cause, size=len(rows))
            new = list(self._new(rows, known, batch, report))
            if new:
                owners = ((draft.customer, draft.sub.method) for draft in new)
                report.customers = self.customers.store(connection, owners)
                import_writing.write(batch, new, self.source)
                report.subscriptions = len(new)
        self.customers.keep()
        return report

    def _new(
        self, rows: Iterable[Row], known: dict[str, _Known], batch: Batch, report: ImportReport
    ) -> Iterator[Draft]:
        """The rows that are to be imported; what becomes of the others goes to the report."""
        for row in rows:
            try:
                found = known.get(row.cells["id"])
                draft = self._judged(row, found, batch)
                if found is None:
                    yield draft
                elif found.mark == draft.mark():
                    report.unchanged += 1
                else:
                    raise Bad(None, "exists and differs: use commands")
            except Bad as bad:
                report.rejected.append(Rejected(row.line, bad.column, bad.reason))

    def _judged(self, row: Row, found: _Known | None, batch: Batch) -> Draft:
        """A row as a subscription. One that the book has is seen as of the day on which it was imported."""
        customer: Customer = self.customers.of(row)
        zone = row.zone("subscription_timezone") or customer.known["timezone"]
        today = found.since if found and found.since else _today(batch.now, zone)

        def prices(sub: Subscription, term: Term, on: date) -> Price:
            return renewals.price_of(sub, term, on, batch)

        draft = import_drafts.draft(self.ctx, row, customer, zone, today)
        import_billing.bill(draft, prices, self.ctx.policy)
        import_states.judge(draft, self.ctx.policy)
        return draft


@lru_cache(maxsize=1024)
def _today(now: datetime, zone: str) -> date:
    """A page has one `now`, and few zones."""
    return local_day(now, zone)


def _known(connection: Connection, refs: set[str]) -> dict[str, _Known]:
    """Which of the subscriptions are in the book, and with which fingerprint they came into it."""
    s, e = db.subscription.c, db.event.c
    is_import = (e.subscription_id == s.id) & (e.kind == "command") & (e.name == import_writing.NAME)
    query = (
        select(s.ref, e.effective_on, e.detail)
        .select_from(db.subscription.outerjoin(db.event, is_import))
        .where(among(connection, s.ref, refs))
    )
    return {ref: _Known(on, detail and detail.rpartition(" ")[2]) for ref, on, detail in connection.execute(query)}
