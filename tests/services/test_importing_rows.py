"""`import`: bad rows, lines and files stay out, and say where and why."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from app.domain.errors import InvalidArgument
from app.services import views
from app.services.context import Context
from app.services.import_cells import Rejected
from app.services.importing import ImportReport, import_csv
from app.store import db
from app.store.engine import open_engine, reading
from tests import factories
from tests.services.rows import NOW, OWNER, bring, bring_bytes, bring_one, ends, everything, sub, table, why


@pytest.fixture
def ctx(engine: Engine) -> Context:
    return factories.make_context(engine, NOW)


@pytest.fixture
def lite(sqlite_book_url: str) -> Iterator[Context]:
    """On SQLite only: for what no database has a say in."""
    engine = open_engine(sqlite_book_url)
    yield factories.make_context(engine, NOW)
    engine.dispose()


# ---------------------------------------------------------------- rows that stay out


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"csn": None}, "csn", "is missing"),
        ({"id": None}, "id", "is missing"),
        ({"name": None}, "name", "is missing"),
        ({"purchaser": None}, "purchaser", "is missing"),
        ({"purchaser": "noord.example"}, "purchaser", "no e-mail address"),
        ({"agreement_manager": "me"}, "agreement_manager", "no e-mail address"),
        ({"payers": "a@b.example c"}, "payers", "no e-mail address"),
        ({"payers": " ".join(f"p{n}@b.example" for n in range(6))}, "payers", "at most 5"),
        ({"language": "fr"}, "language", "none of en, nl, nb, de"),
        ({"currency": None}, "currency", "is missing"),
        ({"currency": "EURO"}, "currency", 'no currency "EURO"'),
        ({"country": "Netherlands"}, "country", "ISO country code"),
        ({"region": "Europe"}, "region", "none of"),
        ({"timezone": "Europe/Amsterdm"}, "timezone", "no time zone"),
        ({"timezone": "Europe"}, "timezone", "no time zone"),
        ({"subscription_timezone": "Mars/Base"}, "subscription_timezone", "no time zone"),
        ({"net_days": "-1"}, "net_days", "whole number"),
        ({"credit_limit": "1,000"}, "credit_limit", "no amount"),
        ({"credit_limit": "1000.001"}, "credit_limit", "more decimals"),
        ({"offering": "REEDS"}, "offering", "nearest is REED"),
        ({"offering": None}, "offering", "is missing"),
        ({"term": "yearly"}, "term", "none of monthly, annual"),
        ({"term": "three_year", "subscription_currency": "JPY"}, "term", "not sold"),
        ({"term": "three_year", "offering": "DRIFT"}, "term", "not sold"),
        ({"subscription_currency": "NOK"}, "term", "not sold for a term annual in NOK"),
        ({"seats": "0"}, "seats", "whole number from 1"),
        ({"seats": "2.5"}, "seats", "whole number"),
        ({"seats": "²"}, "seats", "whole number"),
        ({"seats": None}, "seats", "is missing"),
        ({"starts_on": None}, "starts_on", "is missing"),
        ({"starts_on": "01/03/2026"}, "starts_on", "no date"),
        ({"starts_on": "2026-02-30"}, "starts_on", "no date"),
        ({"starts_on": "today-99999"}, "starts_on", "not between 1970"),
        ({"starts_on": "tomorrow"}, "starts_on", "no date"),
        ({"starts_on": "today+1"}, "starts_on", "in the future"),
        ({"ends_on": "2026-02-28"}, "ends_on", "before the first day"),
        ({"ends_on": "2028-03-01"}, "ends_on", "at the latest"),
        ({"anchor_day": "32"}, "anchor_day", "whole number from 1 to 31"),
        ({"anchor_day": "17", "ends_on": "2027-02-28"}, "anchor_day", "no day 17"),
        ({"state": None}, "state", "is missing"),
        ({"state": "live"}, "state", "none of"),
        ({"state": "new"}, "state", "no state"),
        ({"state": "trial"}, "state", "never trial"),
        ({"term": "trial"}, "state", "never active"),
        ({"auto_renew": "maybe"}, "auto_renew", "neither true nor false"),
        ({"auto_renew": "true", "payment": "bank_transfer"}, "auto_renew", "A3"),
        ({"payment": "cheque"}, "payment", "none of"),
        ({"payment": "cash_balance"}, "payment", "nothing is bought with"),
        ({"regime_on": "today+3"}, "regime_on", "future"),
        ({"users": "ada"}, "users", "no e-mail address"),
        ({"users": "a@b.example A@b.example"}, "users", "twice"),
        ({"users": "a@b.example b@b.example c@b.example d@b.example"}, "users", "at most 3"),
        ({"name": "x" * 501}, "name", "longer than 500"),
        ({"installments_paid": "1"}, "installments_paid", "three-year"),
        ({"owed": "10.00"}, "owed_due_on", "is missing"),
        ({"owed": "0.00", "owed_due_on": "today+3"}, "owed", "is nothing"),
        ({"owed": "10.00", "owed_due_on": "today-3"}, "state", "non_payment since 2026-11-19"),
    ],
)  # fmt: skip
def test_a_bad_cell(lite: Context, tmp_path: Path, cells: dict[str, Any], column: str, words: str) -> None:
    found, reason = why(lite, tmp_path, sub(**cells))
    assert (found, words in reason) == (column, True), reason


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        (ends(91, state="renewable"), "state", "its window opens on 2026-11-23: it is active (W1)"),
        (ends(50, state="renewable", scheduled_term="annual"), "state", "next term is bought"),
        (ends(-2), "state", "by its dates it is expired, non_renewal since 2026-11-20 (L3)"),
        (ends(-2, offering="DRIFT"), "state", "by its dates it is canceled, non_renewal since 2026-11-20 (L4)"),
        (ends(-1, state="expired", offering="DRIFT"), "state", "no such stage"),
        (ends(60, state="expired"), "lapse_on", "needs a day that started it"),
        (ends(60, state="expired", lapse_on="today-3"), "reason", "is missing"),
        (ends(60, state="expired", reason="non_payment"), "lapse_on", "is missing"),
        (ends(60, state="expired", reason="non_renewal", lapse_on="today-3"), "lapse_on", "has started no lapse"),
        (ends(60, state="expired", reason="non_payment", lapse_on="today"), "lapse_on", "no lapse"),
        (ends(-5, state="expired", lapse_on="today-4"), "lapse_on", "by its dates it is 2026-11-17"),
        (ends(-5, state="expired", reason="non_payment", lapse_on="today-3"), "reason", "non_renewal, since"),
        (ends(-5, state="expired", reason="payment_failed"), "auto_renew", "A6"),
        (ends(-17, state="expired"), "state", "it is suspended"),
        (ends(-15, state="suspended"), "state", "it is expired"),
        (ends(-47, state="suspended"), "state", "it is canceled"),
        (ends(-45, state="canceled"), "state", "canceled on 2026-11-23, not before"),
        (ends(-60, state="canceled", lapse_on="today-59"), "lapse_on", "end of the term"),
        (ends(60, state="canceled", reason="non_payment"), "lapse_on", "is missing"),
        (ends(60, state="canceled"), "state", "not before"),
        (ends(-60, state="canceled", users="a@b.example"), "users", "S4"),
        (ends(-60, state="canceled", scheduled_term="annual"), "scheduled_term", "no next term"),
        (sub(reason="non_renewal"), "reason", "S2"),
        (sub(lapse_on="today-3"), "lapse_on", "S2"),
        (sub(scheduled_term="annual"), "scheduled_term", "before the window opens on 2026-11-30"),
        (ends(50, scheduled_seats=2), "scheduled_term", "missing beside scheduled_seats"),
        (ends(50, scheduled_term="trial"), "scheduled_term", "no next term"),
        (ends(50, scheduled_term="annual", scheduled_offering="X"), "scheduled_offering", "no"),
        (ends(50, scheduled_term="three_year", scheduled_offering="DRIFT"), "scheduled_term", "not sold"),
        (ends(-2, scheduled_term="annual"), "ends_on", "next term began on 2026-11-21"),
        (ends(-3, term="trial", state="trial", payment=None), "state", "trial_ended"),
        (ends(3, term="trial", state="trial", auto_renew="true"), "auto_renew", "O4"),
        (ends(3, term="trial", state="trial", owed="1.00", owed_due_on="today-3"), "owed", "a trial has none"),
        (sub(term="three_year", starts_on="2025-11-18", installments_paid=1), "installments_paid", "2026-11-18"),
        (sub(term="three_year", starts_on="2025-11-18", installments_paid=2, owed_due_on="today"),
         "installments_paid", "what is owed then"),
        (sub(term="three_year", starts_on="2024-09-01", installments_paid=1), "installments_paid", "newer regime"),
        (sub(term="three_year", starts_on="2024-09-01", state="expired"), "state", "L5"),
    ],
)  # fmt: skip
def test_a_standing_that_the_rulebook_contradicts(
    lite: Context, tmp_path: Path, cells: dict[str, str], column: str, words: str
) -> None:
    found, reason = why(lite, tmp_path, cells)
    assert (found, words in reason) == (column, True), reason


def test_good_rows_come_in_beside_bad_lines(ctx: Context, tmp_path: Path) -> None:
    lines = table(*[sub(id=f"S{n}") for n in range(1, 10)]).splitlines()
    lines[2] += b",more"
    lines[3] = lines[3].replace(b"Atelier Noord", b'"Atelier" Noord"')
    lines[4] = lines[4].replace(b"Atelier Noord", b'"Atelier Noord')
    lines[5] = lines[5].replace(b"Noord,", b"No\x00rd,")
    lines[6] = lines[6].replace(b"Noord,", b"Nord\xe9,")
    lines[7] = lines[7].replace(b"S7", b"S1")
    lines[8] = lines[8].replace(b"S8", b"S" * 70_000)
    report = bring_bytes(ctx, tmp_path, b"\n".join(lines))
    assert (report.customers, report.subscriptions, report.unchanged) == (1, 2, 0)
    (third, *others) = report.rejected
    assert third == Rejected(3, None, "has 16 cells, the header has 15")
    assert [(each.line, each.column) for each in others] == [
        (4, None), (5, None), (6, "name"), (7, "name"), (8, "id"), (9, None)
    ]  # fmt: skip
    reasons = " / ".join(each.reason for each in others)
    assert "does not end on its line" in reasons
    assert "U+0000" in reasons
    assert "is not UTF-8" in reasons
    assert '"S1" stands on line 2 already' in reasons
    assert "longer than 65536 bytes" in reasons
    assert factories.load(ctx, "S9").seats == 3


@pytest.mark.parametrize("character", ["\u202e", "\u2028", "\x1b", "\x7f", "\r", "\t"])
def test_a_character_that_would_move_a_readers_terminal(lite: Context, tmp_path: Path, character: str) -> None:
    content = table(sub(name="AtelierNoord")).replace(b"AtelierNoord", f"Atelier{character}Noord".encode())
    (rejected,) = bring_bytes(lite, tmp_path, content).rejected
    assert rejected.column == "name"
    assert f"U+{ord(character):04X}" in rejected.reason


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        (table(sub()).decode().encode("utf-16"), "UTF-16"),
        (table(sub()).replace(b"seats", b"seets"), 'line 1: there is no column "seets"; the nearest is "seats"'),
        (b"\n" + table(sub()).replace(b"seats", b"\xff"), 'line 2: there is no column "'),
        (table(sub()).replace(b"seats", b"term"), '"term" stands there twice'),
        (table(sub()).replace(b"seats", b""), "column 5 has no name"),
        (table(sub()).replace(b"state", b"reason"), "without the column state"),
        (table(sub()).replace(b"starts_on", b"lapse_on"), "starts_on (or ends_on)"),
        (b"hello", 'no column "hello"'),
    ],
)
def test_a_file_that_is_refused(lite: Context, tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        bring_bytes(lite, tmp_path, content)
    assert words in caught.value.detail
    assert everything(lite) == []


def test_a_file_that_is_not_there(lite: Context, tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.csv", tmp_path):
        with pytest.raises(InvalidArgument, match="cannot be read"):
            import_csv(lite, path)


@pytest.mark.parametrize(
    "content",
    [
        table(sub()),
        b"\xef\xbb\xbf" + table(sub()),
        table(sub(), separator=";"),
        table(sub(), separator="\t"),
        table(sub()).replace(b"\n", b"\r\n"),
        table(sub()).rstrip(),
        b"\n" + table(sub()) + b"\n\n,,,\n" + b"," * 14 + b"\n",
        table(sub()).replace(b"starts_on", b" Starts On "),
        table(sub()).replace(b"Atelier Noord", b'  "Atelier Noord" '.rstrip()),
        table(sub(state="Active", payment="CARD", auto_renew="FALSE")),
    ],
)
def test_spellings_of_a_file(lite: Context, tmp_path: Path, content: bytes) -> None:
    assert bring_bytes(lite, tmp_path, content) == ImportReport(customers=1, subscriptions=1)
    assert views.customer(lite, "5100000001")
    assert [row[3] for row in everything(lite, "customer")] == ["Atelier Noord"]


def test_a_list_in_a_cell_of_a_file_with_semicolons(lite: Context, tmp_path: Path) -> None:
    row = sub(payers="ap@noord.example; books@noord.example", users="a@n.example;b@n.example")
    assert bring_bytes(lite, tmp_path, table(row, separator=";")).subscriptions == 1
    assert [each[2] for each in everything(lite, "payer")] == ["ap@noord.example", "books@noord.example"]


# ---------------------------------------------------------------- customers


def test_a_customer_is_said_once_and_repeated_or_left_out(ctx: Context, tmp_path: Path) -> None:
    rows = [sub(id="S1"), sub(id="S2"), {**ends(40), "id": "S3"}]
    for name in OWNER:
        if name != "csn":
            del rows[2][name]
    assert bring(ctx, tmp_path, *rows) == ImportReport(customers=1, subscriptions=3)
    assert factories.load(ctx, "S3").purchaser == "buyer@noord.example"


@pytest.mark.parametrize(
    ("column", "cell", "known"),
    [
        ("name", "Atelier Zuid", "Atelier Noord"),
        ("purchaser", "other@noord.example", "buyer@noord.example"),
        ("language", "de", "nl"),
        ("currency", "USD", "EUR"),
        ("country", "BE", "NL"),
        ("region", "UK", "EEA"),
        ("timezone", "Europe/Brussels", "Europe/Amsterdam"),
        ("payers", "ap@noord.example", "nothing"),
        ("credit_limit", "5.00", "nothing"),
        ("tax_exempt", "true", "false"),
    ],
)
def test_a_row_that_contradicts_its_customer(lite: Context, tmp_path: Path, column: str, cell: str, known: str) -> None:
    report = bring(lite, tmp_path, sub(), sub(id="S2", **{column: cell}), sub(id="S3"))
    (rejected,) = report.rejected
    assert (rejected.line, rejected.column, report.subscriptions) == (3, column, 2)
    assert rejected.reason == f"contradicts what is known of customer 5100000001: {known}"


def test_a_bad_row_says_who_its_customer_is_all_the_same(lite: Context, tmp_path: Path) -> None:
    second = {name: cell for name, cell in sub(id="S2").items() if name not in OWNER or name == "csn"}
    lite_pages = factories.make_context(lite.engine, NOW, page_size=1)
    report = bring(lite_pages, tmp_path, sub(seats="0"), second)
    assert (report.customers, report.subscriptions) == (1, 1)
    assert [each.line for each in report.rejected] == [2]


def test_a_customer_of_the_book_gets_more_subscriptions(ctx: Context, tmp_path: Path) -> None:
    factories.buy(ctx, "B1")
    rows = [
        {name: cell for name, cell in sub(id="S1").items() if name not in OWNER or name == "csn"},
        sub(id="S2"),
    ]
    report = bring(ctx, tmp_path, *rows)
    assert (report.customers, report.subscriptions) == (0, 1)
    (rejected,) = report.rejected
    assert (rejected.line, rejected.column) == (3, "name")


def test_what_is_kept_of_a_customer(ctx: Context, tmp_path: Path) -> None:
    bring_one(
        ctx,
        tmp_path,
        sub(
            country="BE", region="none", vat_number="BE0123456749", tax_exempt="yes", agreement_manager="m@n.example",
            primary_admin="p@n.example", payment_expires="2027-01-31", payers="ap@n.example", credit_limit="2500.50",
            prepay_required="true", payment="invoice",
        ),
    )  # fmt: skip
    with reading(ctx.engine) as connection:
        found = connection.execute(select(db.customer)).mappings().one()
    expected = {
        "country": "BE", "region": None, "vat_number": "BE0123456749", "tax_exempt": True, "language": "nl",
        "agreement_manager": "m@n.example", "primary_admin": "p@n.example", "method": "invoice",
        "method_expires_on": date(2027, 1, 31), "net_days": 30, "credit_limit_minor": 250050,
        "prepay_required": True,
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected
