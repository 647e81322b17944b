"""`import`: a book in mid-life comes in as it stands, bad rows stay out, and the same file again changes nothing."""

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError

from app import config
from app.domain.deadlines import next_event
from app.domain.errors import InvalidArgument
from app.domain.values import Method
from app.services import import_writing, lists, views
from app.services.commands.managing import assign_user
from app.services.commands.paying import pay_invoices
from app.services.context import Context
from app.services.import_cells import COLUMNS, Rejected
from app.services.importing import ImportReport, import_csv
from app.store import db
from app.store.engine import open_engine, reading
from examples import book
from jobs import runner
from jobs.registry import JOBS
from jobs.simulation import Simulation
from tests import factories

NOW = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
"""Noon in Amsterdam."""
TODAY = date(2026, 11, 22)
READY = Path(__file__).parents[2] / "examples" / "book.csv"

ROW = {
    "csn": "5100000001",
    "name": "Atelier Noord",
    "purchaser": "buyer@noord.example",
    "language": "nl",
    "currency": "EUR",
    "country": "NL",
    "timezone": "Europe/Amsterdam",
    "id": "S1",
    "offering": "REED",
    "term": "annual",
    "seats": "3",
    "starts_on": "2026-03-01",
    "state": "active",
    "auto_renew": "false",
    "payment": "card",
}
"""Bought on 2026-03-01, until 2027-02-28; the window opens on 2026-11-30."""
OWNER = {name: ROW[name] for name in ("csn", "name", "purchaser", "language", "currency", "country", "timezone")}


def sub(**cells: Any) -> dict[str, str]:
    """A good row, with other cells; None empties one."""
    return {name: str(cell) for name, cell in (ROW | cells).items() if cell is not None}


def ends(days: int, **cells: Any) -> dict[str, str]:
    """A good row whose term ends in so many days."""
    return sub(**{"starts_on": None, "ends_on": f"today{days:+d}"} | cells)


def table(*rows: dict[str, str], separator: str = ",") -> bytes:
    """A file of these rows, with the columns that they use."""
    names = [name for name in COLUMNS if any(name in row for row in (ROW, *rows))]
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", delimiter=separator, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


Importer = Callable[..., ImportReport]


@pytest.fixture
def ctx(engine: Engine) -> Context:
    return factories.make_context(engine, NOW)


@pytest.fixture
def lite(sqlite_book_url: str) -> Iterator[Context]:
    """On SQLite only: for what no database has a say in."""
    engine = open_engine(sqlite_book_url)
    yield factories.make_context(engine, NOW)
    engine.dispose()


def bring(ctx: Context, folder: Path, *rows: dict[str, str]) -> ImportReport:
    """Import a file of these rows."""
    return bring_bytes(ctx, folder, table(*rows))


def bring_bytes(ctx: Context, folder: Path, content: bytes) -> ImportReport:
    file = folder / "book.csv"
    file.write_bytes(content)
    return import_csv(ctx, file)


def bring_one(ctx: Context, folder: Path, row: dict[str, str]) -> None:
    """Import a row that must be good."""
    assert bring(ctx, folder, row) == ImportReport(customers=1, subscriptions=1)


def why(ctx: Context, folder: Path, row: dict[str, str]) -> tuple[str | None, str]:
    """Column and reason of the only row, which must be bad."""
    report = bring(ctx, folder, row)
    (rejected,) = report.rejected
    assert rejected.line == 2
    assert (report.customers, report.subscriptions, report.unchanged) == (0, 0, 0)
    assert everything(ctx, "zone", "customer", "subscription", "term", "event") == []
    return rejected.column, rejected.reason


def everything(ctx: Context, *tables: str) -> list[Any]:
    """All rows of some tables, or of all."""
    names = tables or tuple(name for name in vars(db) if hasattr(getattr(db, name), "c"))
    with reading(ctx.engine) as connection:
        return [(name, *row) for name in names for row in connection.execute(select(getattr(db, name)))]


def record(ctx: Context) -> list[tuple[Any, ...]]:
    """The record without what two databases or two days write differently."""
    e = db.event.c
    query = select(e.kind, e.name, e.from_state, e.to_state, e.effective_on, e.cause, e.rule, e.detail).order_by(e.id)
    with reading(ctx.engine) as connection:
        return [tuple(row) for row in connection.execute(query)]


