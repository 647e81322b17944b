"""The history of job runs: what ran, for which zone and day, and what it came to."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import insert

from app.services.context import Context
from app.store import db
from app.store.engine import writing


def write(
    ctx: Context, job: str, zone_id: int, day: date, cause: str, started_at: datetime, done: int, aside: int
) -> None:
    """Note a run that had something to do."""
    values = {
        "job": job,
        "zone_id": zone_id,
        "day": day,
        "cause": cause,
        "started_at": started_at,
        "finished_at": ctx.now(),
        "done": done,
        "set_aside": aside,
    }
    with writing(ctx.engine) as connection:
        connection.execute(insert(db.job_run).values(**values))
