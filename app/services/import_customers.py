"""The customers of an imported book: said once, repeated or left out in their other rows, never contradicted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, Column, ColumnElement, Connection, any_, func, literal, select

from app.domain import money
from app.domain.calendar import local_day
from app.domain.values import ORDERABLE, Method, Region
from app.services.context import Context
from app.services.import_cells import CUSTOMER_COLUMNS, Bad, Row
from app.store import db, writer
from app.store.engine import is_sqlite

_NAMES = tuple(CUSTOMER_COLUMNS)


class _Language(StrEnum):
    """W5."""

    EN = "en"
    NL = "nl"
    NB = "nb"
    DE = "de"


class _Area(StrEnum):
    """L1; `none` for a country whose region shall not count."""

    EEA = "EEA"
    UK = "UK"
    CH = "CH"
    CA = "CA"
    NONE = "none"


@dataclass(slots=True)
class Customer:
    """A customer with what is known of it, by the columns of the file. `id` 0: not in the book yet."""

    csn: str
    known: dict[str, Any]
    since: date
    """The day on which it was put on file: `today` in its columns."""
    id: int = 0
    is_kept: bool = False
    """Whether the transaction that put it into the book stands."""
    agrees: tuple[str | None, ...] = ()
    """Cells of a row that were found to say what is known."""

    @property
    def region(self) -> Region | None:
        region: Region | None = self.known["region"]
        return region


class Customers:
    """Customers in the book, and those that so far only rows of the file have told of."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._known: dict[str, Customer] = {}

    def load(self, connection: Connection, csns: Iterable[str]) -> None:
        """Look up a page's customers. Those of earlier pages are forgotten, unless only the file knows them."""
        told = {csn: customer for csn, customer in self._known.items() if not customer.is_kept}
        for customer in told.values():
            customer.id = 0
        self._known = told | _stored(connection, set(csns))

    def of(self, row: Row) -> Customer:
        """The customer of a row. Raises `Bad` for a row that contradicts what is known, or tells too little."""
        csn = row.need("csn")
        said = tuple(map(row.cells.get, _NAMES))
        customer = self._known.get(csn)
        if customer is None:
            today = self._ctx.today(row.zone("timezone") or self._ctx.default_timezone)
            customer = self._known[csn] = Customer(csn, self._told(row, today), today, agrees=said)
        elif customer.agrees != said:
            self._refuse_contradiction(row, customer)
            customer.agrees = said
        return customer

    def _told(self, row: Row, today: date) -> dict[str, Any]:
        """All that a row says of a new customer, with what holds where it says nothing."""
        for column in ("name", "purchaser", "currency"):
            row.need(column)
        given = _Given(self._ctx, row.currency("currency") or "", today)
        said = dict(_SAYING_NOTHING, timezone=self._ctx.default_timezone)
        said |= {column: read(row, given) for column, read in _READERS.items() if column in row.cells}
        if "region" not in row.cells:
            said["region"] = self._ctx.catalogue.region_of(said["country"])
        if said["net_days"] is None and (said["payers"] or said["credit_limit"] is not None):
            said["net_days"] = self._ctx.policy.billing.net_days
        return said

    def _refuse_contradiction(self, row: Row, customer: Customer) -> None:
        given = _Given(self._ctx, customer.known["currency"], customer.since)
        for column, read in _READERS.items():
            if column in row.cells:
                known = customer.known[column]
                if read(row, given) != known:
                    shown = _shown(known, column, given.currency)
                    raise Bad(column, f"contradicts what is known of customer {customer.csn}: {shown}")

    def store(self, connection: Connection, found: Iterable[tuple[Customer, Method | None]]) -> int:
        """Put new customers into the book and say how many; the method of its first row is its default."""
        new: dict[str, tuple[Customer, Method | None]] = {}
        for customer, method in found:
            if not customer.id:
                new.setdefault(customer.csn, (customer, method))
        rows = [_row(self._ctx, customer, method) for customer, method in new.values()]
        writer.insert(connection, db.customer, _COLUMNS, rows)
        for csn, id_ in _ids(connection, set(new)):
            new[csn][0].id = id_
        payers = [
            (customer.id, email, position)
            for customer, _ in new.values()
            for position, email in enumerate(customer.known["payers"])
        ]
        writer.insert(connection, db.payer, ("customer_id", "email", "position"), payers)
        return len(new)

    def keep(self) -> None:
        """The transaction stands."""
        for customer in self._known.values():
            customer.is_kept = bool(customer.id)


class _Given(NamedTuple):
    """What a column's meaning depends on."""

    ctx: Context
    currency: str
    today: date


