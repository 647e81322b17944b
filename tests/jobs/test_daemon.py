"""The daemon on the machine's clock, which the tests move: bells, catch-up, new zones, a clean stop."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import Engine, select

from app.clock import SystemClock
from app.config import Daemon as DaemonSettings
from app.domain.calendar import ONE_DAY, day_start
from app.domain.mail import Mail
from app.services import views
from app.services.context import Context
from app.store import db
from app.store.create import create_all
from app.store.engine import open_engine, reading
from jobs import daemon as daemon_module
from jobs.daemon import Daemon
from tests.factories import CATALOGUE, at, buy, customer, make_context

BERLIN, HAVANA, KIRITIMATI = "Europe/Berlin", "America/Havana", "Pacific/Kiritimati"


class KeepsMails:
    """A mailer that remembers."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    def send(self, mails: Any) -> None:
        self.mails += mails


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    engine = open_engine(sqlite_url)
    create_all(engine)
    yield engine
    engine.dispose()


def wait_for(what: Any, seconds: float = 20) -> None:
    """Let the daemon's threads work until something holds."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "the daemon did not get there"
        threading.Event().wait(0.05)


def live(engine: Engine, settings: DaemonSettings | None = None) -> tuple[Daemon, list[str], Context]:
    """A daemon on the machine's clock."""
    told: list[str] = []
    made = make_context(engine)
    ctx = Context(engine, made.policy, CATALOGUE, SystemClock(), made.provider)
    return Daemon(ctx, KeepsMails(), settings or DaemonSettings(), told.append), told, ctx


def test_catches_up_first_and_says_what_lies_ahead(engine: Engine) -> None:
    buy(make_context(engine, at("2026-01-10 10:00")), "S1", "annual", auto_renew=False)
    with time_machine.travel(at("2027-03-01 12:00"), tick=False):
        daemon, told, ctx = live(engine)
        daemon.catch_up()
        assert told[0].startswith("Ahead: ")
        assert views.subscription(ctx, "S1")["state"] == "canceled"
        daemon.catch_up()
    assert told[-1] == "Everything is done up to today."


def test_rings_at_the_beginning_of_a_zones_day(engine: Engine) -> None:
    buy(make_context(engine, at("2026-01-10 10:00")), "S1", "annual", auto_renew=True)
    with time_machine.travel(day_start(at("2027-01-09").date(), "Europe/Amsterdam"), tick=False) as clock:
        daemon, _, ctx = live(engine)
        daemon.catch_up()
        daemon.start()
        try:
            assert views.subscription(ctx, "S1")["ends_on"].isoformat() == "2027-01-09"
            clock.move_to(day_start(at("2027-01-10").date(), "Europe/Amsterdam"))
            daemon.scheduler.wakeup()
            wait_for(lambda: views.subscription(ctx, "S1")["ends_on"].isoformat() == "2028-01-09")
        finally:
            daemon.stop()


@pytest.mark.parametrize(
    ("zone", "first", "days"),
    [
        (BERLIN, "2026-03-27", 5),  # the library's own calendar loses 30 March
        (HAVANA, "2026-03-06", 5),  # 8 March has no midnight
        (HAVANA, "2026-10-30", 5),  # 1 November has two
        (KIRITIMATI, "2026-01-01", 3),
    ],
)
def test_rings_once_a_day_through_clock_changes(engine: Engine, zone: str, first: str, days: int) -> None:
    ctx = make_context(engine, at("2026-01-01 12:00"))
    customer(ctx, timezone=zone)
    start = at(first).date()
    with time_machine.travel(day_start(start, zone), tick=False) as clock:
        daemon, _, _ = live(engine)
        daemon.scheduler.start(paused=True)
        rings = []
        for n in range(days):
            clock.move_to(day_start(start + n * ONE_DAY, zone))
            daemon.ring_for_zones()
            rings.append(daemon.scheduler.get_job(f"day begins in {zone}").trigger.run_date)
        daemon.stop()
    assert rings == [day_start(start + (n + 1) * ONE_DAY, zone) for n in range(days)]
    assert all(ring.utcoffset() == timedelta(0) for ring in rings)


