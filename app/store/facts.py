"""Loads subscriptions as the rules see them, a page in a handful of queries."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection

from app.domain.catalogue import Catalogue, Offering
from app.domain.lapse import is_new_regime
from app.domain.money import Price
from app.domain.policy import Policy
from app.domain.states import State
from app.domain.subscription import Installment, OpenInvoice, Pending, Subscription, Term
from app.domain.values import InstallmentState, Method, Reason, Region, TermKind

_COLUMNS = """
s.id, s.ref, s.customer_id, c.csn, c.purchaser, c.language, c.timezone, c.region,
EXISTS (SELECT 1 FROM payer WHERE payer.customer_id = s.customer_id), z.name, s.zone_id,
s.offering, s.partner, s.currency, s.term, s.seats, s.term_number, s.last_number, s.starts_on, s.ends_on, s.anchor_day,
s.state, s.reason, s.lapse_on, s.grace_days, s.auto_renew, s.method, s.regime_on, s.tried_on, s.declined,
s.reminded_on, s.quote_decided_on, s.converted, s.version, s.next_job, s.next_on,
t.number, t.term, t.starts_on, t.ends_on, t.seats, t.offering, p.term, p.seats, p.offering,
EXISTS (SELECT 1 FROM charge WHERE charge.subscription_id = s.id AND charge.state = 'pending')
OR EXISTS (SELECT 1 FROM charge_share JOIN charge ON charge.id = charge_share.charge_id
WHERE charge_share.subscription_id = s.id AND charge.state = 'pending')
"""
_JOINS = """
JOIN customer c ON c.id = s.customer_id JOIN zone z ON z.id = s.zone_id
LEFT JOIN term t ON t.subscription_id = s.id AND t.number > s.term_number AND NOT t.undone
LEFT JOIN pending_change p ON p.subscription_id = s.id
"""
_DUE_IDS = (
    "SELECT id FROM subscription WHERE zone_id = {0} AND next_job = {0} "
    "AND next_on <= {0} AND next_on IS NOT NULL AND NOT stuck ORDER BY next_on, id LIMIT {0}"
)


class UnknownOffering(Exception):
    """A stored subscription names an offering that the catalogue does not have."""


class Facts:
    """A loader for one connection, policy and catalogue."""

    def __init__(self, connection: Connection, policy: Policy, catalogue: Catalogue, *, lock: bool = True) -> None:
        """`lock`: keep the rows from others until the transaction ends (PostgreSQL; SQLite locks whole)."""
        self._connection = connection
        self._policy = policy
        self._catalogue = catalogue
        self._lock = lock
        self._is_sqlite = connection.dialect.name == "sqlite"
        self._day: Callable[[Any], date] = date.fromisoformat if self._is_sqlite else _same

    def by_ids(self, ids: Iterable[int]) -> list[Subscription]:
        """In the order of the ids, locked against others until the transaction ends."""
        wanted = list(ids)
        found = {sub.id: sub for sub in self._load("s.id", wanted)}
        return [found[id_] for id_ in wanted if id_ in found]

    def unchanged(self, subs: Sequence[Subscription]) -> list[Subscription]:
        """Those that are as they were read, by their version; locked. Every change counts a version up."""
        condition, params = self._in("id", [sub.id for sub in subs])
        lock = "" if self._is_sqlite else " ORDER BY id FOR UPDATE"
        versions = dict(self._run(f"SELECT id, version FROM subscription WHERE {condition}{lock}", params))
        return [sub for sub in subs if versions.get(sub.id) == sub.version]

    def by_refs(self, refs: Sequence[str]) -> list[Subscription]:
        """In the order of the references; unknown ones are left out."""
        found = {sub.ref: sub for sub in self._load("s.ref", list(refs))}
        return [found[ref] for ref in refs if ref in found]

    def due(self, zone_id: int, place: int, day: date, limit: int) -> list[Subscription]:
        """The next page of what a job has to do in a zone on or before a day, locked."""
        return self.by_ids(self.due_ids(zone_id, place, day, limit))

    def due_ids(self, zone_id: int, place: int, day: date, limit: int) -> list[int]:
        """The ids of that page, without loading it."""
        return [row[0] for row in self._run(_DUE_IDS, (zone_id, place, self._store(day), limit))]

    def stored_deadlines(self, ids: Sequence[int]) -> list[tuple[int, str, int, date]]:
        """Id, zone, place in the day and day of what is due next for each subscription that has anything."""
        condition, params = self._in("s.id", list(ids))
        rows = self._run(
            "SELECT s.id, z.name, s.next_job, s.next_on FROM subscription s JOIN zone z ON z.id = s.zone_id "
            f"WHERE s.next_on IS NOT NULL AND {condition}",
            params,
        )
        return [(id_, zone, place, self._day(on)) for id_, zone, place, on in rows]

    def _store(self, day: date) -> Any:
        return day.isoformat() if self._is_sqlite else day

    def _run(self, sql: str, params: tuple[Any, ...]) -> Sequence[Any]:
        mark = "?" if self._is_sqlite else "%s"
        cursor = self._connection.connection.cursor()
        try:
            rows: Sequence[Any] = cursor.execute(sql.replace("{0}", mark), params).fetchall()
            return rows
        finally:
            cursor.close()

    def _in(self, column: str, values: list[Any]) -> tuple[str, tuple[Any, ...]]:
        """A condition that holds for a list of values, with one parameter."""
        if self._is_sqlite:
            return f"{column} IN (SELECT value FROM json_each({{0}}))", (json.dumps(values),)
        return f"{column} = ANY({{0}})", (values,)

    def _load(self, column: str, values: list[Any]) -> list[Subscription]:
        if not values:
            return []
        condition, params = self._in(column, values)
        if self._lock and not self._is_sqlite:
            # First the locks, then the facts: a statement that waited for a lock would see what was before.
            self._run(f"SELECT s.id FROM subscription s WHERE {condition} ORDER BY s.id FOR UPDATE", params)
        rows = self._run(f"SELECT {_COLUMNS} FROM subscription s {_JOINS} WHERE {condition}", params)
        subs = {row[0]: self._subscription(row) for row in rows}
        self._add_installments(subs)
        self._add_unpaid(subs)
        return list(subs.values())

    def _offering(self, code: str, ref: str) -> Offering:
        offering = self._catalogue.offerings.get(code)
        if offering is None:
            raise UnknownOffering(f"{ref}: the catalogue in config.yaml has no offering {code}")
        return offering

    def _subscription(self, row: Any) -> Subscription:
        (
            id_, ref, customer_id, csn, purchaser, language, customer_zone, region, has_payers, zone, zone_id,
            offering, partner, currency, term, seats, term_number, last_number, starts_on, ends_on, anchor_day,
            state, reason, lapse_on, grace_days, auto_renew, method, regime_on, tried_on, declined,
            reminded_on, quote_decided_on, converted, version, next_job, next_on,
            t_number, t_term, t_starts_on, t_ends_on, t_seats, t_offering, p_term, p_seats, p_offering,
            is_charging,
        ) = row  # fmt: skip
        day = self._day
        regime_day = day(regime_on)
        area = None if region is None else _REGIONS[region]
        sub = Subscription(
            id_, ref, customer_id, csn, purchaser, language, customer_zone, area, bool(has_payers), zone, zone_id,
            offering, self._offering(offering, ref), partner, currency, _TERMS[term], seats, term_number, last_number,
            day(starts_on), day(ends_on), anchor_day, _STATES[state],
            reason and _REASONS[reason], lapse_on and day(lapse_on), grace_days, bool(auto_renew),
            method and _METHODS[method], regime_day,
            is_new_regime(area, regime_day, self._policy),
            tried_on and day(tried_on), bool(declined), reminded_on and day(reminded_on),
            quote_decided_on and day(quote_decided_on), bool(converted), version,
            next_job, next_on and day(next_on),
            None if t_number is None
            else Term(t_number, _TERMS[t_term], day(t_starts_on), day(t_ends_on), t_seats, t_offering),
            Pending(p_term and _TERMS[p_term], p_seats, p_offering),
            is_charging=bool(is_charging),
        )  # fmt: skip
        sub.loaded = sub.stored()
        return sub

    def _add_installments(self, subs: dict[int, Subscription]) -> None:
        condition, params = self._in("subscription_id", list(subs))
        rows = self._run(
            "SELECT subscription_id, id, term_number, part, due_on, subtotal_minor, discount_minor, tax_minor, "
            "state, invoice_id, tried_on "
            f"FROM installment WHERE state IN ('scheduled', 'open') AND {condition} ORDER BY due_on, id",
            params,
        )
        for sub_id, id_, number, part, due_on, subtotal, discount, tax, state, invoice_id, tried_on in rows:
            price, due_day = Price(subtotal, discount, tax), self._day(due_on)
            tried_day = tried_on and self._day(tried_on)
            live = Installment(id_, number, part, due_day, price, InstallmentState(state), invoice_id, tried_day)
            subs[sub_id].installments.append(live)

    def _add_unpaid(self, subs: dict[int, Subscription]) -> None:
        condition, params = self._in("l.subscription_id", list(subs))
        rows = self._run(
            "SELECT l.subscription_id, l.invoice_id, i.due_on, l.counts_from, l.overdue_told, l.term_number "
            f"FROM invoice_line l JOIN invoice i ON i.id = l.invoice_id WHERE l.is_open AND {condition} "
            "ORDER BY i.due_on, i.id",
            params,
        )
        for sub_id, invoice_id, due_on, counts_from, told, number in rows:
            subs[sub_id].unpaid.append(
                OpenInvoice(invoice_id, number, self._day(due_on), self._day(counts_from), bool(told))
            )

    def add_open_quotes(self, subs: Iterable[Subscription]) -> None:
        """Fill in which open renewal quotes hold each subscription (Q10, Q7)."""
        by_id = {sub.id: sub for sub in subs}
        condition, params = self._in("l.subscription_id", list(by_id))
        for sub in by_id.values():
            sub.open_quotes = []
        rows = self._run(
            "SELECT l.subscription_id, l.quote_id FROM quote_line l JOIN quote q ON q.id = l.quote_id "
            f"WHERE l.is_open AND q.kind = 'renewal' AND {condition} ORDER BY l.quote_id",
            params,
        )
        for sub_id, quote_id in rows:
            quotes = by_id[sub_id].open_quotes
            assert quotes is not None
            quotes.append(quote_id)


def _same(value: Any) -> Any:
    return value


_STATES = {str(member): member for member in State}
_TERMS = {str(member): member for member in TermKind}
_REASONS = {str(member): member for member in Reason}
_METHODS = {str(member): member for member in Method}
_REGIONS = {str(member): member for member in Region}