_READERS: dict[str, Callable[[Row, _Given], Any]] = {
    "name": lambda row, _: row.word("name"),
    "purchaser": lambda row, _: row.email("purchaser"),
    "language": lambda row, _: str(row.need_choice("language", _Language)),
    "currency": lambda row, _: row.currency("currency"),
    "country": lambda row, _: _country(row),
    "region": lambda row, _: _region(row),
    "timezone": lambda row, _: row.zone("timezone"),
    "vat_number": lambda row, _: row.word("vat_number"),
    "tax_exempt": lambda row, _: row.flag("tax_exempt"),
    "agreement_manager": lambda row, _: row.email("agreement_manager"),
    "primary_admin": lambda row, _: row.email("primary_admin"),
    "payment_expires": lambda row, given: row.day("payment_expires", given.today),
    "payers": lambda row, given: row.emails("payers", given.ctx.policy.billing.payer_limit, "payers"),
    "net_days": lambda row, _: row.count("net_days", 0, 3650),
    "credit_limit": lambda row, given: row.amount("credit_limit", given.currency),
    "prepay_required": lambda row, _: row.flag("prepay_required"),
}
"""What each column says. Raises `Bad`."""
assert set(_READERS) == set(CUSTOMER_COLUMNS)
_SAYING_NOTHING = dict.fromkeys(CUSTOMER_COLUMNS) | {
    "language": "en", "tax_exempt": False, "payers": (), "prepay_required": False
}  # fmt: skip
"""What holds where a customer's cells are empty."""


def _country(row: Row) -> str | None:
    code = row.word("country")
    if code is not None and not (len(code) == 2 and code.isascii() and code.isalpha() and code.isupper()):
        raise Bad("country", f'"{code}" is no ISO country code such as NL')
    return code


def _region(row: Row) -> Region | None:
    area = row.choice("region", _Area)
    return None if area is None or area is _Area.NONE else Region(area)


def _shown(value: Any, column: str, currency: str) -> str:
    if value is None or value == ():
        return "nothing"
    if column == "credit_limit":
        return money.show(value, currency)
    return " ".join(value) if isinstance(value, tuple) else str(value).lower() if value in (True, False) else str(value)


_KEPT = (
    "name", "purchaser", "language", "currency", "country", "region", "timezone", "vat_number", "tax_exempt",
    "agreement_manager", "primary_admin", "prepay_required", "net_days",
)  # fmt: skip
"""Columns of the file that are columns of the table."""
_RENAMED = {"payment_expires": "method_expires_on", "credit_limit": "credit_limit_minor"}
_COLUMNS = (*_KEPT, *_RENAMED.values(), "csn", "method", "created_at")


def _row(ctx: Context, customer: Customer, method: Method | None) -> tuple[Any, ...]:
    known = customer.known
    values = [known[column] for column in (*_KEPT, *_RENAMED)]
    return (*values, customer.csn, method if method in ORDERABLE else None, ctx.now())


def among(connection: Connection, column: Column[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """A condition that holds for a list of values of any length, with one parameter."""
    if is_sqlite(connection):
        listed = func.json_each(json.dumps(list(values))).table_valued("value")
        return column.in_(select(listed.c.value))
    return column == any_(literal(list(values), ARRAY(column.type)))


def _ids(connection: Connection, csns: set[str]) -> list[tuple[str, int]]:
    query = select(db.customer.c.csn, db.customer.c.id).where(among(connection, db.customer.c.csn, csns))
    return [(csn, id_) for csn, id_ in connection.execute(query)]


def _stored(connection: Connection, csns: set[str]) -> dict[str, Customer]:
    """Customers in the book, by number."""
    query = select(db.customer).where(among(connection, db.customer.c.csn, csns))
    rows = connection.execute(query).mappings().all()
    found = {row["id"]: _customer(row) for row in rows}
    if found:
        c = db.payer.c
        is_theirs = among(connection, c.customer_id, found)
        payers = select(c.customer_id, c.email).where(is_theirs).order_by(c.customer_id, c.position)
        for id_, email in connection.execute(payers):
            found[id_].known["payers"] += (email,)
    return {customer.csn: customer for customer in found.values()}


def _customer(row: Any) -> Customer:
    since = local_day(row["created_at"], row["timezone"])
    return Customer(row["csn"], _known_of(row), since, row["id"], is_kept=True)


def _known_of(row: Any) -> dict[str, Any]:
    known = {column: row[column] for column in _KEPT} | {file: row[table] for file, table in _RENAMED.items()}
    region = known["region"]
    return known | {"region": None if region is None else Region(region), "payers": ()}
