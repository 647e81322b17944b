"""The time zones of the book, and how far each one's days are done (J2, J3)."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, text, update

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


def id_of(connection: Connection, name: str, now: datetime) -> int:
    """The zone's id; one that is new begins with yesterday done."""
    found = connection.execute(select(db.zone.c.id).where(db.zone.c.name == name)).scalar_one_or_none()
    if found is not None:
        return int(found)
    done_day = local_day(now, name) - ONE_DAY
    values = {"name": name, "done_day": done_day, "done_job": LAST_PLACE}
    return int(connection.execute(insert(db.zone).values(values).returning(db.zone.c.id)).scalar_one())


def progress(connection: Connection) -> list[Progress]:
    """Every zone of the book and how far it is."""
    query = select(db.zone.c.id, db.zone.c.name, db.zone.c.done_day, db.zone.c.done_job).order_by(
        db.zone.c.name
    )
    return [Progress(*row) for row in connection.execute(query)]


def advance(connection: Connection, zone_id: int, day: date, place: int) -> None:
    """Note that a zone is done up to a place of a day. It never goes back (J3)."""
    is_behind = (db.zone.c.done_day < day) | ((db.zone.c.done_day == day) & (db.zone.c.done_job < place))
    connection.execute(
        update(db.zone).where(db.zone.c.id == zone_id, is_behind).values(done_day=day, done_job=place)
    )


_FIRST_DUE = " UNION ALL ".join(
    "SELECT min(next_on) AS due_on FROM subscription WHERE zone_id = {0} "
    f"AND next_job = {place} AND next_on IS NOT NULL AND NOT stuck"
    for place in range(LAST_PLACE + 1)
)
_FIRST = text(
    "SELECT z.id, (SELECT min(due_on) FROM ("
    + _FIRST_DUE.replace("{0}", "z.id")
    + ") AS m), (SELECT min(valid_until) FROM quote WHERE quote.zone_id = z.id AND quote.state = 'open') "
    "FROM zone z"
)


def first_due(connection: Connection) -> dict[int, date]:
    """The earliest day on which something is due in each zone that has anything; index seeks only."""
    found: dict[int, date] = {}
    for zone_id, due_on, valid_until in connection.execute(_FIRST):
        days = [_day(due_on)] if due_on else []
        if valid_until:
            days.append(_day(valid_until) + ONE_DAY)
        if days:
            found[zone_id] = min(days)
    return found


def _day(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value
