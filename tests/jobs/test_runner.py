"""The runner: what cannot be processed is set aside and costs nobody else anything (J5); silence and second runs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select

from app.domain.catalogue import Catalogue, Offering
from app.domain.mail import Mail
from app.domain.payments import Answer, ChargeRequest
from app.domain.states import State
from app.domain.values import TermKind
from app.effects.memory_provider import MemoryProvider
from app.services import delivery, lists
from app.services.commands import COMMANDS
from app.services.commands.base import OutcomePending
from app.services.context import Context
from app.store import db
from app.store.create import create_all
from app.store.engine import open_engine, reading, writing
from app.store.locks import outbox_lock, zone_lock
from jobs import runner
from tests.factories import CATALOGUE, CSN, at, buy, load, make_context
from tests.properties.lives import contents

R = date(2026, 6, 10)
REFS = [f"S{n}" for n in range(1, 8)]
BAD = "S4"


@pytest.fixture
def engine(database_url: str) -> Any:
    engine = open_engine(database_url)
    create_all(engine)
    yield engine
    engine.dispose()


def _book(engine: Engine, provider: Any = None, *, page_size: int = 1000, **how: Any) -> Context:
    """Seven annual subscriptions from 2025-06-10, a year later: on the day on which they renew or expire."""
    ctx = make_context(engine, page_size=page_size)
    for ref in REFS:
        buy(ctx, ref, **how)
    _go(ctx, "2026-06-09 12:00")
    return replace(ctx, provider=provider or ctx.provider)


def _go(ctx: Context, instant: str) -> list[runner.Ran]:
    """Move the clock to an instant and do what is due then."""
    ctx.clock.move_to(at(instant))  # type: ignore[attr-defined]
    ran = runner.run_due(ctx)
    delivery.deliver(ctx, delivery.NoMailer())
    return ran


def _states(ctx: Context) -> dict[str, str]:
    c = db.subscription.c
    with reading(ctx.engine) as connection:
        return dict(connection.execute(select(c.ref, c.state)).all())


def _stuck(ctx: Context) -> dict[str, str]:
    """Who is set aside, and the error that is told of it."""
    query = select(db.subscription.c.ref, db.stuck.c.error).join(db.subscription)
    with reading(ctx.engine) as connection:
        return dict(connection.execute(query).all())


def _charges(ctx: Context, ref: str) -> list[tuple[date, str]]:
    return [(row["on"], row["result"]) for row in lists.of(ctx, "charges_of", ref)]


class Exploding(Offering):
    """An offering whose price cannot be worked out."""

    def list_price(self, currency: str, term: TermKind, on: date) -> Decimal | None:
        raise ZeroDivisionError("a price that explodes")


def _spoil(ctx: Context, **values: Any) -> None:
    with writing(ctx.engine) as connection:
        connection.execute(db.subscription.update().where(db.subscription.c.ref == BAD).values(**values))


def _with(ctx: Context, code: str, offering: Offering) -> Context:
    catalogue = Catalogue(offerings={**CATALOGUE.offerings, code: offering})
    return replace(ctx, catalogue=catalogue)


# ---------------------------------------------------------------- bad data


def test_an_offering_that_is_gone_costs_nobody_else_anything(engine: Engine) -> None:
    ctx = _book(engine, auto_renew=False)
    _spoil(ctx, offering="GONE")
    ran = _go(ctx, "2026-06-10 12:00")
    assert _states(ctx) == {ref: State.RENEWABLE if ref == BAD else State.EXPIRED for ref in REFS}
    assert [(each.done, each.set_aside) for each in ran if each.job == "expire"] == [(6, 1)]
    assert _stuck(ctx) == {BAD: "UnknownOffering: S4: the catalogue in config.yaml has no offering GONE"}


def test_mail_of_others_is_sent_though_one_cannot_be_read(engine: Engine) -> None:
    ctx = _book(engine, auto_renew=False)
    _spoil(ctx, offering="GONE")
    ctx.clock.move_to(at("2026-06-10 12:00"))  # type: ignore[attr-defined]
    runner.run_due(ctx)
    with writing(engine) as connection:
        values = {"kind": "renewal_reminder", "due_on": R, "recipient": "a@b.example", "language": "en"}
        rest = {"term_number": 1, "cause": "", "state": "pending", "created_at": ctx.now()}
        connection.execute(insert(db.notice).values(subscription_id=_id(ctx, BAD), **values, **rest))
    letters = Letters()
    delivery.deliver(ctx, letters)
    assert sorted(letters.sent) == sorted(("expired", ref) for ref in REFS if ref != BAD)


def test_what_was_set_aside_is_done_when_it_can_be(engine: Engine) -> None:
    """As of its own day, like the others (J3)."""
    ctx = _book(engine, auto_renew=False)
    _spoil(ctx, offering="GONE")
    _go(ctx, "2026-06-10 12:00")
    _spoil(ctx, offering="REED")
    ctx.clock.move_to(at("2026-06-12 12:00"))  # type: ignore[attr-defined]
    assert runner.retry_stuck(ctx, timedelta(days=3)) == 0, "not so soon"
    assert runner.retry_stuck(ctx, timedelta(minutes=15)) == 1
    assert _stuck(ctx) == {}
    assert lists.of(ctx, "transitions_of", BAD) == lists.of(ctx, "transitions_of", "S1")


def test_what_cannot_be_done_yet_stays_set_aside_with_its_last_error(engine: Engine) -> None:
    ctx = _book(engine, auto_renew=False)
    _spoil(ctx, offering="GONE")
    _go(ctx, "2026-06-10 12:00")
    _spoil(ctx, offering="LOST")
    ctx.clock.move_to(at("2026-06-10 13:00"))  # type: ignore[attr-defined]
    assert runner.retry_stuck(ctx, timedelta(minutes=15)) == 0
    assert _stuck(ctx) == {BAD: "UnknownOffering: S4: the catalogue in config.yaml has no offering LOST"}
    assert runner.run_due(ctx) == []


@pytest.mark.parametrize("page_size", [1, 3, 1000])
def test_a_price_that_explodes(engine: Engine, page_size: int) -> None:
    """The others are charged, once each, though the page had to be done again row by row."""
    provider = Watched()
    ctx = _with(_book(engine, provider, page_size=page_size), "BAD", Exploding("Bad", {}))
    _spoil(ctx, offering="BAD")
    _go(ctx, "2026-06-10 12:00")
    assert _stuck(ctx) == {BAD: "ZeroDivisionError: a price that explodes"}
    assert {ref: _charges(ctx, ref)[1:] for ref in REFS} == {
        ref: [] if ref == BAD else [(R, "succeeded")] for ref in REFS
    }
    assert sum(provider.asked.values()) == len(REFS) - 1


def test_a_charge_whose_outcome_cannot_be_recorded(engine: Engine) -> None:
    """A row that the database refuses: the others' money is not left hanging, nor is the next day's work."""
    provider = Watched()
    ctx = _book(engine, provider)
    term = {"number": 0, "term": "annual", "starts_on": R, "ends_on": date(2027, 6, 9), "anchor_day": 10}
    with writing(engine) as connection:
        values = {**term, "seats": 1, "offering": "REED", "bought_on": R, "undone": False}
        connection.execute(insert(db.term).values(subscription_id=_id(ctx, BAD), **values))
    _go(ctx, "2026-06-10 12:00")
    good = [ref for ref in REFS if ref != BAD]
    assert {ref: load(ctx, ref).ends_on for ref in good} == dict.fromkeys(good, date(2027, 6, 9))
    assert list(_stuck(ctx)) == [BAD]
    assert "term" in _stuck(ctx)[BAD], "with the database's own words"
    buy(ctx, "NEW", auto_renew=False)
    _go(ctx, "2027-06-10 12:00")
    assert _states(ctx)["NEW"] == State.EXPIRED
    assert set(provider.asked.values()) == {1}, "asked for once"
    with writing(engine) as connection:
        connection.execute(db.term.delete().where(db.term.c.number == 0))
    assert runner.retry_stuck(ctx, timedelta(minutes=15)) == 1
    assert _charges(ctx, BAD)[:2] == _charges(ctx, "S1")[:2]
    assert set(provider.asked.values()) == {1}, "and never again"


def _id(ctx: Context, ref: str) -> int:
    with reading(ctx.engine) as connection:
        return int(connection.execute(select(db.subscription.c.id).where(db.subscription.c.ref == ref)).scalar_one())


# ---------------------------------------------------------------- gateways that are silent, or down


class Watched(MemoryProvider):
    """Counts how often each charge was asked for; what it is told to, it does not answer."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()
        self.silent: set[str] = set()
        self.loses: set[str] = set()

    def charge(self, requests: Sequence[ChargeRequest]) -> list[Answer]:
        self.asked.update(request.key for request in requests)
        return [self._answer(request) for request in requests]

    def _answer(self, request: ChargeRequest) -> Answer:
        ref = request.key.partition("/")[0]
        if ref in self.loses:
            return Answer.UNKNOWN
        (answer,) = super().charge([request])
        return Answer.UNKNOWN if ref in self.silent else answer


