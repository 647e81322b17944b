"""`import`: a book in mid-life comes in as it stands, and the jobs go on from there."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from app.domain.deadlines import next_event
from app.domain.values import Method
from app.services import lists, views
from app.services.commands.paying import pay_invoices
from app.services.context import Context
from app.store.engine import open_engine
from jobs import runner
from tests import factories
from tests.services.rows import NOW, TODAY, bring, bring_one, ends, everything, notices, play, record, sub


@pytest.fixture
def ctx(engine: Engine) -> Context:
    return factories.make_context(engine, NOW)


@pytest.fixture
def lite(sqlite_book_url: str) -> Iterator[Context]:
    """On SQLite only: for what no database has a say in."""
    engine = open_engine(sqlite_book_url)
    yield factories.make_context(engine, NOW)
    engine.dispose()


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
