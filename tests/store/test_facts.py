"""Subscriptions come out of the database as they went in, a page in a handful of queries, locked against others."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, insert, update

from app.domain.catalogue import Catalogue
from app.domain.deadlines import JOB_ORDER
from app.domain.money import Price
from app.domain.states import State
from app.domain.subscription import Installment, OpenInvoice, Pending, Term
from app.domain.values import Due, InstallmentState, Reason, Region, TermKind
from app.services.context import Context
from app.store import db, writer
from app.store.engine import open_engine, reading, writing
from app.store.facts import Facts, UnknownOffering
from tests import factories
from tests.factories import CSN, at, buy, customer, load, make_context

DAY = date(2026, 6, 10)


@pytest.fixture
def ctx(engine: Engine) -> Context:
    return make_context(engine)


def facts(ctx: Context, connection: Connection, **known: Any) -> Facts:
    return Facts(connection, ctx.policy, ctx.catalogue, **known)


def change(ctx: Context, ref: str, **values: Any) -> None:
    with writing(ctx.engine) as connection:
        connection.execute(update(db.subscription).where(db.subscription.c.ref == ref).values(**values))


# ---------------------------------------------------------------- what is loaded


def test_a_purchase_as_it_is_stored(ctx: Context) -> None:
    buy(ctx, "S1", seats=3)
    loaded = load(ctx)
    expected = factories.subscription(
        id=loaded.id, customer_id=loaded.customer_id, zone_id=loaded.zone_id, purchaser=f"buyer@{CSN}.example",
        seats=3, next_job=9, next_on=date(2026, 3, 11),
    )  # fmt: skip
    assert replace(loaded, loaded=()) == expected
    assert loaded.loaded == loaded.stored()


def test_every_value_has_its_type(ctx: Context) -> None:
    buy(ctx, "S1")
    change(
        ctx, "S1", state="suspended", reason="payment_failed", lapse_on=DAY, method=None, partner="P1",
        tried_on=DAY, declined=True, reminded_on=DAY, quote_decided_on=DAY, grace_days=3, next_job=None, next_on=None,
    )  # fmt: skip
    sub = load(ctx)
    assert (type(sub.state), type(sub.kind), type(sub.reason)) == (State, TermKind, Reason)
    assert (sub.state, sub.reason, sub.lapse_on) == (State.SUSPENDED, Reason.PAYMENT_FAILED, DAY)
    assert (sub.method, sub.partner, sub.region, sub.grace_days) == (None, "P1", Region.EEA, 3)
    assert (sub.declined, sub.converted, sub.auto_renew, sub.is_charging) == (True, False, True, False)
    assert (sub.tried_on, sub.reminded_on, sub.quote_decided_on) == (DAY, DAY, DAY)
    assert (sub.next_job, sub.next_on) == (None, None)


def test_a_trial_has_no_method(ctx: Context) -> None:
    buy(ctx, "T1", "trial", seats=1)
    trial = load(ctx, "T1")
    assert (trial.state, trial.kind, trial.method, trial.auto_renew) == (State.TRIAL, TermKind.TRIAL, None, False)


@pytest.mark.parametrize(("country", "new_regime"), [("NL", False), ("US", True)])
def test_the_regime_follows_the_region(engine: Engine, country: str, new_regime: bool) -> None:
    """Bought before the EEA's cut-over of 2024-09-16; a country of no region follows the newer one (L1)."""
    ctx = make_context(engine, at("2024-06-01 10:00"))
    customer(ctx, CSN, country=country)
    buy(ctx)
    assert load(ctx).new_regime is new_regime


def test_what_belongs_to_it(ctx: Context) -> None:
    """The scheduled term, a pending change, payers: each beside a subscription that has none."""
    customer(ctx, "C2", payers=("payer@noord.example",))
    buy(ctx, "S1")
    buy(ctx, "S2", csn="C2")
    sub = load(ctx, "S2")
    with writing(ctx.engine) as connection:
        _add_term(connection, sub.id, 2, date(2026, 6, 10), undone=True)
        _add_term(connection, sub.id, 3, date(2026, 6, 10))
        change_ = {"subscription_id": sub.id, "term": "monthly", "seats": 1, "asked_at": factories.START}
        connection.execute(insert(db.pending_change).values(change_))
    plain, rich = load(ctx, "S1"), load(ctx, "S2")
    assert (plain.scheduled, plain.pending, plain.has_payers) == (None, Pending(), False)
    assert rich.scheduled == Term(3, TermKind.ANNUAL, date(2026, 6, 10), date(2027, 6, 9), 2, "REED")
    assert (rich.pending, rich.has_payers) == (Pending(TermKind.MONTHLY, 1, None), True)


def _add_term(connection: Connection, id_: int, number: int, starts_on: date, undone: bool = False) -> None:
    values = {
        "subscription_id": id_, "number": number, "term": "annual", "starts_on": starts_on,
        "ends_on": date(2027, 6, 9), "anchor_day": 10, "seats": 2, "offering": "REED", "bought_on": starts_on,
        "undone": undone,
    }  # fmt: skip
    connection.execute(insert(db.term).values(values))


