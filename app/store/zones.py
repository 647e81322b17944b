"""The time zones of the book, and how far each one's days are done (J2, J3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection, Date, bindparam, select, text, update

from app.domain.calendar import ONE_DAY, local_day
from app.store import db

LAST_PLACE = 11
"""Place of the day's last job (J1)."""


class Progress(NamedTuple):
    """All jobs up to `place` of `day`, and all days before, are done in a zone."""

    id: int
    name: str
    day: date
    place: int


class Ahead(NamedTuple):
    """A zone and the first day on which anything is due in it."""

    zone: Progress
    day: date


_ADD = text(
    "INSERT INTO zone (name, done_day, done_job) VALUES (:name, :day, :place) ON CONFLICT (name) DO NOTHING"
).bindparams(bindparam("day", type_=Date))


def id_of(connection: Connection, name: str, now: datetime) -> int:
    """The zone's id; one that is new begins with yesterday done."""
    found = connection.execute(select(db.zone.c.id).where(db.zone.c.name == name)).scalar_one_or_none()
    if found is not None:
        return int(found)
    done_day = local_day(now, name) - ONE_DAY
    connection.execute(_ADD, {"name": name, "day": done_day, "place": LAST_PLACE})
    return int(connection.execute(select(db.zone.c.id).where(db.zone.c.name == name)).scalar_one())


def progress(connection: Connection) -> list[Progress]:
    """Every zone of the book and how far it is."""
    query = select(db.zone.c.id, db.zone.c.name, db.zone.c.done_day, db.zone.c.done_job).order_by(db.zone.c.name)
    return [Progress(*row) for row in connection.execute(query)]


_ADVANCE = (
    update(db.zone)
    .where(
        db.zone.c.id == bindparam("zone"),
        (db.zone.c.done_day < bindparam("day"))
        | ((db.zone.c.done_day == bindparam("day")) & (db.zone.c.done_job < bindparam("place"))),
    )
    .values(done_day=bindparam("day"), done_job=bindparam("place"))
)


def advance_all(connection: Connection, done: Sequence[tuple[int, date]], place: int) -> None:
    """Note zones (id, day) as done up to a place of that day. None ever goes back (J3)."""
    if done:
        connection.execute(_ADVANCE, [{"zone": id_, "day": day, "place": place} for id_, day in done])


QUOTES_PLACE = 3
"""Place of `expire_quotes`, the one job that looks for quotes instead of subscriptions."""


def _first_due_of(place: int) -> str:
    """The first day on which a job has something to do in zone `z`: one seek in an index."""
    if place == QUOTES_PLACE:
        return "SELECT min(q.valid_until) FROM quote q WHERE q.zone_id = z.id AND q.state = 'open'"
    return (
        f"SELECT min(s.next_on) FROM subscription s WHERE s.zone_id = z.id AND s.next_job = {place} "
        "AND s.next_on IS NOT NULL AND NOT s.stuck"
    )


_COLUMNS = ", ".join(f"({_first_due_of(place)})" for place in range(LAST_PLACE + 1))
_LOOK = text(f"SELECT z.id, z.name, z.done_day, z.done_job, {_COLUMNS} FROM zone z ORDER BY z.name")
_LOOK_AT_ONE = text(f"SELECT {_COLUMNS} FROM zone z WHERE z.id = :zone")


def ahead(connection: Connection) -> list[Ahead]:
    """Every zone in which anything is due ever, with its first day; index seeks only."""
    found = []
    for row in connection.execute(_LOOK):
        days = [day for day in _days(row[4:]) if day is not None]
        if days:
            found.append(Ahead(Progress(row[0], row[1], _day(row[2]), row[3]), min(days)))
    return found


def places_due(connection: Connection, zone_id: int, day: date) -> list[int]:
    """The jobs that have something to do in a zone on or before a day, in the order of the day."""
    row = connection.execute(_LOOK_AT_ONE, {"zone": zone_id}).one()
    return [place for place, first in enumerate(_days(row)) if first is not None and first <= day]


def _days(columns: Sequence[date | str | None]) -> list[date | None]:
    """Per job; a quote is due the day after its last."""
    days = [None if value is None else _day(value) for value in columns]
    last_day = days[QUOTES_PLACE]
    days[QUOTES_PLACE] = None if last_day is None else last_day + ONE_DAY
    return days


def _day(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value