def play(ctx: Context, until: str) -> Simulation:
    """Let the daemon run to noon of a day."""
    simulation = Simulation(ctx, ctx.clock)
    simulation.work()
    simulation.advance(datetime.fromisoformat(f"{until}T11:00:00+00:00"))
    return simulation


def notices(ctx: Context, kind: str, ref: str = "S1") -> list[date]:
    return [row["on"] for row in lists.of(ctx, "notices_of", ref) if row["kind"] == kind]


# ---------------------------------------------------------------- what comes in


def test_a_subscription_in_mid_life(ctx: Context, tmp_path: Path) -> None:
    row = sub(partner="P-7", users="ada@noord.example bo@noord.example", payers="ap@noord.example", net_days="14")
    bring_one(ctx, tmp_path, row)

    view = views.subscription(ctx, "S1")
    assert view | {"capabilities": None} == view | {
        "state": "active", "reason": None, "term": "annual", "seats": 3, "offering": "REED", "currency": "EUR",
        "starts_on": date(2026, 3, 1), "ends_on": date(2027, 2, 28), "window_opens_on": date(2026, 11, 30),
        "auto_renew": False, "renews_on": None, "scheduled": None, "pending": None, "payment": "card",
        "assignments": ["ada@noord.example", "bo@noord.example"], "access": "full", "capabilities": None,
        "next": {"event": "open_window", "on": date(2026, 11, 30)},
    }  # fmt: skip
    assert everything(ctx, "payer", "zone")[0][2] == "ap@noord.example"
    for name in ("invoices_of", "charges_of", "notices_of", "quotes_of", "installments_of"):
        assert lists.of(ctx, name, "S1") == []


def test_the_record_of_an_import(ctx: Context, tmp_path: Path) -> None:
    bring_one(ctx, tmp_path, sub())
    command, transition = record(ctx)
    assert command[:7] == ("command", "import", None, None, TODAY, "command import by operator", "S1")
    assert command[7].startswith("book.csv:2 ")
    assert transition == (
        "transition", "import", None, "active", date(2026, 3, 1), "command import by operator", "S1", None
    )  # fmt: skip
    assert lists.of(ctx, "transitions_of", "S1") == [
        {"on": date(2026, 3, 1), "from": None, "to": "active", "rule": "S1"}
    ]


def test_the_jobs_go_on_from_there(ctx: Context, tmp_path: Path) -> None:
    bring_one(ctx, tmp_path, sub())
    play(ctx, "2027-06-01")
    assert [(row["on"].isoformat(), row["to"]) for row in lists.of(ctx, "transitions_of", "S1")] == [
        ("2026-03-01", "active"),
        ("2026-11-30", "renewable"),
        ("2027-03-01", "expired"),
        ("2027-03-16", "suspended"),
        ("2027-04-15", "canceled"),
    ]
    assert [(row["on"].isoformat(), row["kind"]) for row in lists.of(ctx, "notices_of", "S1")] == [
        ("2026-11-30", "window_opened"),
        ("2027-01-29", "quote"),
        ("2027-02-24", "renewal_reminder"),
        ("2027-03-01", "expired"),
        ("2027-03-16", "suspended"),
        ("2027-04-15", "canceled"),
    ]
    assert runner.next_wake(ctx) is None


@pytest.mark.parametrize(
    ("cells", "state", "following"),
    [
        (ends(100), "active", ("open_window", 10)),
        (ends(50), "active", ("open_window", -40)),  # its window should be open: the next run opens it
        (ends(50, state="renewable"), "renewable", ("issue_quote", 20)),
        (ends(50, state="renewable", auto_renew="true"), "renewable", ("renew", 51)),
        (ends(-1, state="renewable", auto_renew="true"), "renewable", ("renew", 0)),
        (ends(-1, state="renewable"), "renewable", ("expire", 0)),
        (ends(20, term="monthly", state="renewable"), "renewable", ("expire", 21)),
        (ends(-1, state="expired"), "expired", ("suspend", 15)),
        (ends(-16, state="expired"), "expired", ("suspend", 0)),
        (ends(-16, state="suspended"), "suspended", ("cancel", 30)),
        (ends(-46, state="suspended"), "suspended", ("cancel", 0)),
        (ends(-31, term="monthly", state="suspended"), "suspended", ("cancel", 0)),
        (ends(-46, state="canceled"), "canceled", None),
        (ends(-700, state="canceled", reason="payment_failed", lapse_on="today-700"), "canceled", None),
        (ends(99, state="canceled", reason="non_payment", lapse_on="today-60"), "canceled", None),
        (ends(-1, state="canceled", offering="DRIFT"), "canceled", None),
        (ends(-1, state="renewable", offering="DRIFT"), "renewable", ("cancel", 0)),
        (ends(300, state="returned"), "returned", None),
        (ends(12, term="trial", state="trial", payment=None, seats=None), "trial", ("end_trial", 13)),
        (ends(-1, term="trial", state="trial", payment=None), "trial", ("end_trial", 0)),
        (ends(-9, term="trial", state="trial_ended", payment=None), "trial_ended", None),
        (ends(9, term="trial", state="trial_ended", payment=None), "trial_ended", None),  # converted
        (ends(40, scheduled_term="annual"), "active", ("start_term", 41)),
        (ends(-1, scheduled_term="monthly", scheduled_seats=1), "active", ("start_term", 0)),
        (ends(200, state="expired", reason="non_payment", lapse_on="today-5"), "expired", ("suspend", 11)),
        (ends(-5, state="expired", reason="payment_failed", auto_renew="true"), "expired", ("retry_charge", 3)),
        (ends(-3, state="expired", reason="payment_failed", auto_renew="true"), "expired", ("retry_charge", 1)),
        (ends(-8, state="expired", auto_renew="true"), "expired", ("suspend", 8)),  # the charge was skipped on R
        (ends(-20, state="expired", grace_days=7), "expired", ("suspend", 3)),
        (ends(300, owed="100.00", owed_due_on="today+9"), "active", ("expire", 10)),
    ],
)  # fmt: skip
def test_every_standing(
    lite: Context, tmp_path: Path, cells: dict[str, str], state: str, following: tuple[str, int] | None
) -> None:
    bring_one(lite, tmp_path, cells)
    found = factories.load(lite)
    ahead = next_event(found, lite.policy)
    assert found.state == state
    assert (ahead and (ahead.due, (ahead.on - TODAY).days)) == following
    assert (found.next_on is None) is (following is None)


def test_a_state_that_is_imported_as_renewable_gets_no_late_mail(ctx: Context, tmp_path: Path) -> None:
    bring(ctx, tmp_path, ends(60, state="renewable"), ends(60, id="S2"))
    play(ctx, "2026-11-23")
    assert notices(ctx, "window_opened", "S1") == []
    assert notices(ctx, "window_opened", "S2") == [TODAY - timedelta(days=30)]


def test_a_suspended_one_lives_out_its_shutoff(ctx: Context, tmp_path: Path) -> None:
    bring_one(ctx, tmp_path, ends(-20, state="suspended"))
    play(ctx, "2027-03-01")
    assert [(row["on"], row["kind"]) for row in lists.of(ctx, "notices_of", "S1")] == [
        (TODAY + timedelta(days=26), "canceled")
    ]


def test_a_declined_charge_is_tried_again_as_planned(ctx: Context, tmp_path: Path) -> None:
    bring_one(ctx, tmp_path, ends(-5, state="expired", reason="payment_failed", auto_renew="true"))
    play(ctx, "2026-11-26")
    view = views.subscription(ctx, "S1")
    assert (view["state"], view["starts_on"]) == ("active", TODAY - timedelta(days=4))
    assert [row["on"] for row in lists.of(ctx, "charges_of", "S1")] == [TODAY + timedelta(days=3)]


def test_what_is_owed_can_be_paid(ctx: Context, tmp_path: Path) -> None:
    row = ends(200, state="suspended", reason="non_payment", lapse_on="today-20", owed="500.00", payers="ap@n.example")
    bring_one(ctx, tmp_path, row)
    (invoice,) = lists.of(ctx, "invoices_of", "S1")
    assert (invoice["number"], invoice["due_on"], invoice["total"]) == ("import-S1", date(2026, 11, 2), "500.00")
    pay_invoices(ctx, "5100000001", ["S1"], Method.CARD)
    assert views.subscription(ctx, "S1")["state"] == "active"
    play(ctx, "2026-12-20")
    assert notices(ctx, "invoice_overdue") == []  # the old system told them


def test_the_shutoff_began_with_the_earlier_of_two_causes(ctx: Context, tmp_path: Path) -> None:
    row = ends(-10, state="expired", reason="non_renewal", owed="99.00", owed_due_on="today-4")
    bring_one(ctx, tmp_path, row)
    found = factories.load(ctx)
    assert (found.reason, found.lapse_on) == ("non_renewal", TODAY - timedelta(days=10))


# ---------------------------------------------------------------- dates


@pytest.mark.parametrize(
    ("cells", "starts_on", "ends_on", "anchor"),
    [
        (sub(starts_on="2024-02-29", state="canceled"), "2024-02-29", "2025-02-27", 29),
        (sub(starts_on=None, ends_on="2027-02-27"), "2026-02-28", "2027-02-27", 28),
        (sub(starts_on="2026-10-31", term="monthly"), "2026-10-31", "2026-11-29", 31),
        (sub(starts_on="2026-10-31", ends_on="2026-11-29", term="monthly"), "2026-10-31", "2026-11-29", 31),
        (sub(starts_on="2026-10-30", term="monthly", anchor_day=31), "2026-10-30", "2026-11-29", 31),
        (sub(starts_on="2026-03-01", ends_on="2027-04-30"), "2026-03-01", "2027-04-30", 1),  # extended (C4)
        (sub(starts_on="2026-11-01", ends_on="2027-04-09"), "2026-11-01", "2027-04-09", 10),  # aligned (C5)
        (sub(starts_on="today"), "2026-11-22", "2027-11-21", 22),
        (sub(starts_on="today-0", ends_on="today+364"), "2026-11-22", "2027-11-21", 22),
        (sub(term="trial", state="trial", payment=None, starts_on="today-3"), "2026-11-19", "2026-12-18", 19),
    ],
)  # fmt: skip
def test_either_end_of_a_term_follows_from_the_other(
    lite: Context, tmp_path: Path, cells: dict[str, str], starts_on: str, ends_on: str, anchor: int
) -> None:
    bring_one(lite, tmp_path, cells)
    found = factories.load(lite)
    assert (found.starts_on.isoformat(), found.ends_on.isoformat(), found.anchor_day) == (starts_on, ends_on, anchor)


def test_today_is_that_of_the_subscriptions_zone(ctx: Context, tmp_path: Path) -> None:
    """At 11:00 UTC it is 2026-11-23 on Kiritimati already, and in Pago Pago 2026-11-22 begins."""
    rows = [
        sub(id="S1", starts_on="today", subscription_timezone="Pacific/Kiritimati"),
        sub(id="S2", starts_on="today", subscription_timezone="Pacific/Pago_Pago"),
    ]
    assert bring(ctx, tmp_path, *rows).subscriptions == 2
    assert factories.load(ctx, "S1").starts_on == date(2026, 11, 23)
    assert factories.load(ctx, "S2").starts_on == date(2026, 11, 22)
    assert {row[2] for row in everything(ctx, "zone")} == {
        "Europe/Amsterdam", "Pacific/Kiritimati", "Pacific/Pago_Pago"
    }  # fmt: skip


# ---------------------------------------------------------------- regimes and yearly parts


def test_the_latest_purchase_decides_the_regime(ctx: Context, tmp_path: Path) -> None:
    rows = [
        sub(id="S1", term="three_year", starts_on="2024-09-15", auto_renew=None),
        sub(id="S2", term="three_year", starts_on="2024-09-16", auto_renew=None),
        sub(id="S3", term="three_year", starts_on="2024-10-01", regime_on="2024-09-01", auto_renew=None),
    ]
    assert bring(ctx, tmp_path, *rows).subscriptions == 3
    assert [factories.load(ctx, f"S{n}").new_regime for n in (1, 2, 3)] == [False, True, False]
    assert [factories.load(ctx, f"S{n}").auto_renew for n in (1, 2, 3)] == [False, True, False]
    assert [len(lists.of(ctx, "installments_of", f"S{n}")) for n in (1, 2, 3)] == [0, 3, 0]


def test_yearly_parts_that_have_passed_are_paid(ctx: Context, tmp_path: Path) -> None:
    bring_one(ctx, tmp_path, sub(term="three_year", starts_on="2025-11-30", seats=1))
    assert lists.of(ctx, "installments_of", "S1") == [
        {"due_on": date(2025, 11, 30), "amount": "730.00", "state": "paid"},
        {"due_on": date(2026, 11, 30), "amount": "730.00", "state": "scheduled"},
        {"due_on": date(2027, 11, 30), "amount": "730.00", "state": "scheduled"},
    ]
    play(ctx, "2026-12-01")
    assert [row["on"] for row in lists.of(ctx, "charges_of", "S1")] == [date(2026, 11, 30)]


def test_parts_paid_ahead_and_a_price_that_was_agreed(ctx: Context, tmp_path: Path) -> None:
    row = sub(term="three_year", starts_on="2025-11-30", seats=1, installments_paid=2, term_price="1000.00")
    bring_one(ctx, tmp_path, row)
    found = [(each["amount"], each["state"]) for each in lists.of(ctx, "installments_of", "S1")]
    assert found == [("333.33", "paid"), ("333.33", "paid"), ("333.34", "scheduled")]


def test_a_part_that_is_owed_is_charged_again(ctx: Context, tmp_path: Path) -> None:
    row = sub(term="three_year", starts_on="2025-11-18", state="expired", reason="non_payment", lapse_on="2026-11-18")
    bring_one(ctx, tmp_path, row)
    assert [each["state"] for each in lists.of(ctx, "installments_of", "S1")] == ["paid", "open", "scheduled"]
    play(ctx, "2026-11-26")
    assert [each["state"] for each in lists.of(ctx, "installments_of", "S1")] == ["paid", "paid", "scheduled"]
    assert [(each["on"], each["result"]) for each in lists.of(ctx, "charges_of", "S1")] == [
        (date(2026, 11, 25), "succeeded")
    ]
    assert views.subscription(ctx, "S1")["state"] == "active"


def test_a_next_term_of_three_years_has_its_first_part_paid(ctx: Context, tmp_path: Path) -> None:
    bring_one(ctx, tmp_path, ends(9, scheduled_term="three_year", scheduled_seats=1, regime_on="today-2"))
    assert [(each["due_on"], each["state"]) for each in lists.of(ctx, "installments_of", "S1")] == [
        (date(2026, 11, 20), "paid"),
        (date(2027, 12, 2), "scheduled"),
        (date(2028, 12, 2), "scheduled"),
    ]
    play(ctx, "2026-12-03")
    view = views.subscription(ctx, "S1")
    assert (view["term"], view["seats"], view["starts_on"]) == ("three_year", 1, date(2026, 12, 2))


# ---------------------------------------------------------------- reminders and quotes


@pytest.mark.parametrize("auto_renew", ["true", "false"])
def test_a_term_imported_five_days_before_its_end_gets_one_reminder(
    ctx: Context, tmp_path: Path, auto_renew: str
) -> None:
    bring_one(ctx, tmp_path, ends(5, state="renewable", auto_renew=auto_renew))
    play(ctx, "2027-01-20")
    assert notices(ctx, "renewal_reminder") == [TODAY - timedelta(days=25)]
    drops = [(row[4], row[7]) for row in record(ctx) if row[1] == "drop_reminder"]
    assert drops == [(TODAY + timedelta(days=1), "a late reminder is sent with the import")]
    assert notices(ctx, "quote") == []


@pytest.mark.parametrize(
    ("days", "sent", "dropped"),
    [
        (60, [30, 56], []),
        (30, [26], []),  # on its day the automatic quote takes the reminder's place (Q10)
        (20, [-10, 16], []),
        (8, [-22, 4], []),
        (7, [-23], [3]),
        (5, [-25], [1]),
        (4, [0], [-26]),
        (3, [-1], [-27]),
        (1, [-3], [-29]),
        (0, [], []),
    ],
)
def test_reminders_that_were_missed(
    lite: Context, tmp_path: Path, days: int, sent: list[int], dropped: list[int]
) -> None:
    bring_one(lite, tmp_path, ends(days, state="renewable"))
    play(lite, "2027-02-20")
    expected = sent if days != 60 else sent[1:]  # the quote again
    assert [(on - TODAY).days for on in notices(lite, "renewal_reminder")] == expected
    assert [(row[4] - TODAY).days for row in record(lite) if row[1] == "drop_reminder"] == dropped


def test_a_monthly_term_has_one_reminder_in_all(lite: Context, tmp_path: Path) -> None:
    bring_one(lite, tmp_path, ends(10, term="monthly", state="renewable"))
    play(lite, "2026-12-02")
    assert notices(lite, "renewal_reminder") == [TODAY + timedelta(days=6)]


