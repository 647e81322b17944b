"""The long-running daemon: APScheduler is the bell, the database is the truth.

The library's own calendar loses days around clock changes, so it is handed UTC instants worked out by
`app.domain.calendar`: for each zone in the book the beginning of its next day. Whatever wakes the daemon,
it asks the database what is due (J3).
"""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from itertools import groupby
from types import FrameType
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from app.config import Daemon as DaemonSettings
from app.domain.calendar import ONE_DAY, day_start
from app.domain.mail import Mailer
from app.services import delivery
from app.services.context import Context
from app.store import zones
from app.store.engine import reading
from jobs import ahead, run_log, runner

Say = Callable[[str], None]
_DAY_JOB = "day begins in "
_PATIENCE = 20.0
"""Seconds to wait at a stop for the page in hand; a page that takes longer is done by the next start."""


class Daemon:
    """Wakes at the beginning of each zone's day and at a heartbeat, and does what is due."""

    def __init__(self, ctx: Context, mailer: Mailer, settings: DaemonSettings, say: Say) -> None:
        self.ctx = ctx
        self.mailer = mailer
        self.settings = settings
        self.say = say
        self.stopping = threading.Event()
        self.scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(1), "mail": ThreadPoolExecutor(1)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def catch_up(self) -> None:
        """Say what lies ahead, then do it."""
        for line in ahead.lines(ahead.look(self.ctx)):
            self.say(line)
        self.work()
        self.deliver()

    def start(self) -> None:
        """Set the bells and let them ring; returns at once."""
        add = self.scheduler.add_job
        beat = self.settings.heartbeat_seconds
        add(self._guarded(self.heartbeat), IntervalTrigger(seconds=beat), id="heartbeat")
        seconds = self.settings.deliver_seconds
        add(self._guarded(self.deliver), IntervalTrigger(seconds=seconds), id="deliver", executor="mail")
        self.ring_for_zones()
        gc.collect()
        gc.freeze()  # what was imported lives as long as the daemon: not to be looked through at every page
        self.scheduler.start()

    def ring_for_zones(self) -> None:
        """One bell for the next day of every zone in the book, those added since included (J2)."""
        with reading(self.ctx.engine) as connection:
            names = [zone.name for zone in zones.progress(connection)]
        for name in names:
            job_id = _DAY_JOB + name
            rings_at = day_start(self.ctx.today(name) + ONE_DAY, name)
            known: Any = self.scheduler.get_job(job_id)
            if known is None or known.trigger.run_date != rings_at:
                self.scheduler.add_job(
                    self._guarded(self.day_begins), DateTrigger(rings_at), id=job_id, replace_existing=True
                )

    def day_begins(self) -> None:
        """A zone's day has begun: do what is due, then set the next bell."""
        self.work()
        self.ring_for_zones()

    def heartbeat(self) -> None:
        """Whatever the bells missed: new zones, a clock that was set, an import, what was set aside (J5)."""
        self.ring_for_zones()
        wake = runner.next_wake(self.ctx)
        if wake is not None and wake <= self.ctx.now():
            self.work()
        freed = runner.retry_stuck(self.ctx, timedelta(minutes=self.settings.retry_stuck_minutes))
        if freed:
            self.say(f"{freed} set aside before, done now")

    def work(self) -> None:
        """Everything that is due now; a line for each day and zone that had something to do."""
        ran = runner.run_due(self.ctx, "daemon", stop=self.stopping.is_set)
        for (day, zone), runs in groupby(ran, key=lambda each: (each.day, each.zone)):
            self.say(f"{day} {zone}: " + ", ".join(_told(each) for each in runs))
        if not self.stopping.is_set():
            runner.note_done(self.ctx)

    def deliver(self) -> None:
        """Send what waits in the outbox."""
        tally = delivery.deliver(self.ctx, self.mailer)
        if tally.sent or tally.dropped:
            self.say(f"deliver: {tally.sent} sent, {tally.dropped} dropped as no longer true")

    def stop(self) -> None:
        """Finish the page in hand, then end. What is left is done by the next start (J4)."""
        self.stopping.set()
        if self.scheduler.running:
            finisher = threading.Thread(target=self.scheduler.shutdown, daemon=True)
            finisher.start()
            finisher.join(_PATIENCE)

    def _guarded(self, act: Callable[[], None]) -> Callable[[], None]:
        """An error ends one ring, not the daemon; the next heartbeat tries again."""

        def guarded() -> None:
            if self.stopping.is_set():
                return
            try:
                act()
            except Exception as error:
                self.say(f"{act.__name__} failed and is tried again: {type(error).__name__}: {_first_line(error)}")

        return guarded


def _told(ran: run_log.Ran) -> str:
    aside = f" ({ran.set_aside} set aside, see: perennial stuck)" if ran.set_aside else ""
    return f"{ran.job} {ran.done}{aside}"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]


def run(ctx: Context, mailer: Mailer, settings: DaemonSettings, say: Say, *, once: bool = False) -> int:
    """Catch up, then stay until SIGINT or SIGTERM; with `once` do what is due today and end. Answers 0."""
    daemon = Daemon(ctx, mailer, settings, say)
    with _stopped_by_signals(daemon):
        daemon.catch_up()
        if once or daemon.stopping.is_set():
            return 0
        daemon.start()
        say("ready")
        daemon.stopping.wait()
        say("stopping: finishing the page in hand")
        daemon.stop()
        say("stopped")
    return 0


@contextmanager
def _stopped_by_signals(daemon: Daemon) -> Iterator[None]:
    """SIGINT and SIGTERM ask for a stop; a second one changes nothing."""

    def ask(_signal: int, _frame: FrameType | None) -> None:
        daemon.stopping.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
