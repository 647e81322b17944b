"""A plan is what the jobs then do when nobody acts, and it writes nothing."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import Engine

from app.domain.errors import InvalidArgument, UnknownSubject
from app.services.commands import renewing
from app.store.engine import open_engine, reading
from jobs import happenings, planning
from jobs.planning import Planned, plan
from tests.factories import at
from tests.jobs import mixed_book

UNTIL = date(2026, 7, 20)
AFTERWARDS = "2026-07-21 12:00"
"""Every zone is past the 20th by then."""


@pytest.fixture
def sqlite_book(sqlite_book_url: str) -> Iterator[Engine]:
    engine = open_engine(sqlite_book_url)
    yield engine
    engine.dispose()


def test_what_is_planned_is_what_happens(engine: Engine) -> None:
    ctx = mixed_book.build(engine)
    before = mixed_book.rows(engine)
    with reading(engine) as connection:
        mark = happenings.mark(connection)

    planned = plan(ctx, UNTIL)

    assert mixed_book.rows(engine) == before
    mixed_book.run_on(ctx, AFTERWARDS)
    with reading(engine) as connection:
        done = sorted(
            happenings.read(connection, mark, UNTIL), key=lambda each: (each.on, each.at, each.place, each.id)
        )
    assert planned == [planning._planned(each) for each in done]
    assert {"renew", "expire", "suspend", "cancel", "end_trial"} <= {each.event for each in planned}
    assert {"charge_succeeded", "charge_declined", "invoice", "issue_quote"} <= {each.event for each in planned}


def test_a_plan_of_some_lists_only_these_as_the_whole_does(sqlite_book: Engine) -> None:
    ctx = mixed_book.build(sqlite_book)
    whole = plan(ctx, UNTIL)
    before = mixed_book.rows(sqlite_book)

    some = plan(ctx, UNTIL, ["W-ONE", "N-OFF"])

    assert some == [each for each in whole if each.subject in ("W-ONE", "N-OFF")]
    assert {each.subject for each in some} == {"W-ONE", "N-OFF"}
    assert mixed_book.rows(sqlite_book) == before


def test_each_line_says_day_rule_and_money(sqlite_book: Engine) -> None:
    ctx = mixed_book.build(sqlite_book)
    found = plan(ctx, date(2026, 6, 11), ["O-THREE", "N-AUTO"])
    assert [(each.subject, each.event, each.rule) for each in found if each.on >= date(2026, 6, 10)] == [
        ("O-THREE", "charge_succeeded", "I2"),
        ("O-THREE", "invoice", "B6"),
        ("N-AUTO", "renew", "A2"),
        ("N-AUTO", "charge_succeeded", "A2"),
        ("N-AUTO", "invoice", "B6"),
        ("N-AUTO", "notice_renewed", "W4b"),
        ("N-AUTO", "notice_invoice", "W4b"),
    ]
    renewal = next(each for each in found if each.event == "renew")
    assert renewal == Planned(
        date(2026, 6, 10), at("2026-06-09 22:00"), "N-AUTO", "renew", "renewable", "active", "A2", "", None, None
    )
    assert renewal.at.isoformat() == "2026-06-10T00:00:00+02:00"
    charge = next(each for each in found if each.event == "charge_succeeded" and each.subject == "N-AUTO")
    assert (charge.amount, charge.currency, charge.detail) == ("1460.00", "EUR", "by card")


def test_what_is_overdue_stands_under_its_own_day(sqlite_book: Engine) -> None:
    """The daemon has been down for a month: what it missed is planned as of its own dates (J3)."""
    ctx = mixed_book.build(sqlite_book)
    ctx.clock.move_to(at("2026-06-20 12:00"))
    renewals = [each for each in plan(ctx, date(2026, 6, 20), ["N-AUTO"]) if each.event == "renew"]
    assert [(each.on, each.to) for each in renewals] == [(date(2026, 6, 10), "active")]


def test_of_a_charge_for_several_each_has_its_share(sqlite_book: Engine) -> None:
    mixed_book.build(sqlite_book)
    with reading(sqlite_book) as connection:
        charges = [each for each in happenings.read(connection) if each.event.startswith("charge_")]
    assert [(each.subject, each.rule, each.amount) for each in charges if each.subject.startswith("W-")] == [
        ("W-ONE", "S1", "730.00"),
        ("W-TWO", "S1", "730.00"),
    ]


def test_a_setting_changes_the_plan(sqlite_book: Engine) -> None:
    ctx = mixed_book.build(sqlite_book)
    assert "renew" in {each.event for each in plan(ctx, UNTIL, ["N-AUTO"])}
    renewing.set_auto_renew(ctx, ["N-AUTO"], enabled=False)
    assert "renew" not in {each.event for each in plan(ctx, UNTIL, ["N-AUTO"])}


def test_what_cannot_be_planned(sqlite_book: Engine) -> None:
    ctx = mixed_book.build(sqlite_book)
    with pytest.raises(UnknownSubject):
        plan(ctx, UNTIL, ["N-OFF", "NOBODY"])
    with pytest.raises(InvalidArgument, match="2026-05-06 is over"):
        plan(ctx, date(2026, 5, 6))
    assert plan(ctx, UNTIL, []) == []
