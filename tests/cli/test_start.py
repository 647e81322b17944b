"""init, import, run, daemon: how a book begins, and the process that stays."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import CSV, ROOT, Call
from tests.cli.test_help import PROGRAM


def test_init_makes_a_book_once(call: Call, folder: Path) -> None:
    first = call("init")
    assert first.status == 0
    assert first.lines == [
        "The book is at sqlite:///var/perennial.db, its schema is up to date (settings: shipped defaults).",
        "It is empty; fill it with: perennial import FILE.csv",
    ]
    assert call("init", "--json").json == {
        "database": "sqlite:///var/perennial.db",
        "settings": "shipped defaults",
        "empty": True,
    }


LINES = """list --due-before 2026-07-01
list --customer 5100000077 --zone Europe/Brussels --state renewable
show N1
explain N2
plan --until 2027-06-01 N1
renew N2 --dry-run
renew N2
pay-invoices 5100000077 N2 --payment card --dry-run
job list
job run renew --dry-run
catch-up --dry-run
catch-up
outbox
stuck --retry
simulate --book --until 2026-12-31""".splitlines()


def test_everything_works_on_postgresql_too(call: Call, folder: Path, postgres_url: str) -> None:
    (folder / "book.csv").write_text(CSV, "utf-8")
    for line in ("init", "import book.csv", *LINES):
        ended = call(*line.split(), "--json", "--database", postgres_url)
        assert ended.status == (3 if line.startswith("pay-") else 0), ended.err
        assert ended.json


def test_init_on_postgresql_shows_no_password(call: Call, folder: Path, postgres_url: str) -> None:
    with_password = postgres_url.replace("postgres:@", "postgres:s3cret@")
    ended = call("init", "--database", with_password)
    assert ended.status == 0
    assert "s3cret" not in ended.out


def test_import_reports_what_was_taken_and_what_was_not(call: Call, folder: Path) -> None:
    good, _ = CSV.splitlines()[1:]
    (folder / "book.csv").write_text(CSV + good.replace("N1", "N3").replace("FERNLINE", "NOPE") + "\n", "utf-8")
    ended = call("import", "book.csv", "--json")
    assert ended.status == 1
    assert {key: ended.json[key] for key in ("customers", "subscriptions", "unchanged")} == {
        "customers": 1,
        "subscriptions": 2,
        "unchanged": 0,
    }
    (rejected,) = ended.json["rejected"]
    assert (rejected["line"], rejected["column"]) == (4, "offering")
    told = call("import", "book.csv")
    assert told.status == 1
    assert told.lines[:3] == ["0 customers and 0 subscriptions are new.", "2 rows changed nothing.", "1 row rejected:"]
    assert "NOPE" in told.lines[4]


def test_a_file_with_a_bad_header_is_bad_input(call: Call, folder: Path) -> None:
    (folder / "book.csv").write_text("id,colour\n1,red\n", "utf-8")
    ended = call("import", "book.csv")
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    assert "colour" in ended.err


def test_columns_of_a_file(call: Call, folder: Path) -> None:
    required = [each["name"] for each in call("columns", "--json").json if each["required"]]
    assert required == ["csn", "id", "offering", "term", "state"]


def test_run_once_begins_with_nothing_at_all(call: Call, folder: Path) -> None:
    (folder / "examples").mkdir()
    (folder / "examples" / "book.csv").write_text(CSV, "utf-8")
    told = call("run", "--once")
    assert told.status == 0
    assert told.lines[:3] == [
        "The book is at sqlite:///var/perennial.db.",
        "It is empty; reading examples/book.csv in.",
        "1 customer and 2 subscriptions are new.",
    ]
    again = call("run", "--once")
    assert "reading" not in again.out


def test_run_finds_the_example_of_the_source(call: Call, folder: Path) -> None:
    assert "It is empty; reading examples/book.csv in." in call("run", "--once").lines


@contextmanager
def running(*words: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The installed program, up to the line `ready` and the hints after it."""
    process = subprocess.Popen(
        [PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert process.stdout is not None
    watchdog = threading.Timer(120, process.kill)
    watchdog.start()
    said: list[str] = []
    try:
        for line in process.stdout:
            said.append(line.rstrip("\n"))
            if line.startswith("Ctrl-C"):
                break
        yield process, said
    finally:
        watchdog.cancel()
        if process.poll() is None:
            process.kill()
        process.communicate()


def _status(line: str) -> int:
    """How a call in a second terminal ends."""
    return subprocess.run([PROGRAM, *line.split()[1:]], capture_output=True, check=False).returncode


@pytest.mark.parametrize("words, number", [(["daemon"], signal.SIGTERM), (["run"], signal.SIGINT)])
def test_it_stays_until_it_is_asked_to_stop(book: Path, words: list[str], number: int) -> None:
    with running(*words) as (process, said):
        assert "ready" in said
        hints = [line.strip() for line in said[said.index("ready") :] if line.startswith("    perennial ")]
        assert len(hints) == 5
        if words == ["run"]:
            assert {hint: _status(hint) for hint in hints} == dict.fromkeys(hints, 0)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
        assert out.splitlines()[-1] == "stopped"


def test_a_stop_signal_ends_other_commands_quietly(book: Path) -> None:
    """SIGTERM in the middle of anything: what is open is closed, and the status says so."""
    code = (
        "import os, signal, app.cli.session as session\n"
        "session.settings = lambda: os.kill(os.getpid(), signal.SIGTERM)\n"
        "from app.cli import main\nmain()"
    )
    ended = subprocess.run([sys.executable, "-c", code, "list"], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (ended.returncode, ended.stdout, ended.stderr) == (143, "", "")