def test_the_next_term_is_recalled_as_usual(ctx: Context, tmp_path: Path) -> None:
    bring_one(ctx, tmp_path, ends(5, term="monthly", state="renewable", auto_renew="true"))
    play(ctx, "2026-12-27")
    assert [on.isoformat() for on in notices(ctx, "renewal_reminder")] == ["2026-11-23", "2026-12-23"]


@pytest.mark.parametrize(
    ("days", "decisions", "quotes"),
    [
        (29, [("skip_quote", -1, "imported after its day")], 0),
        (30, [("issue_quote", 0, "Q00000001")], 1),
        (31, [("issue_quote", 1, "Q00000001")], 1),
    ],
)
def test_an_automatic_quote_whose_day_has_passed_is_skipped(
    lite: Context, tmp_path: Path, days: int, decisions: list[Any], quotes: int
) -> None:
    bring_one(lite, tmp_path, ends(days, state="renewable"))
    play(lite, "2026-11-24")
    found = [(row[1], (row[4] - TODAY).days, row[7]) for row in record(lite) if row[1].endswith("_quote")]
    assert found == decisions
    assert len(lists.of(lite, "quotes_of", "S1")) == quotes


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


# ---------------------------------------------------------------- twice, pages, failures


BOOK = [
    sub(id="S1", users="ada@noord.example"),
    ends(12, id="S2", state="renewable"),
    ends(-5, id="S3", state="expired", reason="payment_failed", auto_renew="true"),
    ends(70, id="S4", scheduled_term="annual"),
    sub(id="S5", term="three_year", starts_on="2025-11-18", state="expired", reason="non_payment", lapse_on="today-4"),
    ends(5, id="S6", term="trial", state="trial", payment=None),
    ends(200, id="S7", state="expired", reason="non_payment", lapse_on="today-9", payers=None),
]  # fmt: skip


def test_importing_twice_changes_nothing(ctx: Context, tmp_path: Path) -> None:
    assert bring(ctx, tmp_path, *BOOK) == ImportReport(customers=1, subscriptions=7)
    before = everything(ctx)
    assert bring(ctx, tmp_path, *BOOK) == ImportReport(unchanged=7)
    assert everything(ctx) == before


def test_a_row_is_known_again_after_its_subscription_has_moved_on(ctx: Context, tmp_path: Path) -> None:
    """Relative dates count from the day of the first import, whatever the day of the second."""
    bring(ctx, tmp_path, *BOOK)
    play(ctx, "2027-03-15")
    before = everything(ctx)
    assert bring(ctx, tmp_path, *BOOK) == ImportReport(unchanged=7)
    assert everything(ctx) == before


def test_a_row_that_differs_is_left_to_commands(ctx: Context, tmp_path: Path) -> None:
    bring(ctx, tmp_path, *BOOK)
    factories.buy(ctx, "B1", csn="5100000009")
    changed = [{**BOOK[0], "seats": "4"}, {**BOOK[1], "ends_on": "today+13"}, sub(id="B1")]
    before = everything(ctx)
    report = bring(ctx, tmp_path, *changed, BOOK[2], sub(id="S8"))
    assert [(each.line, each.column, each.reason) for each in report.rejected] == [
        (line, None, "exists and differs: use commands") for line in (2, 3, 4)
    ]
    assert (report.unchanged, report.subscriptions) == (1, 1)
    assert [row for row in everything(ctx, "subscription") if row not in before] == everything(ctx, "subscription")[-1:]


def test_a_row_spelled_otherwise_is_still_the_same(ctx: Context, tmp_path: Path) -> None:
    bring(ctx, tmp_path, ends(98, id="S1"))
    assert bring(ctx, tmp_path, sub(id="S1", auto_renew="No")) == ImportReport(unchanged=1)


def test_pages_and_progress(ctx: Context, tmp_path: Path) -> None:
    file = tmp_path / "book.csv"
    file.write_bytes(table(*[sub(id=f"S{n}", csn=f"51{n % 2}") for n in range(7)]))
    told: list[tuple[int, int]] = []
    pages = factories.make_context(ctx.engine, NOW, page_size=3)
    report = import_csv(pages, file, lambda done, total: told.append((done, total)), actor="ada")
    assert (report.customers, report.subscriptions) == (2, 7)
    assert told == [(4, 8), (7, 8), (8, 8), (8, 8)]
    assert {row[5] for row in record(ctx)} == {"command import by ada"}


