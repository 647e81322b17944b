"""The test provider of a live book, and its twin in memory: once for each key, declining as of a charge's own date."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Thread

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError

from app.domain.payments import Answer, ChargeRequest, Provider
from app.domain.values import Method
from app.effects.book_provider import BookProvider
from app.effects.memory_provider import MemoryProvider
from app.store import db
from app.store.engine import open_engine, reading
from tests.factories import at

NOON = at("2026-06-10 12:00")
SECOND = timedelta(seconds=1)
TAKEN, DECLINED = Answer.TAKEN, Answer.DECLINED


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    """All three keep the same promises."""
    if request.param == "memory":
        yield MemoryProvider()
        return
    engine = open_engine(request.getfixturevalue(f"{request.param}_book_url"))
    yield BookProvider(engine)
    engine.dispose()


@pytest.fixture
def book(engine: Engine) -> BookProvider:
    return BookProvider(engine)


def request(key: str, csn: str = "C1", as_of: datetime = NOON, amount_minor: int = 73000) -> ChargeRequest:
    return ChargeRequest(key, csn, amount_minor, "EUR", Method.CARD, as_of)


def charged(engine: Engine) -> int:
    with reading(engine) as connection:
        return int(connection.execute(select(func.count()).select_from(db.provider_charge)).scalar_one())


# ---------------------------------------------------------------- one key, one charge


def test_everybody_is_taken(provider: Provider) -> None:
    assert provider.charge([request("k1"), request("k2", "C2")]) == [TAKEN, TAKEN]


def test_nobody_is_nothing(provider: Provider) -> None:
    assert provider.charge([]) == []
    assert provider.find([]) == []


def test_a_key_gets_its_old_answer(provider: Provider) -> None:
    """Whatever the second request says, and however the switch stands by then."""
    assert provider.charge([request("k1")]) == [TAKEN]
    provider.set_declining("C1", NOON - SECOND, True)
    assert provider.charge([request("k1", amount_minor=1), request("k2")]) == [TAKEN, DECLINED]
    provider.set_declining("C1", NOON, False)
    assert provider.charge([request("k2"), request("k3")]) == [DECLINED, TAKEN]


def test_a_key_twice_in_one_request(provider: Provider) -> None:
    assert provider.charge([request("k1"), request("k1")]) == [TAKEN, TAKEN]


def test_answers_come_in_the_order_of_the_requests(provider: Provider) -> None:
    provider.set_declining("C2", NOON, True)
    requests = [request(f"k{n}", "C2" if n % 3 == 0 else "C1") for n in range(30)]
    assert provider.charge(requests) == [DECLINED if n % 3 == 0 else TAKEN for n in range(30)]


def test_what_became_of_a_charge_can_be_asked(provider: Provider) -> None:
    """None for a key that never arrived: that one may be charged now (rule 9 of the house)."""
    provider.set_declining("C2", NOON, True)
    provider.charge([request("k1"), request("k2", "C2")])
    assert provider.find(["k2", "k3", "k1", "k2"]) == [DECLINED, None, TAKEN, DECLINED]


def test_asking_charges_nothing(book: BookProvider, engine: Engine) -> None:
    book.find(["k1"])
    assert charged(engine) == 0


def test_a_repeated_key_is_one_row(book: BookProvider, engine: Engine) -> None:
    for _ in range(3):
        book.charge([request("k1"), request("k1"), request("k2")])
    assert charged(engine) == 2


def test_another_process_knows_it(engine: Engine, book: BookProvider) -> None:
    book.charge([request("k1")])
    assert BookProvider(engine).find(["k1"]) == [TAKEN]


def test_many_keys_at_once(book: BookProvider) -> None:
    requests = [request(f"k{n}") for n in range(2000)]
    assert set(book.charge(requests)) == {TAKEN}
    assert book.find([f"k{n}" for n in range(2001)]) == [*[TAKEN] * 2000, None]


def test_two_who_charge_the_same_keys_at_once(book: BookProvider, engine: Engine) -> None:
    """Each key is charged once. Who comes second may get an error, and then asks what became of it."""
    requests = [request(f"k{n}") for n in range(200)]
    answers: list[Answer] = []

    def charge() -> None:
        with suppress(IntegrityError):
            answers.extend(book.charge(requests))

    threads = [Thread(target=charge) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert charged(engine) == 200
    assert set(answers) == set(book.find([each.key for each in requests])) == {TAKEN}


# ---------------------------------------------------------------- declining as of a date


def test_a_window_of_declining(provider: Provider) -> None:
    """Its first instant declines, its last one takes again, whenever the provider is asked (J3)."""
    provider.set_declining("C1", NOON, True)
    provider.set_declining("C1", NOON + timedelta(days=3), False)
    instants = [
        NOON - SECOND, NOON, NOON + timedelta(days=1), NOON + timedelta(days=3) - SECOND, NOON + timedelta(days=3),
    ]  # fmt: skip
    answers = provider.charge([request(f"k{n}", as_of=instant) for n, instant in enumerate(instants)])
    assert answers == [TAKEN, DECLINED, DECLINED, DECLINED, TAKEN]


def test_only_that_customer(provider: Provider) -> None:
    provider.set_declining("C1", NOON, True)
    assert provider.charge([request("k1"), request("k2", "C2")]) == [DECLINED, TAKEN]


def test_the_last_word_on_an_instant_counts(provider: Provider) -> None:
    provider.set_declining("C1", NOON, True)
    provider.set_declining("C1", NOON, False)
    assert provider.charge([request("k1")]) == [TAKEN]


def test_windows_one_after_the_other(provider: Provider) -> None:
    for day, declines in ((1, True), (2, False), (5, True), (6, False)):
        provider.set_declining("C1", NOON + timedelta(days=day), declines)
    answers = provider.charge([request(f"k{n}", as_of=NOON + timedelta(days=n)) for n in range(8)])
    assert answers == [TAKEN, DECLINED, TAKEN, TAKEN, TAKEN, DECLINED, TAKEN, TAKEN]