def test_a_heartbeat_notices_zones_added_later_and_a_clock_that_was_set(engine: Engine) -> None:
    with time_machine.travel(at("2026-01-10 10:00"), tick=False) as clock:
        daemon, _, ctx = live(engine)
        daemon.ring_for_zones()
        assert daemon.scheduler.get_jobs() == []
        buy(ctx, "S1", "monthly", auto_renew=False)
        daemon.heartbeat()
        assert [job.id for job in daemon.scheduler.get_jobs()] == ["day begins in Europe/Amsterdam"]
        clock.move_to(at("2026-03-20 10:00"))
        daemon.heartbeat()
        assert views.subscription(ctx, "S1")["state"] == "canceled"


def test_a_failing_round_is_told_and_tried_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon, told, _ = live(engine)

    def breaks() -> None:
        raise ConnectionError("the database went away\nfor a moment")

    monkeypatch.setattr(daemon, "work", breaks)
    daemon._guarded(daemon.work)()
    assert told == ["breaks failed and is tried again: ConnectionError: the database went away"]


def test_mail_of_work_that_is_still_due_is_held_back(engine: Engine) -> None:
    """An `expired` mail is not sent on the way to `canceled` (W4)."""
    buy(make_context(engine, at("2026-01-10 10:00")), "S1", "annual", auto_renew=False)
    with time_machine.travel(at("2027-03-01 12:00"), tick=False):
        daemon, _, _ = live(engine)
        daemon.deliver()
        assert [mail.kind for mail in daemon.mailer.mails] == []  # type: ignore[attr-defined]
        daemon.catch_up()
        assert [mail.kind for mail in daemon.mailer.mails] == ["order_confirmation", "canceled"]  # type: ignore[attr-defined]
    with reading(engine) as connection:
        states = dict(connection.execute(select(db.notice.c.kind, db.notice.c.state)).all())
    assert states["expired"] == states["suspended"] == "dropped"


_CHILD = """
import sys
from app.clock import SystemClock
from app.config import Daemon
from app.services.context import Context
from app.services.delivery import NoMailer
from app.store.engine import open_engine
from jobs import daemon
from tests.factories import make_context
engine = open_engine(sys.argv[1])
made = make_context(engine)
ctx = Context(engine, made.policy, made.catalogue, SystemClock(), made.provider, page_size=20)
sys.exit(daemon.run(ctx, NoMailer(), Daemon(), lambda line: print(line, flush=True)))
"""


def start_child(url: str) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", _CHILD, url]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True, env={**os.environ})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_cleanly_within_seconds(sqlite_url: str, engine: Engine, number: int) -> None:
    with start_child(sqlite_url) as child:
        assert child.stdout is not None
        while child.stdout.readline().strip() != "ready":
            assert child.poll() is None
        child.send_signal(number)
        child.send_signal(number)  # a terminal sends it to the whole group: twice is once
        assert child.wait(timeout=10) == 0
        assert child.stdout.read().splitlines()[-1] == "stopped"


def test_killed_in_a_catch_up_it_loses_nothing(sqlite_url: str, engine: Engine) -> None:
    ctx = make_context(engine, datetime.now(UTC) - timedelta(days=500))
    for n in range(60):
        buy(ctx, f"S{n}", "annual", auto_renew=False)
    with start_child(sqlite_url) as child:
        assert child.stdout is not None
        assert child.stdout.readline().startswith("Ahead: ")
        child.send_signal(signal.SIGKILL)
        child.wait(timeout=10)
    with start_child(sqlite_url) as child:
        assert child.stdout is not None
        while child.stdout.readline().strip() != "ready":
            assert child.poll() is None
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=10) == 0
    states = {views.subscription(ctx, f"S{n}")["state"] for n in range(60)}
    assert states == {"canceled"}


def test_with_once_it_does_what_is_due_and_ends(engine: Engine) -> None:
    _, told, ctx = live(engine)
    handlers = signal.getsignal(signal.SIGTERM)
    assert daemon_module.run(ctx, KeepsMails(), DaemonSettings(), told.append, once=True) == 0
    assert told == ["Everything is done up to today."]
    assert signal.getsignal(signal.SIGTERM) is handlers
