"""Commands by people: carried out, rehearsed without a trace, and bulk outcomes."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import NOORD, ZUID, Call


def state(call: Call, ref: str) -> dict[str, Any]:
    found: dict[str, Any] = call("show", ref, "--json").json
    return found


def events(done: Any) -> list[tuple[str, str]]:
    return [(each["subject"], each["event"]) for each in done["happened"]]


RENEWAL = [
    ("S1", "renew"),
    ("S1", "renew"),
    ("S1", "charge_succeeded"),
    ("S1", "invoice"),
    ("S1", "notice_renewed"),
]


def test_renew_says_what_happened(call: Call, book: Path) -> None:
    done = call("renew", "S1", "--json").json
    assert done["outcomes"] == {"S1": "ok"} and done["dry_run"] is False
    assert sorted(events(done)) == sorted(RENEWAL)
    charge = next(each for each in done["happened"] if each["event"] == "charge_succeeded")
    assert (charge["amount"], charge["currency"]) == ("960.00", "EUR")
    assert state(call, "S1")["scheduled"]["starts_on"] == "2026-06-10"


def test_a_rehearsal_says_the_same_and_writes_nothing(call: Call, book: Path) -> None:
    file = book / "var" / "perennial.db"
    before = file.read_bytes()
    done = call("renew", "S1", "--dry-run", "--json").json
    assert done["dry_run"] is True
    assert sorted(events(done)) == sorted(RENEWAL)
    assert state(call, "S1")["scheduled"] is None
    assert file.read_bytes() == before
    assert "This would happen; nothing was written:" in call("renew", "S1", "--dry-run").lines


@pytest.mark.parametrize(
    "line",
    [
        "set-auto-renew on S1 S2",
        "change-payment-method S1 --payment paypal",
        f"change-payment-method --csn {NOORD} --payment paypal",
        "change-term S1 --term monthly",
        "switch-offering S1 --offering ALDERFRAME",
        "reduce-seats S1 --seats 1",
        f"buy {NOORD} --item N1:FERNLINE:annual:1",
        "convert-trial T1 --as N1 --term annual --seats 1 --payment card",
        "accept-quote S1 --payment card",
        f"pay-invoices {ZUID} S4 --payment card",
        "assign-user S1 ada@noord.example",
        "unassign-user S1 bo@noord.example",
        f"decline-payments {NOORD}",
        "import examples/book.csv",
        "catch-up",
        "job run deliver",
    ],
)
def test_no_rehearsal_leaves_a_trace(call: Call, book: Path, line: str) -> None:
    file = book / "var" / "perennial.db"
    before = file.read_bytes()
    ended = call(*line.split(), "--dry-run")
    assert (ended.status, ended.err) == (0, "")
    assert file.read_bytes() == before
    assert call(*line.split()).status == 0


def test_of_several_those_that_can_be_done_are(call: Call, book: Path) -> None:
    ended = call("set-auto-renew", "on", "S1", "S5", "--json")
    assert ended.status == 1
    assert ended.json["outcomes"] == {"S1": "ok", "S5": "final_state"}
    assert state(call, "S1")["auto_renew"] is True
    told = call("set-auto-renew", "off", "S1", "S5")
    assert "S1: ok" in told.lines
    assert "S5: final_state: The subscription has ended for good (L8). Make a new purchase." in told.lines


def test_who_asks_is_on_record(call: Call, book: Path) -> None:
    call("set-auto-renew", "on", "S1", "--by", "mo at the desk")
    call("assign-user", "S1", "ada@noord.example")
    causes = [each["cause"] for each in call("explain", "S1", "--json").json["past"]]
    assert "command set_auto_renew by mo at the desk" in causes
    assert "command assign_user by operator" in causes


def test_the_purchaser_may_renew(call: Call, book: Path) -> None:
    assert call("renew", "S1", "--by", "buyer@noord.example", "--as", "ORDER1").status == 0


def test_buy_several_in_one_order(call: Call, book: Path) -> None:
    done = call("buy", NOORD, "--item", "N1:FERNLINE:annual:1", "--item", "N2:ALDERFRAME:annual:2", "--json").json
    assert done["created"] == ["N1", "N2"]
    assert state(call, "N2")["seats"] == 2
    assert state(call, "N1")["payment"] == "card"


def test_a_declined_charge_is_told_before_it_is_made(call: Call, book: Path) -> None:
    assert call("renew", "S1", "--dry-run").status == 0
    call("decline-payments", NOORD)
    for more in (["--dry-run"], []):
        ended = call("renew", "S1", *more)
        assert (ended.status, "payment_declined" in ended.err) == (3, True)
    call("accept-payments", NOORD)
    assert call("renew", "S1").status == 0


def test_a_command_brings_its_subscription_up_to_date_first(call: Call, book: Path) -> None:
    import time_machine

    with time_machine.travel("2026-06-12T10:00:00Z", tick=False):
        done = call("set-auto-renew", "off", "S1", "--json").json
    assert ("S1", "expire") in events(done)
