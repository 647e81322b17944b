"""A person and the daemon at the same subscription in the same moment, on PostgreSQL (J3b, J6)."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from time import sleep
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from app.clock import SimulatedClock
from app.services import lists
from app.services.commands import COMMANDS
from app.services.context import Context
from app.store.create import create_all
from app.store.engine import open_engine
from jobs import runner
from tests.factories import at, buy, load, make_context

R = date(2026, 6, 10)
MIDNIGHT = at("2026-06-09 22:00")
"""The first instant of R in Amsterdam."""
PENDING = text("SELECT count(*) FROM charge WHERE state = 'pending'")
BLOCKED = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


@pytest.fixture
def engines(postgres_url: str) -> Iterator[tuple[Engine, Engine]]:
    """The person's and the daemon's."""
    pair = (open_engine(postgres_url), open_engine(postgres_url))
    create_all(pair[0])
    yield pair
    for engine in pair:
        engine.dispose()


def test_a_renewal_by_hand_at_midnight_is_not_charged_again_by_the_job(engines: tuple[Engine, Engine]) -> None:
    """The person's charge is written, not yet committed, when the job comes for the same subscription and waits."""
    theirs, ours = engines
    ctx = make_context(theirs)
    buy(ctx)
    _do_all(ctx, MIDNIGHT - timedelta(seconds=1))
    daemon = replace(ctx, engine=ours, clock=SimulatedClock(MIDNIGHT))
    with ThreadPoolExecutor(1) as pool:
        runs: list[Future[Any]] = []

        def hold(connection: Connection) -> None:
            if not runs and connection.execute(PENDING).scalar_one():
                runs.append(pool.submit(runner.run_due, daemon))
                _wait_for_the_daemon(ours)

        event.listen(theirs, "commit", hold)
        COMMANDS["renew"](ctx, subscriptions=["S1"])
        runs[0].result(timeout=30)
    runner.retry_stuck(daemon, timedelta(0))
    assert [row["result"] for row in lists.of(ctx, "charges_of", "S1")] == ["succeeded", "succeeded"]
    assert load(ctx).ends_on == date(2027, 6, 9)
    assert load(ctx).scheduled is None


def _do_all(ctx: Context, instant: Any) -> None:
    ctx.clock.move_to(instant)  # type: ignore[attr-defined]
    runner.run_due(ctx)


def _wait_for_the_daemon(engine: Engine) -> None:
    """Until it stands at the lock that the person's transaction holds."""
    for _ in range(500):
        with engine.connect() as connection:
            if connection.execute(BLOCKED).scalar_one():
                return
        sleep(0.01)
    raise AssertionError("the daemon did not come for the subscription")
