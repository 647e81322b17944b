"""Whatever is given: one clear line on standard error, a documented exit status, and never a traceback."""

import os
import sqlite3
import subprocess
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from app.cli import failures, session
from tests.cli.conftest import Call
from tests.cli.test_help import PROGRAM

BAD = [
    # the call cannot be understood, or a setting or file cannot be used
    ("lst", 2, "Did you mean 'list'?"),
    ("list --colour red", 2, "No such option: --colour"),
    ("list --state asleep", 2, "'asleep' is not one of"),
    ("list --limit 0", 2, "greater than or equal to 1"),
    ("list --limit many", 2, "--limit"),
    ("list --zone Europe/Bruxelles", 2, "is not an IANA time zone"),
    ("list --due-before 2026-02-30", 2, "2026-02-30 is not in the calendar"),
    ("list --due-before 20260230", 2, '"20260230" is not a day such as 2026-12-31'),
    ("plan S1", 2, "Missing option '--until'"),
    ("plan --until 9999-12-31", 2, "the year must lie between 1970 and 2199"),
    ("renew", 2, "Missing argument"),
    ("renew S1 --seats 99999999999999999999", 2, "is not a whole number up to"),
    ("renew S1 --seats two", 2, '"two" is not a whole number'),
    ("renew S1 --payment gold", 2, "'gold' is not one of"),
    ("set-auto-renew maybe S1", 2, 'must be on or off, not "maybe"'),
    ("change-term S1", 2, "say either --term or --withdraw"),
    ("change-term S1 --term annual --withdraw", 2, "say either --term or --withdraw"),
    ("change-payment-method --payment card", 2, "name either a subscription or a customer"),
    ("buy 5100000001 --item S9:FERNLINE:annual", 2, "is not ID:OFFERING:TERM:SEATS"),
    ("buy 5100000001 --item S9:FERNLINE:weekly:1", 2, "terms: monthly, annual, three_year, trial"),
    ("buy 5100000001 --item S9:FERNLINE:annual:1 --timezone Mars/Base", 2, "is not an IANA time zone"),
    ("pay-invoices 5100000002 S4 --payment card --amount 12,50", 2, '"12,50" is not an amount such as 730.00'),
    ("rules L33", 2, 'There is no rule "L33".'),
    ("job run expires", 2, 'there is no job "expires"; did you mean "expire"'),
    ("job run", 2, "Missing argument 'NAME'"),
    ("import nofile.csv", 2, "nofile.csv"),
    ("import .", 2, "Is a directory"),
    ("simulate", 2, "name scenario files, or the book"),
    ("simulate nofile.yaml", 2, "nofile.yaml: cannot be read: No such file or directory"),
    ("simulate --book", 2, "--book needs --until DATE"),
    ("simulate --book --until 2026-06-01 --picture states.gif", 2, "the name must end in .svg or .png"),
    ("simulate examples/scenarios/01-annual-lapse.yaml --database sqlite:///var/perennial.db", 2, "in memory or on"),
    ("list --config nofile.yaml", 2, "nofile.yaml: cannot be read: No such file or directory"),
    ("list --config bad.yaml", 2, "bad.yaml:2: window.opens_days_before: "),
    ("list --database=", 2, "command line: database.url: must be"),
    ("list --database mysql://localhost/x", 2, "command line: database.url: must be"),
    ("list --database sqlite:///var/no-such.db", 2, "there is no book at sqlite:///var/no-such.db yet"),
    # a rule says no
    ("show NOPE", 3, "unknown_subject: There is no such"),
    ("explain NOPE", 3, "unknown_subject"),
    ("plan --until 2026-12-31 NOPE", 3, "unknown_subject"),
    ("plan --until 2020-01-01", 3, "2020-01-01 is over"),
    ("simulate --book --until 2020-01-01", 3, "2020-01-01 is over"),
    ("list --customer NOPE", 3, "unknown_subject"),
    ("renew NOPE", 3, "unknown_subject"),
    ("renew S1 --seats 0", 3, "seats_below_one"),
    ("renew S1 --by stranger@else.example", 3, "not_authorized"),
    ("renew S5", 3, "final_state"),
    ("buy 5100000001 --item S9:NOPE:annual:1", 3, "there is no offering NOPE"),
    ("buy NOPE --item S9:FERNLINE:annual:1", 3, "unknown_subject"),
    ("buy 5100000001 --item S1:FERNLINE:annual:1", 3, "invalid_argument"),
    ("pay-invoices 5100000001 S1 --payment card", 3, "nothing_to_pay"),
    ("job run expire --date 2027-01-01", 3, "2027-01-01 lies in the future"),
    ("job run expire --zone Asia/Tokyo", 3, "no subscription is in the zone Asia/Tokyo"),
    # not in this version
    ("add-seats S1 --seats 1", 4, "not in this version"),
    ("create-quote --as Q1 S1 --source sales", 4, "not in this version: create-quote"),
    # out of reach
    ("list --database postgresql+psycopg://user:s3cret@127.0.0.1:1/x", 5, "the database cannot be used"),
    ("list --database sqlite:///not-a-database.db", 5, "file is not a database"),
    ("list --database sqlite:///foreign.db", 5, "it is no book of Perennial: it holds orders"),
    ("init --database sqlite:///bad.yaml/x.db", 5, "cannot be opened"),
]


