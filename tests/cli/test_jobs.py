"""The jobs by hand: what they did, running one, catching up, what is set aside."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import text

from app.store.engine import open_engine
from app.store.locks import zone_lock
from tests.cli.conftest import Call

LATER = "2026-06-12T10:00:00Z"


@pytest.fixture
def late(book: Path, call: Call) -> Iterator[Path]:
    """The book three weeks on, with no daemon meanwhile."""
    with time_machine.travel(LATER, tick=False):
        yield book


def test_job_list_names_what_each_job_did_and_when_it_runs_next(call: Call, book: Path) -> None:
    jobs = {each["name"]: each for each in call("job", "list", "--json").json}
    assert list(jobs)[:2] == ["bill_installments", "collect"] and len(jobs) == 13
    (zone,) = jobs["expire"]["zones"]
    assert zone["zone"] == "Europe/Brussels"
    assert zone["last_run"]["day"] == "2026-05-11" and zone["last_run"]["done"] == 1
    assert zone["next_run_at"] == "2026-05-21T00:00:00+02:00"
    told = call("job", "list", "expire").out
    assert "expire: begins the shutoff the day after X (L2 L3)" in told
    assert "last had work on 2026-05-11: 1 done" in told


def test_job_list_of_days_that_were_missed(call: Call, late: Path) -> None:
    (zone,) = call("job", "list", "expire", "--json").json[0]["zones"]
    assert zone["next_run_at"] == "2026-05-21T00:00:00+02:00"  # that day is not done yet


def test_a_job_does_what_should_have_run_before_it(call: Call, late: Path) -> None:
    done = call("job", "run", "expire", "--json").json
    ran = [(each["day"], each["job"]) for each in done["ran"]]
    assert ("2026-06-01", "renew") in ran and ran[-1] == ("2026-06-10", "expire")
    assert call("show", "S1", "--json").json["state"] == "expired"


def test_a_day_that_is_done_says_so_and_does_nothing(call: Call, book: Path) -> None:
    call("catch-up")
    before = (book / "var" / "perennial.db").read_bytes()
    assert call("job", "run", "expire").out == ("expire is done for today in Europe/Brussels: nothing to do there.\n")
    assert call("job", "run", "expire", "--json").json["done_before"] == ["Europe/Brussels"]
    assert call("job", "run", "renew", "--date", "2026-05-01").status == 0
    assert (book / "var" / "perennial.db").read_bytes() == before


def test_a_rehearsed_job_writes_nothing(call: Call, late: Path) -> None:
    before = (late / "var" / "perennial.db").read_bytes()
    told = call("job", "run", "expire", "--dry-run")
    assert "2026-06-10 Europe/Brussels: expire 1" in told.lines
    assert told.lines[-1] == "This would be done; nothing was written."
    assert (late / "var" / "perennial.db").read_bytes() == before


def test_catch_up_says_what_lies_ahead_then_does_it(call: Call, late: Path) -> None:
    told = call("catch-up")
    assert told.lines[0] == "Ahead: 23 day(s) in 1 time zone(s), 5 subscription(s) with something due first."
    assert "expire: 1 done" in told.lines
    assert any(line.startswith("deliver: ") for line in told.lines)
    assert list((late / "var" / "outbox").glob("*expired-S1*.eml"))
    assert call("catch-up").lines[0] == "Everything is done up to today."


def test_what_another_process_is_at_is_left_to_it(call: Call, late: Path) -> None:
    engine = open_engine(f"sqlite:///{late}/var/perennial.db")
    with zone_lock(engine, 1) as held:
        assert held
        told = call("catch-up").lines
        assert told[-1] == "Another process is at work in Europe/Brussels; what is left there is its own."
        assert "Another process is at work in Europe/Brussels; try again." in call("job", "run", "expire").lines
    engine.dispose()
    assert call("catch-up", "--json").json["left"] == []


def test_catch_up_for_programs(call: Call, late: Path) -> None:
    rehearsed = call("catch-up", "--dry-run", "--json").json
    done = call("catch-up", "--json").json
    assert rehearsed["ran"] == done["ran"] and rehearsed["ahead"] == done["ahead"]
    assert done["mail"]["sent"] == rehearsed["mail"]["sent"] > 0


def test_deliver_by_hand(call: Call, book: Path) -> None:
    call("set-auto-renew", "on", "S1")
    assert call("job", "run", "deliver", "--dry-run").lines == [
        "deliver: 1 would be sent, 0 would be dropped as no longer true, 0 held"
    ]
    assert call("job", "run", "deliver", "--json").json["sent"] == 1
    assert len(list((book / "var" / "outbox").glob("*.eml"))) == 1


def test_what_could_not_be_processed_is_listed_and_tried_again(call: Call, late: Path) -> None:
    assert call("stuck").out == "Nothing is set aside.\n"
    _set_offering(late, "S1", "GONE")
    call("catch-up")
    (row,) = call("stuck", "--json").json["stuck"]
    assert row["id"] == "S1" and "has no offering GONE" in row["error"]
    again = call("stuck", "--retry")
    assert (again.status, again.lines[0]) == (1, "0 done now.")
    _set_offering(late, "S1", "FERNLINE")
    assert call("stuck", "--retry", "--dry-run", "--json").json["freed"] == 1
    again = call("stuck", "--retry", "--json")
    assert (again.status, again.json["freed"], again.json["stuck"]) == (0, 1, [])
    assert call("show", "S1", "--json").json["state"] == "expired"


def _set_offering(folder: Path, ref: str, code: str) -> None:
    engine = open_engine(f"sqlite:///{folder}/var/perennial.db")
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE subscription SET offering = :code WHERE ref = :ref"), {"code": code, "ref": ref}
        )
    engine.dispose()
