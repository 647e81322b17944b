"""How far the days of each time zone are done, and when the next thing is due in it."""

from datetime import date

import pytest
from sqlalchemy import Connection, Engine, insert, text, update

from app.services.context import Context
from app.store import db, zones
from app.store.engine import open_engine, reading, writing
from tests import factories
from tests.factories import at, buy, load, make_context

AMSTERDAM, AUCKLAND, HONOLULU = "Europe/Amsterdam", "Pacific/Auckland", "Pacific/Honolulu"


@pytest.fixture
def ctx(engine: Engine) -> Context:
    return make_context(engine)


def ahead(ctx: Context) -> dict[str, date]:
    with reading(ctx.engine) as connection:
        return {each.zone.name: each.day for each in zones.ahead(connection)}


def places(ctx: Context, day: date) -> list[int]:
    with reading(ctx.engine) as connection:
        return zones.places_due(connection, load(ctx).zone_id, day)


def change(ctx: Context, ref: str, **values: object) -> None:
    with writing(ctx.engine) as connection:
        connection.execute(update(db.subscription).where(db.subscription.c.ref == ref).values(**values))


# ---------------------------------------------------------------- a zone comes into the book


def test_a_new_zone_begins_with_yesterday_done(engine: Engine) -> None:
    """At 12:30 UTC it is the 11th in Auckland, the 10th in Amsterdam and Honolulu."""
    with writing(engine) as connection:
        for name in (HONOLULU, AMSTERDAM, AUCKLAND):
            zones.id_of(connection, name, at("2026-06-10 12:30"))
        found = [(zone.name, zone.day, zone.place) for zone in zones.progress(connection)]
    last = zones.LAST_PLACE
    assert found == [
        (AMSTERDAM, date(2026, 6, 9), last),
        (AUCKLAND, date(2026, 6, 10), last),
        (HONOLULU, date(2026, 6, 9), last),
    ]


def test_a_zone_is_there_once(engine: Engine) -> None:
    with writing(engine) as connection:
        first = zones.id_of(connection, AMSTERDAM, at("2026-06-10"))
        other = zones.id_of(connection, HONOLULU, at("2026-06-10"))
        again = zones.id_of(connection, AMSTERDAM, at("2027-01-01"))
        assert (again, other != first) == (first, True)
        assert [zone.day for zone in zones.progress(connection)] == [date(2026, 6, 9), date(2026, 6, 8)]


# ---------------------------------------------------------------- what is ahead


def test_an_empty_book_has_nothing_ahead(ctx: Context) -> None:
    assert ahead(ctx) == {}


def test_the_first_of_each_zone(ctx: Context) -> None:
    """The window opens on 2026-03-11, for a monthly term of 2025-06-10 a reminder comes first."""
    buy(ctx, "S1")
    buy(ctx, "S2", "monthly")
    buy(ctx, "S3", timezone=AUCKLAND)
    assert load(ctx, "S2").next_on == date(2025, 7, 5)
    assert ahead(ctx) == {AMSTERDAM: date(2025, 7, 5), AUCKLAND: date(2026, 3, 11)}


def test_what_is_set_aside_or_over_is_not_ahead(ctx: Context) -> None:
    buy(ctx, "S1")
    buy(ctx, "S2", "monthly")
    change(ctx, "S2", stuck=True)
    assert ahead(ctx) == {AMSTERDAM: date(2026, 3, 11)}
    change(ctx, "S1", next_on=None, next_job=None)
    assert ahead(ctx) == {}


def test_a_quote_is_due_the_day_after_its_last(ctx: Context) -> None:
    buy(ctx, "S1")
    with writing(ctx.engine) as connection:
        _add_quote(connection, 1, load(ctx).customer_id, load(ctx).zone_id, date(2025, 8, 1), "open")
        _add_quote(connection, 2, load(ctx).customer_id, load(ctx).zone_id, date(2025, 7, 1), "expired")
    assert ahead(ctx) == {AMSTERDAM: date(2025, 8, 2)}
    assert places(ctx, date(2025, 8, 1)) == []
    assert places(ctx, date(2025, 8, 2)) == [zones.QUOTES_PLACE]


def _add_quote(connection: Connection, id_: int, customer_id: int, zone_id: int, until: date, state: str) -> None:
    values = {
        "id": id_, "number": f"Q{id_}", "customer_id": customer_id, "zone_id": zone_id, "source": "sales",
        "kind": "renewal", "currency": "EUR", "issued_on": date(2025, 6, 10), "valid_until": until, "state": state,
        "subtotal_minor": 1, "discount_minor": 0, "tax_minor": 0, "total_minor": 1, "created_at": factories.START,
    }  # fmt: skip
    connection.execute(insert(db.quote).values(values))


def test_the_jobs_of_a_day_in_their_order(ctx: Context) -> None:
    day = date(2026, 6, 10)
    for ref, place, on in [("S1", 6, day), ("S2", 4, date(2026, 6, 1)), ("S3", 8, date(2026, 6, 11)), ("S4", 11, day)]:
        buy(ctx, ref)
        change(ctx, ref, next_job=place, next_on=on)
    assert places(ctx, day) == [4, 6, 11]
    assert places(ctx, date(2026, 6, 1)) == [4]
    assert places(ctx, date(2026, 5, 31)) == []


def test_looking_ahead_seeks_in_indexes(sqlite_book_url: str) -> None:
    """However many subscriptions there are; SQLite says how it looks."""
    engine = open_engine(sqlite_book_url)
    with reading(engine) as connection:
        plan = [row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {zones._LOOK.text}"))]
    engine.dispose()
    seeks = [step for step in plan if step.startswith("SEARCH")]
    assert len(seeks) == zones.LAST_PLACE + 1
    assert {step.partition("INDEX ")[2].partition(" ")[0] for step in seeks} == {"ix_subscription_due", "ix_quote_open"}
    assert [step for step in plan if step.startswith("SCAN") and not step.startswith("SCAN z ")] == []


# ---------------------------------------------------------------- what is done


def test_progress_never_goes_back(ctx: Context) -> None:
    buy(ctx, "S1")
    zone_id, day = load(ctx).zone_id, date(2026, 6, 10)

    def note(on: date, place: int) -> tuple[date, int]:
        with writing(ctx.engine) as connection:
            zones.advance_all(connection, [(zone_id, on)], place)
            (zone,) = zones.progress(connection)
            return zone.day, zone.place

    assert note(day, 4) == (day, 4)
    assert note(day, 3) == (day, 4)
    assert note(day, 4) == (day, 4)
    assert note(date(2026, 6, 9), 11) == (day, 4)
    assert note(day, 11) == (day, 11)
    assert note(date(2026, 6, 11), 0) == (date(2026, 6, 11), 0)


def test_only_the_zones_that_are_named_advance(ctx: Context) -> None:
    buy(ctx, "S1")
    buy(ctx, "S2", timezone=AUCKLAND)
    buy(ctx, "S3", timezone=HONOLULU)
    done = [(load(ctx, "S1").zone_id, date(2026, 6, 10)), (load(ctx, "S3").zone_id, date(2020, 1, 1))]
    with writing(ctx.engine) as connection:
        zones.advance_all(connection, done, 5)
        zones.advance_all(connection, [], 5)
        found = {zone.name: (zone.day, zone.place) for zone in zones.progress(connection)}
    assert found[AMSTERDAM] == (date(2026, 6, 10), 5)
    assert found[AUCKLAND] == (date(2025, 6, 9), 11)
    assert found[HONOLULU] == (date(2025, 6, 9), 11)