@pytest.mark.parametrize("page_size", [2, 1000])
def test_a_provider_that_does_not_answer_is_asked_again_never_charged_again(engine: Engine, page_size: int) -> None:
    """It took the money, but we did not hear of it."""
    provider = Watched()
    ctx = _book(engine, provider, page_size=page_size)
    provider.silent = {BAD}
    _go(ctx, "2026-06-10 12:00")
    assert "has not answered yet" in _stuck(ctx)[BAD]
    assert _charges(ctx, BAD)[1:] == [(R, "pending")]
    assert load(ctx, BAD).ends_on == date(2026, 6, 9)
    assert load(ctx, "S5").ends_on == date(2027, 6, 9)
    ctx.clock.move_to(at("2026-06-13 13:00"))  # type: ignore[attr-defined]
    assert runner.retry_stuck(ctx, timedelta(minutes=15)) == 1
    assert set(provider.asked.values()) == {1}
    assert _charges(ctx, BAD)[1:] == [(R, "succeeded")]
    assert lists.of(ctx, "transitions_of", BAD) == lists.of(ctx, "transitions_of", "S5")


def test_a_charge_that_never_arrived_is_made_with_the_same_key(engine: Engine) -> None:
    provider = Watched()
    ctx = _book(engine, provider)
    provider.loses = {BAD}
    _go(ctx, "2026-06-10 12:00")
    provider.loses = set()
    ctx.clock.move_to(at("2026-06-10 13:00"))  # type: ignore[attr-defined]
    assert runner.retry_stuck(ctx, timedelta(minutes=15)) == 1
    assert [times for key, times in provider.asked.items() if key.startswith(f"{BAD}/")] == [2]
    assert len(provider.taken) == len({request.key for request in provider.taken})
    assert _charges(ctx, BAD)[1:] == [(R, "succeeded")]