@pytest.mark.parametrize("line, status, said", BAD, ids=[line for line, _, _ in BAD])
def test_one_clear_line_and_no_traceback(call: Call, book: Path, line: str, status: int, said: str) -> None:
    _prepare(book)
    ended = call(*line.split())
    assert (ended.status, ended.out) == (status, "")
    assert said in ended.err
    assert ended.err.startswith("perennial: ") and ended.err.count("\n") == 1
    assert "Traceback" not in ended.err and "s3cret" not in ended.err


def _prepare(folder: Path) -> None:
    (folder / "bad.yaml").write_text("window:\n  opens_days_before: soon\n", "utf-8")
    (folder / "not-a-database.db").write_text("just text, and more of it than a header has", "utf-8")
    foreign = sqlite3.connect(folder / "foreign.db")
    foreign.execute("CREATE TABLE orders (id INTEGER)")
    foreign.close()


@pytest.mark.parametrize("line, status", [("renew S5", 3), ("list --state asleep", 2), ("add-seats S1 --seats 1", 4)])
def test_programs_read_failures_too(call: Call, book: Path, line: str, status: int) -> None:
    ended = call(*line.split(), "--json")
    assert ended.status == ended.json["error"]["exit"] == status
    assert ended.json["error"]["message"] in ended.err


def test_a_refusal_names_its_rule(call: Call, book: Path) -> None:
    error = call("renew", "S5", "--json").json["error"]
    assert (error["code"], error["rules"]) == ("final_state", ["L8"])
    assert error["remedy"] == "Make a new purchase."


def test_a_database_in_use_is_no_traceback() -> None:
    error = sqlite3.OperationalError("database is locked")
    failure = failures.failure_of(OperationalError("BEGIN IMMEDIATE", None, error))
    assert (failure.status, failure.line) == (5, "the database is busy (database is locked); try again")


def test_what_nobody_foresaw_is_one_line_with_where_to_look(
    call: Call, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("no seats\nat all")

    monkeypatch.setattr(session, "settings", fail)
    ended = call("list")
    assert (ended.status, ended.out) == (70, "")
    assert ended.err == (
        "perennial: unexpected ZeroDivisionError: no seats (set PERENNIAL_LOG_TRACEBACK=1 for details)\n"
    )
    monkeypatch.setenv("PERENNIAL_LOG_TRACEBACK", "1")
    assert "Traceback" in call("list").err


def test_an_interrupt_ends_with_130(call: Call, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "settings", interrupt)
    assert call("list").status == 130


def test_an_output_that_is_closed_is_no_error(book: Path) -> None:
    """`perennial rules | head -c 1`: what is left is not written, and nobody is told."""
    for words in ("rules", "--help", "list --help", "list"):
        script = f"{PROGRAM} {words} | head -c 1 > /dev/null; echo ${{PIPESTATUS[0]}}"
        ended = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, env=os.environ)
        assert (ended.stdout.strip() in ("0", "141"), ended.stderr) == (True, ""), words
