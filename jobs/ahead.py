"""How much lies ahead of a catch-up: days not done yet, and what is due in them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from app.services.context import Context
from app.store import db, zones
from app.store.engine import reading
from app.store.zones import LAST_PLACE
from jobs.registry import JOBS


@dataclass(frozen=True, slots=True)
class ZoneAhead:
    """One zone's backlog: days that have begun and are not done, and due work by job."""

    zone: str
    days: int
    due: dict[str, int]


def look(ctx: Context) -> list[ZoneAhead]:
    """The backlog of every zone that has one. Counts what is due, so it costs what the backlog is."""
    found = []
    with reading(ctx.engine) as connection:
        for zone in zones.progress(connection):
            today = ctx.today(zone.name)
            days = (today - zone.day).days + (zone.place < LAST_PLACE)
            c = db.subscription.c
            query = (
                select(c.next_job, func.count())
                .where(c.zone_id == zone.id, c.next_on <= today, c.stuck.is_(False))
                .group_by(c.next_job)
            )
            due = {JOBS[place].name: count for place, count in connection.execute(query)}
            if due or days > 0:
                found.append(ZoneAhead(zone.name, max(days, 0), due))
    return found


def lines(backlog: list[ZoneAhead]) -> list[str]:
    """What a person is told before a catch-up begins."""
    if not backlog:
        return ["Everything is done up to today."]
    days = max(zone.days for zone in backlog)
    due = sum(sum(zone.due.values()) for zone in backlog)
    told = [f"Ahead: {days} day(s) in {len(backlog)} time zone(s), {due} subscription(s) with something due first."]
    by_job: dict[str, int] = {}
    for zone in backlog:
        for job, count in zone.due.items():
            by_job[job] = by_job.get(job, 0) + count
    if by_job:
        told.append("First: " + ", ".join(f"{job} {count}" for job, count in by_job.items()) + ".")
    return told