class Down(MemoryProvider):
    """A gateway that cannot be reached while it is down."""

    is_down = True

    def charge(self, requests: Sequence[ChargeRequest]) -> list[Answer]:
        self._reach()
        return super().charge(requests)

    def find(self, keys: Sequence[str]) -> list[Answer | None]:
        self._reach()
        return super().find(keys)

    def _reach(self) -> None:
        if self.is_down:
            raise ConnectionRefusedError("the gateway is down")


def test_a_gateway_that_is_down(engine: Engine) -> None:
    """Who had to be charged waits; the rest of the day's work, and the next day's, goes on (J5)."""
    provider = Down()
    ctx = _book(engine, provider)
    ready = replace(ctx, provider=MemoryProvider())
    for ref in ("OFF-1", "OFF-2"):
        buy(ready, ref, "monthly", auto_renew=False)
    _go(ctx, "2026-06-10 12:00")
    assert _stuck(ctx) == dict.fromkeys(REFS, "ConnectionRefusedError: the gateway is down")
    _go(ctx, "2026-07-10 12:00")
    assert {_states(ctx)[ref] for ref in ("OFF-1", "OFF-2")} == {State.EXPIRED}
    assert runner.retry_stuck(ctx, timedelta(minutes=15)) == 0
    provider.is_down = False
    ctx.clock.move_to(at("2026-07-10 13:00"))  # type: ignore[attr-defined]
    assert runner.retry_stuck(ctx, timedelta(minutes=15)) == len(REFS)
    assert _stuck(ctx) == {}
    assert {ref: _charges(ctx, ref)[1:] for ref in REFS} == {ref: [(R, "succeeded")] for ref in REFS}
    assert len(provider.taken) == len(REFS)


def test_a_crash_and_then_a_gateway_that_is_down(engine: Engine) -> None:
    """Charges left open by a crash do not keep the daemon from its other work."""
    provider = Down()
    ctx = _book(engine, provider)
    buy(replace(ctx, provider=MemoryProvider()), "OFF", "monthly", auto_renew=False)

    def crash(_: Sequence[ChargeRequest]) -> list[Answer]:
        raise KeyboardInterrupt

    crashing = MemoryProvider()
    crashing.charge = crash  # type: ignore[method-assign]
    ctx.clock.move_to(at("2026-06-10 12:00"))  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        runner.run_due(replace(ctx, provider=crashing))
    _go(ctx, "2026-07-10 12:00")
    assert _states(ctx)["OFF"] == State.EXPIRED
    assert list(_stuck(ctx)) == REFS
    provider.is_down = False
    ctx.clock.move_to(at("2026-07-10 13:00"))  # type: ignore[attr-defined]
    assert runner.retry_stuck(ctx, timedelta(minutes=15)) == len(REFS)
    assert {ref: _charges(ctx, ref)[1:] for ref in REFS} == {ref: [(R, "succeeded")] for ref in REFS}


