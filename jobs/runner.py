"""Does what is due, zone by zone and day by day, a page at a time. Daemon, hand and simulation use it alike.

What is due is a question to the database ("on or before"), never a matter of having been awake (J3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.domain.calendar import day_start
from app.services import due_work, quotes, set_aside
from app.services.batch import Batch
from app.services.context import Context
from app.store import zones
from app.store.engine import reading, writing
from app.store.locks import zone_lock
from app.store.zones import LAST_PLACE, Progress
from jobs import run_log
from jobs.registry import EXPIRE_QUOTES, JOBS


@dataclass(frozen=True, slots=True)
class Ran:
    """A job run that had something to do."""

    job: str
    zone: str
    day: date
    done: int
    set_aside: int


Watch = Callable[[Ran], None]
"""Told of each page that was done."""


def _nobody(_: Ran) -> None:
    return None


def next_wake(ctx: Context) -> datetime | None:
    """The instant at which the first thing becomes due; it may lie in the past. None: nothing is due ever."""
    return min((start for start, _, _ in _waiting(ctx)), default=None)


def _waiting(ctx: Context) -> list[tuple[datetime, Progress, date]]:
    """For each zone with anything ahead: when its first due day begins, and which day that is."""
    with reading(ctx.engine) as connection:
        by_id = {zone.id: zone for zone in zones.progress(connection)}
        first = zones.first_due(connection)
    return [(day_start(day, by_id[id_].name), by_id[id_], day) for id_, day in first.items()]


def run_due(
    ctx: Context, cause: str = "daemon", watch: Watch = _nobody, stop: Callable[[], bool] = lambda: False
) -> list[Ran]:
    """Do all that is due now in every zone, the earliest day first (J3), and note the days as done.

    `stop` is asked between pages; what is left then is done by the next run.
    """
    due_work.resolve_pending(ctx, f"job renew ({cause})")
    ran: list[Ran] = []
    busy: set[int] = set()
    while not stop():
        now = ctx.now()
        due = [item for item in _waiting(ctx) if item[0] <= now and item[1].id not in busy]
        if not due:
            break
        _, zone, day = min(due, key=lambda item: (item[0], item[1].id))
        found = run_day(ctx, zone, day, LAST_PLACE, cause, watch, stop)
        if found is None:
            busy.add(zone.id)
        else:
            ran += found
    if not stop():
        _note_today(ctx, busy)
    return ran


def _note_today(ctx: Context, busy: set[int]) -> None:
    with reading(ctx.engine) as connection:
        behind = [
            (zone, today)
            for zone in zones.progress(connection)
            if zone.id not in busy and (zone.day, zone.place) < (today := ctx.today(zone.name), LAST_PLACE)
        ]
    if behind:
        with writing(ctx.engine) as connection:
            for zone, today in behind:
                zones.advance(connection, zone.id, today, LAST_PLACE)


def run_day(
    ctx: Context,
    zone: Progress,
    day: date,
    place: int,
    cause: str,
    watch: Watch = _nobody,
    stop: Callable[[], bool] = lambda: False,
) -> list[Ran] | None:
    """Do what is due in a zone on or before a day, job after job up to `place`; None if others are at it."""
    with zone_lock(ctx.engine, zone.id) as held:
        if not held:
            return None
        ran: list[Ran] = []
        while not stop():
            found = [_run_job(ctx, zone, day, p, cause, watch, stop) for p in range(place + 1)]
            did = [run for run in found if run.done or run.set_aside]
            ran += did
            if not did:
                break
        if not stop():
            with writing(ctx.engine) as connection:
                zones.advance(connection, zone.id, day, place)
        return ran


def _run_job(
    ctx: Context, zone: Progress, day: date, place: int, cause: str, watch: Watch, stop: Callable[[], bool]
) -> Ran:
    """One job for one zone and day, page after page until nothing is left."""
    job = JOBS[place].name
    started_at = ctx.now()
    done = aside = 0
    full_cause = f"job {job} {zone.name} {day} by {cause}"
    while not stop():
        page = _do_page(ctx, zone, day, place, full_cause)
        if not (page.done or page.set_aside):
            break
        done, aside = done + page.done, aside + page.set_aside
        watch(Ran(job, zone.name, day, page.done, page.set_aside))
    if done or aside:
        run_log.write(ctx, job, zone.id, day, cause, started_at, done, aside)
    return Ran(job, zone.name, day, done, aside)


def _do_page(ctx: Context, zone: Progress, day: date, place: int, cause: str) -> due_work.Tally:
    if place != EXPIRE_QUOTES:
        return due_work.do_page(ctx, place, zone.id, day, cause)
    with writing(ctx.engine) as connection:
        batch = Batch(ctx, connection, cause)
        return due_work.Tally(done=quotes.expire_due(batch, zone.id, day, ctx.page_size))


def retry_stuck(ctx: Context, after: timedelta, cause: str = "daemon") -> int:
    """Try again what was set aside at least so long ago; answers how many were processed (J5)."""
    freed = 0
    for id_ in set_aside.due_again(ctx, after):
        try:
            due_work.bring_up_to_date(ctx, [id_], cause)
        except Exception as error:
            set_aside.put(ctx, id_, None, error)
        else:
            set_aside.release(ctx, id_)
            freed += 1
    return freed
