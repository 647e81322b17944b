"""list, show, explain, plan, rules, diagram, outbox: what people and programs read."""

from pathlib import Path
from typing import Any

import pytest

from app.rules import find
from tests.cli.conftest import NOORD, ZUID, Call


def ids(ended: Any) -> list[str]:
    return [row["id"] for row in ended.json["subscriptions"]]


def test_list_shows_until_when_and_what_comes_next(call: Call, book: Path) -> None:
    rows = {row["id"]: row for row in call("list", "--json").json["subscriptions"]}
    assert {ref: row["dates"] for ref, row in rows.items()} == {
        "S4": "term to 2028-05-09",
        "S5": "ended on 2025-06-10",
        "S1": "expires on 2026-06-09",
        "S2": "expires on 2026-06-30",
        "S3": "renews on 2026-06-01",
        "T1": "expires on 2026-06-08",
    }
    assert rows["S1"]["next"] == {"event": "expire", "on": "2026-06-10"}
    assert rows["S2"]["next"] == {"event": "issue_quote", "on": "2026-05-31"}
    assert rows["S4"]["next"] == {"event": "retry_charge", "on": "2026-05-24"}
    assert rows["S5"]["next"] is None
    assert rows["S1"]["customer"] == "Atelier Noord"


@pytest.mark.parametrize(
    "filters, expected",
    [
        ("--state renewable", ["S1", "S2", "S3"]),
        ("--state expired --state canceled", ["S4", "S5"]),
        (f"--customer {ZUID}", ["S4", "S5"]),
        ("--offering ALDERFRAME", []),
        ("--term trial", ["T1"]),
        ("--zone Europe/Brussels --term three_year", ["S4"]),
        ("--zone Asia/Tokyo", []),
        ("--reason non_payment", ["S4"]),
        ("--due-before 2026-06-01", ["S4", "S2"]),
        ("--due-before 2026-06-02", ["S4", "S2", "S3"]),
        ("--state canceled --due-before 2030-01-01", []),
    ],
)
def test_list_filters(call: Call, book: Path, filters: str, expected: list[str]) -> None:
    assert ids(call("list", "--json", *filters.split())) == expected


def test_list_says_when_there_are_more(call: Call, book: Path) -> None:
    assert call("list", "--limit", "5", "--json").json["more"] is True
    assert call("list", "--limit", "6", "--json").json["more"] is False
    assert "… and more; --limit 4 shows" in call("list", "--limit", "2").lines[-1]


def test_list_of_nothing(call: Call, book: Path) -> None:
    assert call("list", "--state", "returned").out == "No subscription fits.\n"
    call("init", "--database", "sqlite:///empty.db")
    assert call("list", "--database", "sqlite:///empty.db").out == "The book has no subscriptions yet.\n"


def test_a_lost_offering_hides_nobody_else(call: Call, book: Path) -> None:
    (book / "config.yaml").write_text(
        "offerings:\n  ALDERFRAME: {name: Alderframe, prices: {EUR: {annual: '1.00'}}}\n", "utf-8"
    )
    ended = call("list")
    assert ended.status == 0
    assert "S1: the catalogue in config.yaml has no offering FERNLINE" in ended.err
    assert call("show", "S1").status == 2


def test_show_a_subscription(call: Call, book: Path) -> None:
    found = call("show", "S1", "--json").json
    assert found["id"] == "S1" and found["csn"] == NOORD and found["state"] == "renewable"
    assert found["assignments"] == ["bo@noord.example"]
    assert [row["total"] for row in found["invoices"]] == ["960.00"]
    assert [row["source"] for row in found["quotes"]] == ["system"]
    assert [row["to"] for row in found["transitions"]] == ["active", "renewable"]
    assert "Invoices" in call("show", "S1").lines


def test_show_a_customer_and_a_quote(call: Call, book: Path) -> None:
    assert call("show", ZUID, "--json").json["open_invoices"] == 1
    number = call("show", "S1", "--json").json["quotes"][0]["number"]
    assert call("show", number, "--json").json["subscriptions"] == ["S1"]
    assert "total" in call("show", number).out


