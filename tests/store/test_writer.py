"""Bulk writes come to the same as writing row by row, on both databases, whatever the values are."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.errors import UniqueViolation
from sqlalchemy import Connection, Engine, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.domain.states import State
from app.domain.values import Method, Reason, TermKind
from app.services.commands import buying
from app.store import db, writer
from app.store.engine import reading, writing
from tests import factories

NOW = datetime(2026, 6, 10, 12, 34, 56, 789012, tzinfo=UTC)
DAY = date(2026, 6, 10)
CUSTOMER = (
    "csn", "name", "purchaser", "language", "currency", "country", "timezone", "tax_exempt", "method",
    "method_expires_on", "net_days", "prepay_required", "created_at",
)  # fmt: skip
SUBSCRIPTION = tuple(
    column.name
    for column in db.subscription.columns
    if column.name not in ("id", "customer_id", "zone_id")
)  # fmt: skip

AWKWARD = [
    "", " ", "O'Neil", 'say "x"', "back\\slash", "two\nlines\r\n", "tab\t", "\\N", "NULL", "null", "0", "1.50", "true",
    "[1, 2]", '{"a": 1}', "$[0]", "%s %(x)s {0} ?", "Ørsted Å æ", "日本", "🌱", "e\u0301", "\u2028", "\x7f", "; --",
]  # fmt: skip
texts = st.sampled_from(AWKWARD) | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
days = st.dates(date(1990, 1, 1), date(2099, 12, 31))
zones = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(hours=8))])
instants = st.datetimes(datetime(1990, 1, 1), datetime(2099, 12, 31), timezones=zones)
customers = st.tuples(
    texts, texts, st.sampled_from(["en", "nl"]), st.just("EUR"), st.none() | texts, texts, st.booleans(),
    st.none() | st.sampled_from(Method), st.none() | days, st.none() | st.integers(0, 2**31 - 1), st.booleans(),
    instants,
)  # fmt: skip


def customer_row(csn: str, **known: Any) -> tuple[Any, ...]:
    values: dict[str, Any] = {
        "csn": csn, "name": "Noord", "purchaser": "a@b.example", "language": "en", "currency": "EUR", "country": None,
        "timezone": "UTC", "tax_exempt": False, "method": Method.CARD, "method_expires_on": None, "net_days": None,
        "prepay_required": False, "created_at": NOW,
    } | known  # fmt: skip
    return tuple(values[name] for name in CUSTOMER)


def stored(connection: Connection, table: Table, columns: Sequence[str], key: str = "id") -> list[tuple[Any, ...]]:
    query = select(*(table.c[name] for name in columns)).order_by(table.c[key])
    return [tuple(row) for row in connection.execute(query)]


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """Inside a transaction that is rolled back."""
    with engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


# ---------------------------------------------------------------- inserting


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(customers, min_size=1, max_size=24), repeat=st.integers(1, 12))
def test_insert_is_row_by_row(connection: Connection, rows: list[Any], repeat: int) -> None:
    rows = [(f"C{n:03d}", *row) for n, row in enumerate(rows * repeat if len(rows) == 1 else rows)]
    with connection.begin_nested() as point:
        writer.insert(connection, db.customer, CUSTOMER, rows)
        bulk = stored(connection, db.customer, CUSTOMER, "csn")
        point.rollback()
    with connection.begin_nested() as point:
        for row in rows:
            connection.execute(insert(db.customer).values(dict(zip(CUSTOMER, row, strict=True))))
        single = stored(connection, db.customer, CUSTOMER, "csn")
        point.rollback()
    assert bulk == single
    assert [row[0] for row in bulk] == sorted(row[0] for row in rows)


def test_awkward_text_alone_and_among_many(connection: Connection) -> None:
    """One column that varies, several, or none take different ways into SQLite."""
    for count in (1, 2, 8, 1000):
        for name in AWKWARD if count < 1000 else ["🌱"]:
            rows = [customer_row(f"C{n:04d}", name=name) for n in range(count)]
            with connection.begin_nested() as point:
                writer.insert(connection, db.customer, CUSTOMER, rows)
                assert stored(connection, db.customer, CUSTOMER) == rows
                point.rollback()


def test_the_order_is_kept(connection: Connection) -> None:
    numbers = [f"C{n}" for n in (5, 1, 9, 3, 7, 2, 8, 4, 6)]
    writer.insert(connection, db.customer, CUSTOMER, [customer_row(csn) for csn in numbers])
    assert [row[0] for row in stored(connection, db.customer, ["csn"])] == numbers


def test_rows_that_are_all_the_same(connection: Connection) -> None:
    columns = ("csn", "at", "declines")
    writer.insert(connection, db.provider_switch, columns, [("C1", NOW, True)] * 20)
    assert stored(connection, db.provider_switch, columns) == [("C1", NOW, True)] * 20


def test_nothing_to_write(connection: Connection) -> None:
    writer.insert(connection, db.customer, CUSTOMER, [])
    writer.update(connection, db.customer, "csn", ("name",), [])
    writer.move(connection, db.subscription, [])
    assert stored(connection, db.customer, CUSTOMER) == []


def test_values_come_back_in_their_types(connection: Connection) -> None:
    local = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    row = customer_row("C1", method_expires_on=DAY, net_days=30, tax_exempt=True, created_at=local)
    writer.insert(connection, db.customer, CUSTOMER, [row])
    columns = ["method", "method_expires_on", "net_days", "tax_exempt", "prepay_required", "created_at", "country"]
    assert stored(connection, db.customer, columns) == [("card", DAY, 30, True, False, NOW, None)]


def test_a_unique_key_says_no_to_a_page(connection: Connection) -> None:
    """On PostgreSQL it is the driver's own error: COPY does not go through SQLAlchemy."""
    for count in (1, 20):
        rows = [customer_row(f"C{n}") for n in range(count)]
        with pytest.raises((IntegrityError, UniqueViolation), match=r"(?i)unique"), connection.begin_nested():
            writer.insert(connection, db.customer, CUSTOMER, [*rows, rows[-1]])
    assert stored(connection, db.customer, CUSTOMER) == []


# ---------------------------------------------------------------- changing


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(
        st.tuples(texts, st.booleans(), st.none() | days, st.none() | st.integers(0, 99), instants),
        min_size=1, max_size=24,
    ),
    alike=st.booleans(),
)  # fmt: skip
def test_update_is_row_by_row(connection: Connection, changes: list[Any], alike: bool) -> None:
    columns = ("name", "tax_exempt", "method_expires_on", "net_days", "created_at")
    changes = [(f"C{n}", *(changes[0] if alike else change)) for n, change in enumerate(changes)]
    with connection.begin_nested() as outer:
        writer.insert(connection, db.customer, CUSTOMER, [customer_row(f"C{n}") for n in range(len(changes) + 3)])
        with connection.begin_nested() as point:
            writer.update(connection, db.customer, "csn", columns, changes)
            bulk = stored(connection, db.customer, CUSTOMER)
            point.rollback()
        for csn, *values in changes:
            change = update(db.customer).where(db.customer.c.csn == csn)
            connection.execute(change.values(dict(zip(columns, values, strict=True))))
        single = stored(connection, db.customer, CUSTOMER)
        outer.rollback()
    assert bulk == single


def test_a_key_that_is_not_there_changes_nothing(connection: Connection) -> None:
    writer.insert(connection, db.customer, CUSTOMER, [customer_row("C1")])
    writer.update(connection, db.customer, "csn", ("name",), [("C2", "other")])
    assert stored(connection, db.customer, CUSTOMER) == [customer_row("C1")]


def test_a_key_of_several_rows_changes_all(connection: Connection) -> None:
    """As `overdue_told` of all lines of an invoice."""
    columns = ("csn", "at", "declines")
    writer.insert(connection, db.provider_switch, columns, [("C1", NOW, True), ("C1", NOW, True), ("C2", NOW, True)])
    writer.update(connection, db.provider_switch, "csn", ("declines",), [("C1", False)])
    assert [row[2] for row in stored(connection, db.provider_switch, columns)] == [False, False, True]


# ---------------------------------------------------------------- moving subscriptions


@pytest.fixture
def moving(engine: Engine) -> Iterator[Connection]:
    """Twenty subscriptions, S0 to S19, inside a transaction that is rolled back."""
    ctx = factories.make_context(engine)
    items = [buying.Item(f"S{n}", "REED", TermKind.ANNUAL, 2) for n in range(20)]
    buying.buy(ctx, factories.customer(ctx), items, Method.CARD)
    with engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


def _ids(connection: Connection) -> list[int]:
    return [row[0] for row in stored(connection, db.subscription, ["id"])]


LAPSE = {"state": State.EXPIRED, "reason": Reason.NON_RENEWAL, "lapse_on": DAY, "next_on": None, "next_job": None}


def test_a_group_is_moved_and_counted(moving: Connection) -> None:
    """Small groups are written otherwise than large ones."""
    before = stored(moving, db.subscription, SUBSCRIPTION)
    ids = _ids(moving)
    for size in (1, 7, 8, 20):
        expected = [dict(zip(SUBSCRIPTION, row, strict=True)) for row in before]
        for row in expected[:size]:
            row.update(LAPSE | {"version": row["version"] + 1})
        with moving.begin_nested() as point:
            writer.move(moving, db.subscription, [(LAPSE, ids[:size])])
            assert stored(moving, db.subscription, SUBSCRIPTION) == [tuple(row.values()) for row in expected]
            point.rollback()


def test_groups_are_moved_each_in_their_way(moving: Connection) -> None:
    ids = _ids(moving)
    moves: list[writer.Move] = [
        (LAPSE, ids[:9]),
        ({"seats": 5, "method": None}, ids[9:11]),
        ({"seats": 6, "method": Method.PAYPAL}, ids[11:12]),
        ({"term": TermKind.MONTHLY, "auto_renew": False, "partner": "O'Neil"}, ids[12:13]),
        ({}, ids[13:14]),
    ]
    writer.move(moving, db.subscription, moves)
    columns = ("state", "seats", "method", "term", "auto_renew", "partner", "version")
    usual = ("active", 2, "card", "annual", True, None)
    assert stored(moving, db.subscription, columns) == [
        *[("expired", *usual[1:], 1)] * 9,
        *[("active", 5, None, *usual[3:], 1)] * 2,
        ("active", 6, "paypal", *usual[3:], 1),
        ("active", 2, "card", "monthly", False, "O'Neil", 1),
        (*usual, 1),
        *[(*usual, 0)] * 6,
    ]


def test_a_check_says_no_to_a_move(moving: Connection) -> None:
    with pytest.raises(IntegrityError, match="ck_subscription_term_order"), moving.begin_nested():
        writer.move(moving, db.subscription, [({"ends_on": date(2020, 1, 1)}, _ids(moving))])


def test_a_bulk_write_is_rolled_back_whole(engine: Engine) -> None:
    rows = [customer_row(f"C{n}") for n in range(10)]
    with pytest.raises(ZeroDivisionError), writing(engine) as connection:
        writer.insert(connection, db.customer, CUSTOMER, rows)
        raise ZeroDivisionError
    with reading(engine) as connection:
        assert stored(connection, db.customer, CUSTOMER) == []