def test_installments_that_are_still_to_be_paid(ctx: Context) -> None:
    buy(ctx, "S1", "three_year", seats=1)
    buy(ctx, "S2")
    parts = load(ctx, "S1").installments
    scheduled = InstallmentState.SCHEDULED
    assert [replace(part, id=0) for part in parts] == [
        Installment(0, 1, 2, date(2026, 6, 10), Price(73000), scheduled, None, None),
        Installment(0, 1, 3, date(2027, 6, 10), Price(73000), scheduled, None, None),
    ]
    assert load(ctx, "S2").installments == []


def test_invoices_that_are_unpaid(ctx: Context) -> None:
    buy(ctx, "S1")
    assert load(ctx).unpaid == []
    with writing(ctx.engine) as connection:
        connection.execute(update(db.invoice_line).values(is_open=True, counts_from=DAY))
    (owed,) = load(ctx).unpaid
    assert owed == OpenInvoice(owed.invoice_id, 1, date(2025, 6, 10), DAY, False)


def test_a_charge_without_an_outcome(ctx: Context) -> None:
    buy(ctx, "S1")
    with writing(ctx.engine) as connection:
        connection.execute(update(db.charge).values(state="pending", settled_at=None, subscription_id=load(ctx).id))
    assert load(ctx).is_charging


def test_open_quotes(ctx: Context) -> None:
    buy(ctx, "S1")
    buy(ctx, "S2")
    sub = load(ctx)
    with writing(ctx.engine) as connection:
        for id_, state, kind in ((1, "open", "renewal"), (2, "expired", "renewal"), (3, "open", "alignment")):
            _add_quote(connection, sub.customer_id, sub.zone_id, sub.id, id_, state, kind)
    with reading(ctx.engine) as connection:
        loader = facts(ctx, connection, lock=False)
        subs = loader.by_refs(["S1", "S2"])
        assert [each.open_quotes for each in subs] == [None, None]
        loader.add_open_quotes(subs)
    assert [each.open_quotes for each in subs] == [[1], []]


def _add_quote(
    connection: Connection, customer_id: int, zone_id: int, id_: int, number: int, state: str, kind: str
) -> None:
    price = {"subtotal_minor": 1, "discount_minor": 0, "tax_minor": 0, "total_minor": 1}
    quote = {
        "id": number, "number": f"Q{number}", "customer_id": customer_id, "zone_id": zone_id, "source": "sales",
        "kind": kind, "currency": "EUR", "issued_on": DAY, "valid_until": DAY, "state": state,
        "created_at": factories.START, **price,
    }  # fmt: skip
    line = {
        "quote_id": number, "position": 0, "subscription_id": id_, "term_number": 2, "offering": "REED",
        "term": "annual", "seats": 1, "is_open": state == "open", "is_automatic": False, **price,
    }  # fmt: skip
    connection.execute(insert(db.quote).values(quote))
    connection.execute(insert(db.quote_line).values(line))


def test_an_offering_that_is_gone_is_named(ctx: Context) -> None:
    buy(ctx, "S1")
    with reading(ctx.engine) as connection, pytest.raises(UnknownOffering, match=r"S1: .* no offering REED"):
        Facts(connection, ctx.policy, Catalogue(), lock=False).by_refs(["S1"])


# ---------------------------------------------------------------- which are loaded, in which order


def test_the_order_asked_for(ctx: Context) -> None:
    for n in (1, 2, 3):
        buy(ctx, f"S{n}")
    with writing(ctx.engine) as connection:
        loader = facts(ctx, connection)
        ids = {sub.ref: sub.id for sub in loader.by_refs(["S1", "S2", "S3"])}
        assert [sub.ref for sub in loader.by_refs(["S3", "none", "S1"])] == ["S3", "S1"]
        assert [sub.ref for sub in loader.by_ids([ids["S2"], 999, ids["S1"]])] == ["S2", "S1"]
        assert loader.by_ids([]) == []
        assert loader.by_refs([]) == []
        assert [sub.ref for sub in loader.by_refs(["'; --", 'x"', "S2", "{0}", "%s", "?"])] == ["S2"]


def test_due_means_on_or_before(ctx: Context) -> None:
    """Earliest first; not of another job or zone, not what is set aside, never what nothing is due for."""
    for n in range(1, 8):
        buy(ctx, f"S{n}", timezone="Asia/Tokyo" if n == 7 else None)
    for ref, place, day, stuck in [
        ("S1", 6, date(2026, 6, 10), False),
        ("S2", 6, date(2026, 6, 1), False),
        ("S3", 6, date(2026, 6, 11), False),
        ("S4", 7, date(2026, 6, 1), False),
        ("S5", 6, date(2026, 6, 1), True),
        ("S6", 6, None, False),
        ("S7", 6, date(2026, 6, 1), False),
    ]:
        change(ctx, ref, next_job=place, next_on=day, stuck=stuck)
    zone_id = load(ctx).zone_id
    with writing(ctx.engine) as connection:
        loader = facts(ctx, connection)
        assert [sub.ref for sub in loader.due(zone_id, 6, date(2026, 6, 10), 10)] == ["S2", "S1"]
        assert [sub.ref for sub in loader.due(zone_id, 6, date(2026, 6, 10), 1)] == ["S2"]
        assert [sub.ref for sub in loader.due(zone_id, 6, date(2026, 5, 31), 10)] == []
        assert [sub.ref for sub in loader.due(zone_id, 7, date(2026, 6, 1), 10)] == ["S4"]