def test_explain_tells_past_present_and_future(call: Call, book: Path) -> None:
    told = call("explain", "S4", "--json").json
    past = [(each["on"], each["event"], each["from"], each["to"], each["rule"]) for each in told["past"]]
    assert past[0] == ("2025-05-10", "purchase", None, "active", "S1")
    assert ("2026-05-11", "expire", "active", "expired", "L3") in past
    expired = next(each for each in told["past"] if each["to"] == "expired")
    assert expired["says"] == "not renewed or not paid: first stage"
    assert expired["rule_says"].startswith("Expired lasts 15 days")
    assert expired["cause"].startswith("job expire Europe/Brussels 2026-05-11")
    assert told["view"]["reason"] == "non_payment"
    assert told["lapse_on"] == "2026-05-10"
    assert told["stages"] == {"expired": "2026-05-11", "suspended": "2026-05-26", "canceled": "2026-06-25"}
    ahead = [(each["on"], each["event"], each["is_next"]) for each in told["ahead"]]
    assert ahead[:2] == [("2026-05-24", "retry_charge", True), ("2026-05-26", "suspend", False)]


def test_explain_names_decisions_that_will_be_skipped_and_mails(call: Call, book: Path) -> None:
    ahead = {each["event"]: each for each in call("explain", "S1", "--json").json["ahead"]}
    assert ahead["remind"]["is_mail"] and not ahead["remind"]["is_next"]
    assert "issue_quote" not in ahead  # decided on 2026-05-10
    told = call("explain", "S2").out
    assert "> " in told and "issue quote" in told and "mail only" in told
    assert "Asked for the next term: term monthly, seats 2, offering ALDERFRAME (T1)." in told


def test_explain_says_what_is_due_already(call: Call, book: Path) -> None:
    import time_machine

    with time_machine.travel("2026-06-12T10:00:00Z", tick=False):
        told = call("explain", "S1")
    assert "due already" in told.out and "perennial catch-up" in told.out


def test_explain_something_that_has_ended(call: Call, book: Path) -> None:
    told = call("explain", "S5")
    assert "  Nothing: it has ended." in told.lines
    assert "Reason: non_renewal, counted from 2025-06-10 (S2, L2)." in told.out


def test_every_rule_that_explain_names_can_be_looked_up(call: Call, book: Path) -> None:
    for ref in ("S1", "S2", "S3", "S4", "S5", "T1"):
        told = call("explain", ref, "--json").json
        for rule in {each["rule"] for each in (*told["past"], *told["ahead"]) if each["rule"]}:
            assert find(rule).id == rule


def test_plan_is_what_happens_and_writes_nothing(call: Call, book: Path) -> None:
    before = (book / "var" / "perennial.db").read_bytes()
    planned = call("plan", "--until", "2026-06-30", "S1", "--json").json["planned"]
    moves = [(each["on"], each["from"], each["to"], each["rule"]) for each in planned if each["to"]]
    assert moves == [("2026-06-10", "renewable", "expired", "L3"), ("2026-06-25", "expired", "suspended", "L3")]
    assert {each["subject"] for each in planned} == {"S1"}
    assert call("explain", "S1", "--json").json["view"]["state"] == "renewable"
    assert (book / "var" / "perennial.db").read_bytes() == before


def test_plan_as_csv(call: Call, book: Path) -> None:
    lines = call("plan", "--until", "2026-06-10", "S1", "--csv").lines
    assert lines[0] == "on,at,subject,event,from,to,rule,detail,amount,currency"
    assert "2026-06-10,2026-06-10T00:00:00+02:00,S1,expire,renewable,expired,L3,,," in lines


def test_plan_of_nothing(call: Call, book: Path) -> None:
    assert call("plan", "--until", "2026-05-20", "S5").out == "Nothing will happen until 2026-05-20.\n"


def test_rules(call: Call, folder: Path) -> None:
    found = call("rules", "--json").json
    assert {"id": "L6", "group": 'Shutoff ("lapse")'}.items() <= next(r for r in found if r["id"] == "L6").items()
    assert "Suspended lasts" in call("rules", "l3").out
    assert "product access" in call("rules", "S4").out


def test_outbox(call: Call, book: Path) -> None:
    found = call("outbox", "--json", "--limit", "2").json
    assert found["counts"]["pending"] == 0 and found["counts"]["sent"] > 0
    assert len(found["latest"]) == 2
    (line,) = call("outbox", "--state", "pending").lines
    assert line.startswith("0 pending, ")
    assert {row["state"] for row in call("outbox", "--state", "sent", "--json").json["latest"]} == {"sent"}
