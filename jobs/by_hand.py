"""Jobs run by a person: the same runner, for a day and up to a job of it (J3, J9)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from app.domain.calendar import day_start
from app.domain.errors import InvalidArgument
from app.domain.mail import Mailer
from app.services import delivery
from app.services.context import Context
from app.store import zones
from app.store.engine import reading
from app.store.zones import LAST_PLACE, Progress
from jobs import runner
from jobs.registry import BY_NAME
from jobs.run_log import Ran
from jobs.runner import Watch


@dataclass(slots=True)
class ByHand:
    """What a job run by hand came to, per zone: done before, done now, or busy in another process."""

    ran: list[Ran] = field(default_factory=list)
    done_before: list[str] = field(default_factory=list)
    not_begun: list[str] = field(default_factory=list)
    busy: list[str] = field(default_factory=list)
    delivered: delivery.Tally | None = None


def run_job(
    ctx: Context,
    name: str,
    on: date | None = None,
    mailer: Mailer | None = None,
    zone_name: str | None = None,
    watch: Watch = lambda _: None,
) -> ByHand:
    """Run a job for a day (today in each zone), after all that should have run before it (J9).

    Raises `InvalidArgument` for an unknown job or zone, or a day that has begun nowhere yet.
    """
    job = BY_NAME.get(name)
    if job is None:
        raise InvalidArgument(f"there is no job {name}; there are {', '.join(BY_NAME)}")
    if job.place is None:
        return ByHand(delivered=delivery.deliver(ctx, mailer or delivery.NoMailer()))
    chosen = _zones(ctx, zone_name)
    if on is not None and chosen and all(on > ctx.today(zone.name) for zone in chosen):
        raise InvalidArgument(f"{on} lies in the future")
    outcome = ByHand()
    targets = _targets(ctx, chosen, on, job.place, outcome)
    while targets:
        zone, day, is_last = _next_turn(ctx, targets)
        found = runner.run_day(ctx, zone, day, job.place if is_last else LAST_PLACE, "hand", watch)
        outcome.ran += found or []
        if found is None:
            outcome.busy.append(zone.name)
        if found is None or is_last:
            del targets[zone.id]
    return outcome


def _zones(ctx: Context, name: str | None) -> list[Progress]:
    with reading(ctx.engine) as connection:
        found = [zone for zone in zones.progress(connection) if name in (None, zone.name)]
    if name is not None and not found:
        raise InvalidArgument(f"no subscription is in the zone {name}")
    return found


def _targets(
    ctx: Context, chosen: list[Progress], on: date | None, place: int, outcome: ByHand
) -> dict[int, tuple[Progress, date]]:
    """The zones that have the job still before them, each with its day; the others are noted."""
    targets = {}
    for zone in chosen:
        today = ctx.today(zone.name)
        day = on or today
        if day > today:
            outcome.not_begun.append(zone.name)
        elif (zone.day, zone.place) >= (day, place):
            outcome.done_before.append(zone.name)
        else:
            targets[zone.id] = (zone, day)
    return targets


def _next_turn(ctx: Context, targets: dict[int, tuple[Progress, date]]) -> tuple[Progress, date, bool]:
    """The day that begins first among all zones, as when the daemon runs, and whether it is the job's own.

    A quote ends in its customer's zone, which may be before or after what ends its subscription in another.
    """
    with reading(ctx.engine) as connection:
        ahead = {item.zone.id: item.day for item in zones.ahead(connection)}
    turns = [(zone, min(day, ahead.get(zone.id, day)), day) for zone, day in targets.values()]
    zone, day, own = min(turns, key=lambda turn: (day_start(turn[1], turn[0].name), turn[0].id))
    return zone, day, day == own