def test_stored_deadlines(ctx: Context) -> None:
    buy(ctx, "S1")
    buy(ctx, "S2")
    change(ctx, "S2", next_job=None, next_on=None)
    ids = [load(ctx, ref).id for ref in ("S1", "S2")]
    place = JOB_ORDER[Due.OPEN_WINDOW]
    with reading(ctx.engine) as connection:
        found = facts(ctx, connection, lock=False).stored_deadlines(ids)
    assert found == [(ids[0], "Europe/Amsterdam", place, date(2026, 3, 11))]


def test_a_page_takes_a_handful_of_queries(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(6):
        buy(ctx, f"S{n}", "three_year")
    counted: list[str] = []
    run = Facts._run

    def counting(self: Facts, sql: str, params: tuple[Any, ...]) -> Any:
        counted.append(sql)
        return run(self, sql, params)

    monkeypatch.setattr(Facts, "_run", counting)
    with writing(ctx.engine) as connection:
        assert len(facts(ctx, connection).by_refs([f"S{n}" for n in range(6)])) == 6
    assert len(counted) <= 4


# ---------------------------------------------------------------- locks


def test_unchanged_since_it_was_read(ctx: Context) -> None:
    buy(ctx, "S1")
    buy(ctx, "S2")
    with reading(ctx.engine) as connection:
        seen = facts(ctx, connection, lock=False).by_refs(["S1", "S2"])
    with writing(ctx.engine) as connection:
        writer.move(connection, db.subscription, [({"seats": 5}, [seen[0].id])])
    with writing(ctx.engine) as connection:
        assert [sub.ref for sub in facts(ctx, connection).unchanged(seen)] == ["S2"]


def test_no_update_is_lost(ctx: Context) -> None:
    """Read, add one, write: by four at once, twelve times each."""
    buy(ctx, "S1", seats=1)

    def add_seats() -> None:
        for _ in range(12):
            with writing(ctx.engine) as connection:
                (sub,) = facts(ctx, connection).by_refs(["S1"])
                writer.move(connection, db.subscription, [({"seats": sub.seats + 1}, [sub.id])])

    _at_once(*[add_seats] * 4)
    after = load(ctx)
    assert (after.seats, after.version) == (49, 48)


def test_two_pages_in_another_order_do_not_lock_each_other_out(ctx: Context) -> None:
    for n in range(6):
        buy(ctx, f"S{n}")
    refs = [f"S{n}" for n in range(6)]

    def touch(order: list[str]) -> Callable[[], None]:
        def act() -> None:
            for _ in range(10):
                with writing(ctx.engine) as connection:
                    subs = facts(ctx, connection).by_refs(order)
                    writer.move(connection, db.subscription, [({}, [sub.id for sub in subs])])

        return act

    _at_once(touch(refs), touch(refs[::-1]), touch(refs[3:] + refs[:3]))
    assert {load(ctx, ref).version for ref in refs} == {30}


def test_who_waited_for_a_lock_sees_all_that_was_done(ctx: Context) -> None:
    """Also what stands in other tables: the next term that the other one has bought, the charge it has made."""
    buy(ctx, "S1")
    id_ = load(ctx).id
    is_locked, seen = Event(), []

    def first() -> None:
        with writing(ctx.engine) as connection:
            facts(ctx, connection).by_ids([id_])
            _add_term(connection, id_, 2, date(2026, 6, 10))
            connection.execute(update(db.charge).values(state="pending", subscription_id=id_))
            writer.move(connection, db.subscription, [({"last_number": 2}, [id_])])
            is_locked.set()
            waiting.join(0.5)

    def second() -> None:
        assert is_locked.wait(10)
        with writing(ctx.engine) as connection:
            seen.extend(facts(ctx, connection).by_ids([id_]))

    waiting = Thread(target=second)
    waiting.start()
    first()
    waiting.join(30)
    (sub,) = seen
    assert (sub.last_number, sub.is_charging) == (2, True)
    assert sub.scheduled is not None


def test_reading_waits_for_nobody(ctx: Context, book_url: str) -> None:
    buy(ctx, "S1")
    other = open_engine(book_url)
    with writing(ctx.engine) as connection:
        facts(ctx, connection).by_refs(["S1"])
        with reading(other) as second:
            assert len(facts(ctx, second, lock=False).by_refs(["S1"])) == 1
    other.dispose()


def _at_once(*acts: Callable[[], None]) -> None:
    failed: list[BaseException] = []

    def guarded(act: Callable[[], None]) -> None:
        try:
            act()
        except BaseException as error:
            failed.append(error)

    threads = [Thread(target=guarded, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
