"""One transaction's worth of changes: collected row by row, written table by table.

The only writer of subscriptions. Whatever touches one goes through `Batch.touch`, and what is due next
for it is worked out once, when the batch is written (architecture, rules 1 and 5).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from app.domain import lifecycle, pricing
from app.domain.calendar import day_start, local_day
from app.domain.deadlines import Deadlines
from app.domain.money import Price
from app.domain.payments import ChargeRequest
from app.domain.states import State, Trigger
from app.domain.subscription import STORED, Subscription
from app.domain.values import NoticeKind, QuoteState, TermKind
from app.services import schema, sweeps
from app.services.context import Context
from app.store import writer
from app.store.numbers import Block, take

_TABLE_ORDER = (
    schema.ORDER,
    schema.SUBSCRIPTION,
    schema.ORDER_LINE,
    schema.TERM,
    schema.QUOTE,
    schema.QUOTE_LINE,
    schema.QUOTE_RECIPIENT,
    schema.INVOICE,
    schema.INVOICE_LINE,
    schema.INSTALLMENT,
    schema.CHARGE,
    schema.CHARGE_SHARE,
    schema.EVENT,
    schema.NOTICE,
)
"""Parents before children."""


class Batch:
    """Changes of one transaction. `cause` says which job run or command made them (S3)."""

    def __init__(self, ctx: Context, connection: Connection, cause: str, size: int = 1) -> None:
        self.ctx = ctx
        self.connection = connection
        self.cause = cause
        self.now: datetime = ctx.now()
        self.ids = Block(connection, size)
        self.deadlines = Deadlines(ctx.policy)
        self.intents: list[tuple[int, ChargeRequest]] = []
        self.payer_mails: list[tuple[NoticeKind, Subscription, date, str]] = []
        self.trims: list[tuple[Subscription, int, date]] = []
        self.unassigned: list[int] = []
        self.quote_closings: dict[QuoteState, list[int]] = defaultdict(list)
        self.pending_taken: list[int] = []
        self.purchased_quotes: list[int] = []
        self._subs: dict[int, Subscription] = {}
        self._born: list[Subscription] = []
        self._prices: dict[tuple[str, TermKind, str, int, date], Price] = {}
        self._rows: dict[schema.Shape, list[tuple[Any, ...]]] = defaultdict(list)
        self._patches: dict[schema.Patch, list[tuple[Any, ...]]] = defaultdict(list)

    # -- collecting ---------------------------------------------------------------------------------

    def touch(self, sub: Subscription) -> None:
        """This subscription's facts have changed, or its deadlines have to be worked out again."""
        self._subs[sub.id] = sub

    def create(self, sub: Subscription) -> None:
        """A subscription that is bought in this transaction."""
        self._born.append(sub)

    def add(self, shape: schema.Shape, *values: Any) -> None:
        self._rows[shape].append(values)

    def change(self, patch: schema.Patch, *values: Any) -> None:
        """`values`: the key, then the columns of the patch."""
        self._patches[patch].append(values)

    def fire(
        self, sub: Subscription, trigger: Trigger, on: date, rule: str, *, as_of: date | None = None
    ) -> lifecycle.Move:
        """Move a subscription and record it as of `on`; the facts are judged as of `as_of` (default `on`)."""
        move = lifecycle.fire(sub, trigger, as_of or on, self.ctx.policy)
        self.touch(sub)
        came_from = None if move.from_state is State.NEW else move.from_state
        self.add(
            schema.EVENT, sub.id, None, "transition", trigger.value, came_from, move.to_state, on, self.now,
            self.cause, rule, None,
        )  # fmt: skip
        return move

    def decided(self, sub: Subscription, name: str, on: date, rule: str, detail: str | None = None) -> None:
        """Record a decision that moved nothing: a skip, a drop, a declined charge."""
        self._record(sub, "decision", name, on, rule, detail)

    def commanded(self, sub: Subscription, name: str, on: date, rule: str, detail: str | None = None) -> None:
        """Record what a person asked for."""
        self._record(sub, "command", name, on, rule, detail)

    def _record(self, sub: Subscription, kind: str, name: str, on: date, rule: str, detail: str | None) -> None:
        self.add(schema.EVENT, sub.id, None, kind, name, None, None, on, self.now, self.cause, rule, detail)

    def notify(
        self,
        sub: Subscription,
        kind: NoticeKind,
        on: date,
        cause: str = "",
        to: Iterable[str] | None = None,
        mail_key: str | None = None,
        dropped: str | None = None,
    ) -> None:
        """Put an e-mail into the outbox, or on record as dropped with the reason (W4, W4b)."""
        state, settled = ("dropped", self.now) if dropped else ("pending", None)
        for recipient in (sub.purchaser,) if to is None else to:
            self.add(
                schema.NOTICE, sub.id, sub.term_number, kind, on, cause, recipient, sub.language, mail_key,
                state, dropped, self.now, settled,
            )  # fmt: skip

    def price(self, offering: str, kind: TermKind, currency: str, seats: int, on: date) -> Price:
        """The price of a whole term (`pricing.whole_term`); each is worked out once a batch."""
        key = (offering, kind, currency, seats, on)
        if key not in self._prices:
            self._prices[key] = pricing.whole_term(self.ctx.catalogue, *key)
        return self._prices[key]

    def id(self, series: str) -> int:
        return self.ids.next(series)

    def moment(self, sub: Subscription, on: date) -> datetime:
        """The instant something of day `on` counts for: now today, else that day's beginning (J3)."""
        start = day_start(on, sub.zone)
        return self.now if local_day(self.now, sub.zone) == on and not self.by_job else start

    @property
    def by_job(self) -> bool:
        return self.cause.startswith("job")

    def customer_day(self, sub: Subscription, on: date, at: datetime | None = None) -> date:
        """Day `on` of the subscription as its customer's zone sees it: for prices and quotes (J9).

        `at`: the instant of a transaction that was made before now, whose day then still counts.
        """
        if sub.customer_zone == sub.zone:
            return on
        return local_day(at or self.moment(sub, on), sub.customer_zone)

    # -- writing ------------------------------------------------------------------------------------

    def write(self) -> None:
        """Write everything. The caller's transaction makes it stand or fall together."""
        sweeps.run(self)
        self._number_invoices()
        for sub in self._born:
            self._settle(sub)
            self.add(schema.SUBSCRIPTION, *_born_row(sub, self.now))
            self._subs.pop(sub.id, None)
        self._change_subscriptions()
        for shape in _TABLE_ORDER:
            writer.insert(self.connection, shape.table, shape.columns, self._rows[shape])
        for patch, rows in self._patches.items():
            writer.update(self.connection, patch.table, patch.key, patch.columns, rows)

    def _settle(self, sub: Subscription) -> None:
        """Work out what is due next; the stored deadline is what the jobs look up."""
        deadline = self.deadlines.of(sub)
        sub.next_job, sub.next_on = (deadline.place, deadline.on) if deadline else (None, None)

    def _change_subscriptions(self) -> None:
        """Rows that were moved alike are written by one statement: only what has changed in them."""
        moves: dict[tuple[tuple[int, Any], ...], list[int]] = defaultdict(list)
        for sub in self._subs.values():
            self._settle(sub)
            now = sub.stored()
            changed = tuple([(i, value) for i, value in enumerate(now) if value != sub.loaded[i]])
            moves[changed].append(sub.id)
        writer.move(
            self.connection,
            schema.SUBSCRIPTION.table,
            [({STORED[i]: value for i, value in changed}, ids) for changed, ids in moves.items()],
        )

    def _number_invoices(self) -> None:
        """Give the invoices of this transaction their numbers, without a gap within a year (B6)."""
        rows = self._rows[schema.INVOICE]
        by_year: dict[int, list[int]] = defaultdict(list)
        for index, row in enumerate(rows):
            by_year[row[5].year].append(index)
        for year, indexes in by_year.items():
            first = take(self.connection, f"invoice-{year}", len(indexes))
            for offset, index in enumerate(indexes):
                row = rows[index]
                rows[index] = (row[0], f"{year}-{first + offset:07d}", *row[2:])


def _born_row(sub: Subscription, now: datetime) -> tuple[Any, ...]:
    return (
        sub.id, sub.ref, sub.customer_id, sub.zone_id, sub.offering_code, sub.partner, sub.currency, sub.kind,
        sub.seats, sub.term_number, sub.last_number, sub.starts_on, sub.ends_on, sub.anchor_day, sub.state,
        sub.reason, sub.lapse_on, sub.grace_days, sub.auto_renew, sub.method, sub.regime_on, sub.tried_on,
        sub.declined, sub.reminded_on, sub.quote_decided_on, sub.converted, sub.next_job, sub.next_on, False,
        sub.version, now,
    )  # fmt: skip
