"""Does what is due, zone by zone and day by day, a page at a time. Daemon, hand and simulation use it alike.

What is due is a question to the database ("on or before"), never a matter of having been awake (J3).
"""

from __future__ import annotations

from collections.abc import Callable
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
from jobs.registry import JOBS
from jobs.run_log import Ran

Watch = Callable[[Ran], None]
"""Told of each page that was done."""


Stop = Callable[[], bool]
"""Asked between pages whether to end."""


def _nobody(_: Ran) -> None:
    return None


def _never() -> bool:
    return False


def next_wake(ctx: Context) -> datetime | None:
    """The instant at which the first thing becomes due; it may lie in the past. None: nothing is due ever."""
    return min((start for start, _ in _waiting(ctx)), default=None)


def _waiting(ctx: Context) -> list[tuple[datetime, zones.Ahead]]:
    """For each zone with anything ahead: when its first due day begins, and which day that is."""
    with reading(ctx.engine) as connection:
        return [(day_start(item.day, item.zone.name), item) for item in zones.ahead(connection)]


def run_due(ctx: Context, cause: str = "daemon", watch: Watch = _nobody, stop: Stop = _never) -> list[Ran]:
    """Do all that is due now in every zone, the earliest day first (J3).

    `stop` is asked between pages; what is left then is done by the next run.
    """
    due_work.resolve_pending(ctx, f"job renew ({cause})")
    ran: list[Ran] = []
    busy: set[int] = set()
    while not stop():
        now = ctx.now()
        due = [(start, item) for start, item in _waiting(ctx) if start <= now and item.zone.id not in busy]
        if not due:
            break
        _, (zone, day) = min(due, key=lambda each: (each[0], each[1].zone.id))
        found = run_day(ctx, zone, day, LAST_PLACE, cause, watch, stop)
        if found is None:
            busy.add(zone.id)
        else:
            ran += found
    return ran


def note_done(ctx: Context) -> None:
    """Note every zone's today as done where nothing is due any more: after `run_due` (J3)."""
    with reading(ctx.engine) as connection:
        open_zones = {item.zone.id for item in zones.ahead(connection) if item.day <= ctx.today(item.zone.name)}
        behind = [(zone.id, ctx.today(zone.name)) for zone in zones.progress(connection) if zone.id not in open_zones]
    with writing(ctx.engine) as connection:
        zones.advance_all(connection, behind, LAST_PLACE)


def run_day(
    ctx: Context,
    zone: Progress,
    day: date,
    place: int,
    cause: str,
    watch: Watch = _nobody,
    stop: Stop = _never,
) -> list[Ran] | None:
    """Do what is due in a zone on or before a day, job after job up to `place`; None if others are at it."""
    with zone_lock(ctx.engine, zone.id) as held:
        if not held:
            return None
        ran: list[Ran] = []
        last = -1
        while not stop() and (due := _places_due(ctx, zone, day, place)):
            # What a job leaves for one before it in the day is done in a further round.
            last = min((p for p in due if p > last), default=due[0])
            ran.append(_run_job(ctx, zone, day, last, cause, watch, stop))
        with writing(ctx.engine) as connection:
            run_log.write(connection, zone.id, cause, ctx.now(), ran)
            if not stop():
                zones.advance_all(connection, [(zone.id, day)], place)
        return ran


def _places_due(ctx: Context, zone: Progress, day: date, place: int) -> list[int]:
    with reading(ctx.engine) as connection:
        return [p for p in zones.places_due(connection, zone.id, day) if p <= place]


def _run_job(ctx: Context, zone: Progress, day: date, place: int, cause: str, watch: Watch, stop: Stop) -> Ran:
    """One job for one zone and day, page after page until nothing is left."""
    job = JOBS[place].name
    started_at = ctx.now()
    done = aside = 0
    full_cause = f"job {job} {zone.name} {day} by {cause}"
    while not stop():
        page = _do_page(ctx, zone, day, place, full_cause)
        done, aside = done + page.done, aside + page.set_aside
        if page.done or page.set_aside:
            watch(Ran(job, zone.name, day, page.done, page.set_aside, started_at))
        if page.done + page.set_aside < ctx.page_size:
            break
    return Ran(job, zone.name, day, done, aside, started_at)


def _do_page(ctx: Context, zone: Progress, day: date, place: int, cause: str) -> due_work.Tally:
    if place != zones.QUOTES_PLACE:
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
