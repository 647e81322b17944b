"""Jobs run by a person: the same runner, for a day and up to a job of it (J3, J9)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from app.domain.errors import InvalidArgument
from app.domain.mail import Mailer
from app.services import delivery
from app.services.context import Context
from app.store import zones
from app.store.engine import reading
from app.store.zones import LAST_PLACE, Progress
from jobs import runner
from jobs.registry import BY_NAME
from jobs.runner import Ran, Watch


@dataclass(slots=True)
class ByHand:
    """What a job run by hand came to, per zone: done before, done now, or busy in another process."""

    ran: list[Ran] = field(default_factory=list)
    done_before: list[str] = field(default_factory=list)
    not_begun: list[str] = field(default_factory=list)
    busy: list[str] = field(default_factory=list)


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
        delivery.deliver(ctx, mailer or delivery.NoMailer())
        return ByHand()
    chosen = _zones(ctx, zone_name)
    if on is not None and chosen and all(on > ctx.today(zone.name) for zone in chosen):
        raise InvalidArgument(f"{on} lies in the future")
    outcome = ByHand()
    for zone in chosen:
        _run_zone(ctx, zone, on or ctx.today(zone.name), job.place, outcome, watch)
    return outcome


def _zones(ctx: Context, name: str | None) -> list[Progress]:
    with reading(ctx.engine) as connection:
        found = [zone for zone in zones.progress(connection) if name in (None, zone.name)]
    if name is not None and not found:
        raise InvalidArgument(f"no subscription is in the zone {name}")
    return found


def _run_zone(ctx: Context, zone: Progress, day: date, place: int, outcome: ByHand, watch: Watch) -> None:
    if day > ctx.today(zone.name):
        outcome.not_begun.append(zone.name)
        return
    if (zone.day, zone.place) >= (day, place):
        outcome.done_before.append(zone.name)
        return
    while (first := _first_due(ctx, zone)) is not None and first < day:
        found = runner.run_day(ctx, zone, first, LAST_PLACE, "hand", watch)
        if found is None:
            outcome.busy.append(zone.name)
            return
        outcome.ran += found
    found = runner.run_day(ctx, zone, day, place, "hand", watch)
    if found is None:
        outcome.busy.append(zone.name)
    else:
        outcome.ran += found


def _first_due(ctx: Context, zone: Progress) -> date | None:
    with reading(ctx.engine) as connection:
        return next((item.day for item in zones.ahead(connection) if item.zone.id == zone.id), None)
