"""The daemon's twin: the same runner, with a clock that jumps from one thing due to the next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from app.clock import SimulatedClock
from app.services import delivery
from app.services.context import Context
from jobs import runner

_RETRY_AFTER = timedelta(minutes=15)
"""As the daemon's shipped setting."""


class Simulation:
    """A book on a simulated clock. While `daemon_is_up`, every job runs at the instant it is due."""

    def __init__(self, ctx: Context, clock: SimulatedClock) -> None:
        self.ctx = ctx
        self.clock = clock
        self.daemon_is_up = True
        self.mailer = delivery.NoMailer()

    def advance(self, until: datetime, watch: Callable[[datetime], None] = lambda _: None) -> None:
        """Move the clock to an instant; the jobs of every day that begins until then, it included, run."""
        while self.daemon_is_up:
            wake = runner.next_wake(self.ctx)
            if wake is None or wake > until:
                break
            self.clock.move_to(max(wake, self.clock.now()))
            self.work()
            watch(self.clock.now())
        self.clock.move_to(until)
        if self.daemon_is_up:
            if runner.retry_stuck(self.ctx, _RETRY_AFTER):
                self.work()
            runner.note_done(self.ctx)

    def work(self) -> None:
        """What the daemon does at an instant: everything due, then the outbox."""
        runner.run_due(self.ctx)
        runner.retry_stuck(self.ctx, _RETRY_AFTER)
        self.deliver()

    def deliver(self) -> None:
        """The outbox, as every minute (J1)."""
        if self.daemon_is_up:
            delivery.deliver(self.ctx, self.mailer)

    def stop_daemon(self) -> None:
        self.daemon_is_up = False

    def start_daemon(self) -> None:
        """What was missed is done at once, each as of its own date (J3)."""
        self.daemon_is_up = True
        self.work()
