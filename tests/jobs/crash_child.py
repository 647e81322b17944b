"""A daemon's day in a process that can be killed: at its n-th step, by its own hand, or by somebody else.

Reads one request a line (JSON) and forks for each, so that a run costs no start of Python. It answers when
the run is over: whether it was killed, where, and how many steps it took.

A step is whatever a crash could come between: a statement or a commit, a question to the provider and each of
its answers, each mail handed over.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
import zoneinfo
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    zoneinfo.reset_tzpath(())

from sqlalchemy import Engine, event

from app.clock import SimulatedClock
from app.domain.mail import Mail
from app.domain.payments import Answer, ChargeRequest
from app.domain.policy import Policy
from app.effects.book_provider import BookProvider
from app.services import delivery
from app.services.context import Context
from app.store.engine import open_engine
from jobs import runner
from tests.properties.lives import CATALOGUE


class Steps:
    """Counts steps and kills the process at one of them. The last is written down first, for the test to read."""

    def __init__(self, report: int, kill_at: int | None) -> None:
        self.count = 0
        self.names: list[str] = []
        self._report = report
        self._kill_at = kill_at

    def take(self, name: str) -> None:
        self.count += 1
        self.names.append(name)
        if self.count == self._kill_at:
            self.tell(killed=True, step=name)
            os.kill(os.getpid(), signal.SIGKILL)

    def tell(self, **what: Any) -> None:
        with os.fdopen(os.dup(self._report), "w", encoding="utf-8") as report:
            json.dump({"steps": self.count, **what}, report)

    def watch(self, engine: Engine) -> None:
        event.listen(engine, "begin", lambda _: self.take("begin"))
        event.listen(engine, "commit", lambda _: self.take("commit"))
        event.listen(engine, "before_cursor_execute", lambda _c, _u, sql, *_: self.take(sql[:60]))


class OneByOne:
    """The book's provider, asked for one charge at a time, as a payment gateway is."""

    def __init__(self, inner: BookProvider, steps: Steps, takes: float) -> None:
        self._inner = inner
        self._steps = steps
        self._takes = takes

    def charge(self, requests: Sequence[ChargeRequest]) -> list[Answer]:
        return [self._charge(request) for request in requests]

    def _charge(self, request: ChargeRequest) -> Answer:
        self._steps.take("ask the provider")
        time.sleep(self._takes)
        (answer,) = self._inner.charge([request])
        self._steps.take("the provider has answered")
        return answer

    def find(self, keys: Sequence[str]) -> list[Answer | None]:
        return self._inner.find(keys)

    def set_declining(self, csn: str, at: datetime, declines: bool) -> None:
        self._inner.set_declining(csn, at, declines)


class Letters:
    """Writes a line for each mail that is handed over."""

    def __init__(self, file: Path, steps: Steps, takes: float) -> None:
        self._file = file
        self._steps = steps
        self._takes = takes

    def send(self, mails: Sequence[Mail]) -> None:
        for mail in mails:
            self._steps.take("hand a mail over")
            about = ",".join(sorted(sub.ref for sub in mail.subscriptions))
            with self._file.open("a", encoding="utf-8") as file:
                file.write(f"{mail.due_on} {mail.kind} {mail.recipient} {about}\n")
            time.sleep(self._takes)
        self._steps.take("mails handed over")


def run(request: dict[str, Any], report: int) -> None:
    """All that is due at an instant, and the outbox; with `rounds`, again and again.

    `outside_takes`: seconds that the provider and the mail server take for each of theirs.
    """
    steps = Steps(report, request.get("kill_at"))
    engine = open_engine(request["url"])
    steps.watch(engine)
    clock = SimulatedClock(datetime.fromisoformat(request["now"]))
    takes = request.get("outside_takes", 0)
    provider = OneByOne(BookProvider(engine), steps, takes)
    ctx = Context(engine, Policy(), CATALOGUE, clock, provider, page_size=request["page_size"])
    letters = Letters(Path(request["mails"]), steps, takes)
    done = 0
    for _ in range(request.get("rounds", 1)):
        ran = runner.run_due(ctx)
        done += sum(each.done for each in ran)
        runner.note_done(ctx)
        delivery.deliver(ctx, letters)
    engine.dispose()
    steps.tell(killed=False, done=done, names=steps.names)


def _fork(request: dict[str, Any]) -> dict[str, Any]:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            run(request, write)
        except BaseException:
            os.write(write, json.dumps({"killed": False, "error": traceback.format_exc()}).encode())
            os._exit(1)
        os._exit(0)
    os.close(write)
    if (delay := request.get("kill_after")) is not None:
        time.sleep(delay)  # an instant that no code of ours has chosen
        os.kill(child, signal.SIGKILL)
    with os.fdopen(read, encoding="utf-8") as report:
        told = report.read()
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status)
    answer: dict[str, Any] = json.loads(told) if told else {"killed": killed, "step": "some instant"}
    return answer


def main() -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(_fork(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