def test_money_for_an_invoice_is_not_asked_for_twice_while_its_outcome_is_unknown(engine: Engine) -> None:
    """A person pays a declined part, and the provider is silent; then comes the day of the planned retry (I2)."""
    provider = Watched()
    ctx = replace(make_context(engine), provider=provider)
    buy(ctx, BAD, "three_year")
    provider.set_declining(CSN, ctx.now(), True)
    _go(ctx, "2026-06-10 12:00")
    provider.set_declining(CSN, ctx.now(), False)
    provider.silent = {BAD}
    provider.find = lambda keys: [Answer.UNKNOWN for _ in keys]  # type: ignore[method-assign]
    with pytest.raises(OutcomePending):
        COMMANDS["pay_invoices"](ctx, csn=CSN, invoices=[BAD], payment="card")
    _go(ctx, "2026-06-13 12:00")
    assert [result for _, result in _charges(ctx, BAD)] == ["succeeded", "declined", "pending"]
    del provider.find
    runner.retry_stuck(ctx, timedelta(0))
    assert [result for _, result in _charges(ctx, BAD)] == ["succeeded", "declined", "succeeded"]
    assert load(ctx, BAD).state is State.ACTIVE


# ---------------------------------------------------------------- mail


class Letters:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def send(self, mails: Sequence[Mail]) -> None:
        self.sent += [(mail.kind, ",".join(sub.ref for sub in mail.subscriptions)) for mail in mails]


def test_a_mail_is_handed_over_once(engine: Engine) -> None:
    ctx = _book(engine, auto_renew=False)
    ctx.clock.move_to(at("2026-06-10 12:00"))  # type: ignore[attr-defined]
    runner.run_due(ctx)
    letters = Letters()
    assert delivery.deliver(ctx, letters).sent == len(REFS)
    assert delivery.deliver(ctx, letters).sent == 0
    assert sorted(letters.sent) == [("expired", ref) for ref in REFS]


# ---------------------------------------------------------------- second runs, and others at work


@pytest.mark.parametrize("page_size", [2, 1000])
def test_the_second_run_does_nothing(engine: Engine, page_size: int) -> None:
    ctx = _book(engine, page_size=page_size)
    assert [(each.job, each.done) for each in _go(ctx, "2026-06-10 12:00")] == [("renew", len(REFS))]
    before = contents(engine)
    assert runner.run_due(ctx) == []
    assert contents(engine) == before


def test_nothing_is_due_in_an_empty_book(engine: Engine) -> None:
    ctx = make_context(engine)
    assert runner.next_wake(ctx) is None
    assert runner.run_due(ctx) == []


def test_a_stop_between_pages_leaves_the_rest_to_the_next_run(engine: Engine) -> None:
    ctx = _book(engine, page_size=3, auto_renew=False)
    ctx.clock.move_to(at("2026-06-10 12:00"))  # type: ignore[attr-defined]
    pages: list[str] = []
    runner.run_due(ctx, watch=lambda ran: pages.append(ran.job), stop=lambda: "expire" in pages)
    assert Counter(_states(ctx).values()) == {State.EXPIRED: 3, State.RENEWABLE: 4}
    runner.run_due(ctx)
    assert Counter(_states(ctx).values()) == {State.EXPIRED: 7}


def test_a_zone_that_another_process_is_at_is_left_to_it(database_url: str, engine: Engine) -> None:
    ctx = _book(engine, auto_renew=False)
    ctx.clock.move_to(at("2026-06-10 12:00"))  # type: ignore[attr-defined]
    other = open_engine(database_url)
    with zone_lock(other, load(ctx, "S1").zone_id) as held:
        assert held
        assert runner.run_due(ctx) == []
    other.dispose()
    assert {each.job: each.done for each in runner.run_due(ctx)}["expire"] == len(REFS)


def test_the_outbox_that_another_process_is_at_is_left_to_it(database_url: str, engine: Engine) -> None:
    ctx = _book(engine, auto_renew=False)
    ctx.clock.move_to(at("2026-06-10 12:00"))  # type: ignore[attr-defined]
    runner.run_due(ctx)
    other = open_engine(database_url)
    with outbox_lock(other) as held:
        assert held
        assert delivery.deliver(ctx, Letters()).sent == 0
    other.dispose()
    assert delivery.deliver(ctx, Letters()).sent == len(REFS)