def test_a_row_that_the_database_refuses_costs_nobody_else_anything(
    ctx: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = import_writing.write

    def failing(batch: Any, drafts: Any, source: str) -> None:
        writes(batch, drafts, source)
        if any(draft.sub.ref == "S2" for draft in drafts):
            raise OverflowError("too large to be stored\nand more")

    monkeypatch.setattr(import_writing, "write", failing)
    rows = [sub(id="S1"), sub(id="S2", csn="519"), {**ends(40, id="S3")}]
    for name in OWNER:
        if name != "csn":
            del rows[2][name]
    report = bring(ctx, tmp_path, *rows)
    assert (report.customers, report.subscriptions) == (1, 2)
    assert report.rejected == [Rejected(3, None, "cannot be stored: OverflowError: too large to be stored")]
    assert [row[2] for row in everything(ctx, "subscription")] == ["S1", "S3"]
    assert [row[2] for row in everything(ctx, "customer")] == ["5100000001"]


def test_a_database_that_is_gone_is_no_fault_of_a_row(
    lite: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any) -> None:
        raise OperationalError("SELECT 1", {}, OSError("no route"))

    monkeypatch.setattr(import_writing, "write", gone)
    with pytest.raises(OperationalError):
        bring(lite, tmp_path, sub())


def test_commands_work_on_what_was_imported(ctx: Context, tmp_path: Path) -> None:
    bring_one(ctx, tmp_path, ends(-5, state="expired"))
    assign_user(ctx, "S1", "new@noord.example")
    assert views.subscription(ctx, "S1")["assignments"] == ["new@noord.example"]


# ---------------------------------------------------------------- the example


def shipped(engine: Engine, now: datetime = NOW) -> Context:
    """A book on the shipped settings."""
    settings = config.shipped()
    ctx = factories.make_context(engine, now, catalogue=settings.catalogue)
    assert ctx.policy == settings.policy
    return ctx


def test_the_ready_book_is_what_its_generator_writes() -> None:
    text = io.StringIO()
    with redirect_stdout(text):
        book.write(2000, 7, book.READY)
    assert text.getvalue() == READY.read_text("utf-8")


def test_a_day_of_the_ready_book(engine: Engine) -> None:
    ctx = shipped(engine)
    report = import_csv(ctx, READY)
    assert (report.rejected, report.subscriptions, report.customers > 550) == ([], 2000, True)

    ran = runner.run_due(ctx)
    assert [run for run in ran if run.set_aside] == []
    assert {run.job for run in ran} == {job.name for job in JOBS} - {"expire_quotes", "deliver"}
    assert import_csv(ctx, READY) == ImportReport(unchanged=2000)


@pytest.mark.parametrize("day", ["2027-03-01", "2028-02-29", "2031-01-31"])
def test_the_ready_book_is_fresh_on_any_day(lite: Context, day: str) -> None:
    report = import_csv(shipped(lite.engine, datetime.fromisoformat(f"{day}T23:30:00+00:00")), READY)
    assert (report.rejected, report.subscriptions) == ([], 2000)


def test_the_ready_book_has_everything() -> None:
    with READY.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    def said(column: str) -> set[str]:
        return {row[column] for row in rows if row[column]}

    assert said("term") == {"monthly", "annual", "three_year", "trial"}
    assert said("state") == {
        "trial", "active", "renewable", "expired", "suspended", "canceled", "returned", "trial_ended"
    }  # fmt: skip
    assert said("reason") == {"non_renewal", "non_payment", "payment_failed"}
    assert len(said("currency")) >= 7
    assert len(said("timezone")) >= 12
    assert said("timezone") > {"Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Havana", "Asia/Kathmandu"}
    assert said("offering") == set(config.shipped().catalogue.offerings)
    assert all(said(column) for column in ("payers", "partner", "users", "scheduled_term"))


def test_the_generator_streams_and_repeats_itself() -> None:
    rows = book.rows(10**12, 3, book.READY)
    first = [next(rows) for _ in range(50)]
    again = book.rows(10**6, 3, book.READY)
    assert first == [next(again) for _ in range(50)]
    assert first != [row for row, _ in zip(book.rows(100, 4, book.READY), range(50), strict=False)]


def test_the_generator_knows_when_the_older_regime_is_history() -> None:
    rows = list(book.rows(3000, 7, date(2030, 1, 1)))
    assert not [row for row in rows if row["term"] == "three_year" and "starts_on" in row]
    assert [row for row in rows if str(row.get("starts_on")).startswith("2023")]
