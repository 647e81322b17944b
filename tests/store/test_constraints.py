"""The database says no too: to a second of what there is one of, to unknown words, to sums that do not add up."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.domain.states import State
from app.domain.values import (
    CHARGEABLE,
    ORDERABLE,
    ChargeState,
    InstallmentState,
    InvoiceState,
    NoticeKind,
    OrderState,
    QuoteState,
    Reason,
    TermKind,
)
from app.store import db
from tests import factories

DAY = date(2026, 6, 10)
PRICE = {"subtotal_minor": 100, "discount_minor": 10, "tax_minor": 5, "total_minor": 95}


@pytest.fixture
def book(engine: Engine) -> Iterator[Connection]:
    """A transaction on a book with two subscriptions, S1 of three years, and a trial."""
    ctx = factories.make_context(engine)
    factories.buy(ctx, "S1", "three_year")
    factories.buy(ctx, "S2")
    factories.buy(ctx, "T1", "trial", seats=1)
    with engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


def row(book: Connection, table: Table, **where: Any) -> dict[str, Any]:
    """The first row of a table (with some values), as one that could be added again."""
    query = select(table).filter_by(**where).order_by(*table.primary_key.columns)
    return dict(book.execute(query).mappings().first() or {})


def is_taken(book: Connection, table: Table, values: dict[str, Any]) -> bool:
    """Whether the database takes a row."""
    try:
        with book.begin_nested():
            book.execute(insert(table).values(values))
    except IntegrityError:
        return False
    return True


def refuses(book: Connection, table: Table, values: dict[str, Any], by: str) -> None:
    """The row is refused, and by that constraint."""
    with pytest.raises(IntegrityError) as caught, book.begin_nested():
        book.execute(insert(table).values(values))
    said = str(caught.value)
    columns = by.removeprefix("unique ").split()
    assert by in said or ("UNIQUE" in said and all(column in said for column in columns)), said


# ---------------------------------------------------------------- once, and not twice


def test_one_invoice_line_for_each_part_of_a_term(book: Connection) -> None:
    line = row(book, db.invoice_line)
    again = line | {"position": 7}
    refuses(
        book, db.invoice_line, again, "subscription_id term_number part" if _sqlite(book) else "uq_invoice_line_part"
    )
    assert is_taken(book, db.invoice_line, again | {"part": 2})
    assert is_taken(book, db.invoice_line, again | {"position": 8, "term_number": 2})
    assert is_taken(book, db.invoice_line, again | {"position": 9, "kind": "seats"})
    assert is_taken(book, db.invoice_line, again | {"position": 10, "kind": "seats"})


def test_one_charge_for_each_part_of_a_term(book: Connection) -> None:
    """A declined one may be tried again; an invoice may be paid in pieces (A6, B3)."""
    charge = _charge(book)
    assert is_taken(book, db.charge, charge)
    again = charge | {"id": 101, "key": "other"}
    for state in (ChargeState.PENDING, ChargeState.SUCCEEDED):
        refuses(book, db.charge, again | {"state": state}, _name(book, "uq_charge_once", "term_number part"))
    assert is_taken(book, db.charge, again | {"state": "declined"})
    assert is_taken(book, db.charge, again | {"id": 102, "key": "k2", "part": 2})
    assert is_taken(book, db.charge, again | {"id": 103, "key": "k3", "term_number": 3})
    assert is_taken(book, db.charge, again | {"id": 104, "key": "k4", "purpose": "invoice"})


def test_a_charge_that_was_declined_may_succeed_once(book: Connection) -> None:
    charge = _charge(book)
    for id_, state in ((100, "declined"), (101, "declined"), (102, "succeeded")):
        assert is_taken(book, db.charge, charge | {"id": id_, "key": f"k{id_}", "state": state})
    with pytest.raises(IntegrityError), book.begin_nested():
        book.execute(update(db.charge).where(db.charge.c.id == 101).values(state="succeeded"))


def test_one_charge_for_each_order_and_key(book: Connection) -> None:
    charge = row(book, db.charge)
    other = charge | {"id": 101, "key": "other"}
    refuses(book, db.charge, other, _name(book, "uq_charge_order", "order_id"))
    assert is_taken(book, db.charge, other | {"state": "declined"})
    refuses(book, db.charge, charge | {"id": 102, "order_id": None}, _name(book, "uq_charge_key", "charge.key"))


def _charge(book: Connection) -> dict[str, Any]:
    own = {
        "id": 100,
        "key": "k",
        "purpose": "renewal",
        "term_number": 2,
        "part": 1,
        "order_id": None,
        "state": "pending",
    }
    return row(book, db.charge) | own | {"subscription_id": row(book, db.subscription)["id"]}


def test_one_notice_of_each_kind_day_cause_and_recipient(book: Connection) -> None:
    """W4b: whatever became of the first."""
    book.execute(update(db.notice).values(state="sent"))
    notice = row(book, db.notice)
    del notice["id"]
    refuses(book, db.notice, notice | {"state": "pending"}, _name(book, "uq_notice_subscription_id", "cause recipient"))
    for change in (
        {"term_number": 2}, {"kind": "renewed"}, {"due_on": DAY}, {"cause": "invoice:9"}, {"recipient": "c@d.example"},
    ):  # fmt: skip
        assert is_taken(book, db.notice, notice | change), change


def test_a_term_is_bought_once(book: Connection) -> None:
    term = row(book, db.term)
    refuses(book, db.term, term | {"starts_on": DAY, "ends_on": DAY}, _name(book, "pk_term", "subscription_id number"))
    refuses(book, db.term, term | {"number": 2}, _name(book, "uq_term_start", "subscription_id starts_on"))
    assert is_taken(book, db.term, term | {"number": 2, "undone": True})
    assert is_taken(book, db.term, term | {"number": 3, "starts_on": DAY, "ends_on": date(2099, 1, 1)})


def test_one_installment_for_each_part(book: Connection) -> None:
    part = row(book, db.installment) | {"id": 100}
    refuses(book, db.installment, part, _name(book, "uq_installment_part", "source part"))
    assert is_taken(book, db.installment, part | {"source": 1})


def test_one_open_automatic_quote_for_each_term(book: Connection) -> None:
    sub = row(book, db.subscription)
    for id_ in (1, 2):
        assert is_taken(book, db.quote, _quote(sub, id_))
    line = {
        "quote_id": 1, "position": 0, "subscription_id": sub["id"], "term_number": 2, "offering": "REED",
        "term": "annual", "seats": 1, "is_open": True, "is_automatic": True, **PRICE,
    }  # fmt: skip
    assert is_taken(book, db.quote_line, line)
    refuses(book, db.quote_line, line | {"quote_id": 2}, _name(book, "uq_quote_line_automatic", "term_number"))
    assert is_taken(book, db.quote_line, line | {"quote_id": 2, "is_automatic": False})
    assert is_taken(book, db.quote_line, line | {"quote_id": 2, "position": 1, "is_open": False})


def _quote(sub: dict[str, Any], id_: int = 1) -> dict[str, Any]:
    return {
        "id": id_, "number": f"Q{id_}", "customer_id": sub["customer_id"], "zone_id": sub["zone_id"],
        "source": "system", "kind": "renewal", "currency": "EUR", "issued_on": DAY, "valid_until": DAY,
        "state": "open", "created_at": factories.START, **PRICE,
    }  # fmt: skip


def test_a_user_has_one_seat_at_a_time(book: Connection) -> None:
    seat = {"subscription_id": row(book, db.subscription)["id"], "email": "u@b.example", "assigned_at": factories.START}
    assert is_taken(book, db.assignment, seat)
    refuses(book, db.assignment, seat, _name(book, "uq_assignment_user", "email"))
    book.execute(update(db.assignment).values(removed_at=factories.START))
    assert is_taken(book, db.assignment, seat)


def test_what_people_call_things_by_is_unique(book: Connection) -> None:
    for table, column in (
        (db.customer, "csn"), (db.subscription, "ref"), (db.zone, "name"), (db.sale_order, "number"),
        (db.invoice, "number"),
    ):  # fmt: skip
        again = row(book, table) | {"id": 999}
        refuses(book, table, again, _name(book, f"uq_{table.name}_{column}", f"{table.name}.{column}"))
        assert is_taken(book, table, again | {column: "other"})


# ---------------------------------------------------------------- known words


WORDS: list[tuple[Table, str, set[str]]] = [
    (db.subscription, "state", set(State) - {State.NEW}),
    (db.subscription, "term", set(TermKind)),
    (db.subscription, "method", set(ORDERABLE)),
    (db.term, "term", set(TermKind)),
    (db.invoice, "state", set(InvoiceState)),
    (db.installment, "state", set(InstallmentState)),
    (db.sale_order, "state", set(OrderState)),
    (db.charge, "state", set(ChargeState)),
    (db.charge, "method", set(CHARGEABLE)),
    (db.charge, "purpose", {"order", "renewal", "installment", "invoice"}),
    (db.notice, "state", {"pending", "sent", "dropped"}),
    (db.notice, "kind", set(NoticeKind)),
]


def test_states_and_kinds_are_known_words(book: Connection) -> None:
    for table, column, words in WORDS:
        for word in (*sorted(words), "", "new", "ACTIVE", "unknown"):
            with book.begin_nested() as point:
                try:
                    book.execute(_only(table, row(book, table), {column: word}))
                    taken = True
                except IntegrityError as error:
                    taken = f"ck_{table.name}_{column}_known" not in str(error)
                point.rollback()
            assert taken is (word in words), (table.name, column, word)


def _only(table: Table, one: dict[str, Any], values: dict[str, Any]) -> Any:
    """Change that row only, so that no unique key speaks first."""
    return update(table).where(*(key == one[key.name] for key in table.primary_key.columns)).values(**values)


def test_quotes_are_of_known_kinds(book: Connection) -> None:
    quote = _quote(row(book, db.subscription))
    assert is_taken(book, db.quote, quote)
    for column, words in (
        ("state", set(QuoteState)), ("source", {"self_service", "partner", "sales", "system"}),
        ("kind", {"new", "alignment", "renewal"}),
    ):  # fmt: skip
        for word in (*words, "other"):
            other = quote | {"id": 2, "number": "Q2", column: word}
            assert is_taken(book, db.quote, other) is (word != "other")
            book.execute(delete(db.quote).where(db.quote.c.id == 2))


# ---------------------------------------------------------------- sums, seats and days


WRONG: list[tuple[Table, dict[str, Any], str]] = [
    (db.subscription, {"seats": 0}, "ck_subscription_seats"),
    (db.subscription, {"ends_on": date(2020, 1, 1)}, "ck_subscription_term_order"),
    (db.subscription, {"anchor_day": 32}, "ck_subscription_anchor"),
    (db.subscription, {"state": "expired", "reason": Reason.NON_RENEWAL}, "ck_subscription_reason_has_day"),
    (db.subscription, {"state": "expired", "lapse_on": DAY}, "ck_subscription_reason_has_day"),
    (db.subscription, {"reason": "non_renewal", "lapse_on": DAY}, "ck_subscription_no_reason_outside"),
    (db.subscription, {"state": "expired", "reason": "mood", "lapse_on": DAY}, "ck_subscription_reason_known"),
    (db.term, {"ends_on": date(2020, 1, 1)}, "ck_term_term_order"),
    (db.term, {"seats": 0}, "ck_term_seats"),
    (db.customer, {"region": "EU"}, "ck_customer_region_known"),
    (db.customer, {"credit_limit_minor": -1}, "ck_customer_credit"),
    (db.sale_order, {"total_minor": 1}, "ck_sale_order_adds_up"),
    (db.order_line, {"total_minor": 1}, "ck_order_line_adds_up"),
    (db.order_line, {"seats": 0}, "ck_order_line_seats"),
    (db.invoice, {"tax_minor": 1}, "ck_invoice_adds_up"),
    (db.invoice, {"state": "open", "paid_minor": -1}, "ck_invoice_paid"),
    (db.invoice, {"state": "open", "paid_minor": 10**9}, "ck_invoice_paid"),
    (db.invoice, {"paid_minor": 1}, "ck_invoice_paid_whole"),
    (db.invoice, {"due_on": date(2020, 1, 1)}, "ck_invoice_due"),
    (db.invoice_line, {"discount_minor": 1}, "ck_invoice_line_adds_up"),
    (db.installment, {"amount_minor": -1}, "ck_installment_amount"),
    (db.charge, {"amount_minor": 0}, "ck_charge_amount"),
]


def test_what_cannot_be_is_refused(book: Connection) -> None:
    for table, change, by in WRONG:
        with pytest.raises(IntegrityError, match=f"{by}\\b"), book.begin_nested():
            book.execute(_only(table, row(book, table), change))


def test_nothing_refers_to_what_is_not_there(book: Connection) -> None:
    for table in (db.subscription, db.term, db.sale_order, db.order_line, db.invoice, db.charge, db.notice):
        for column in [column.name for column in table.columns if column.foreign_keys]:
            with pytest.raises(IntegrityError, match=r"(?i)foreign key"), book.begin_nested():
                book.execute(_only(table, row(book, table), {column: 999}))


def test_no_record_is_of_what_is_not_there(book: Connection) -> None:
    record = row(book, db.event)
    del record["id"]
    for column in ("subscription_id", "customer_id"):
        with pytest.raises(IntegrityError, match=r"(?i)foreign key"), book.begin_nested():
            book.execute(insert(db.event).values(record | {column: 999}))


def _sqlite(book: Connection) -> bool:
    return book.dialect.name == "sqlite"


def _name(book: Connection, name: str, columns: str) -> str:
    """SQLite names the columns of a unique key, PostgreSQL the key."""
    return columns if _sqlite(book) else name
