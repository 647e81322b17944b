"""The history of job runs: what ran, for which zone and day, and what it came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, insert

from app.store import db


@dataclass(frozen=True, slots=True)
class Ran:
    """A run of a job for a zone and day."""

    job: str
    zone: str
    day: date
    done: int
    set_aside: int
    started_at: datetime


def write(connection: Connection, zone_id: int, cause: str, finished_at: datetime, runs: Sequence[Ran]) -> None:
    """Note the runs of a zone's day that had something to do; `finished_at` is the end of them all."""
    rows = [
        {
            "job": ran.job,
            "zone_id": zone_id,
            "day": ran.day,
            "cause": cause,
            "started_at": ran.started_at,
            "finished_at": finished_at,
            "done": ran.done,
            "set_aside": ran.set_aside,
        }
        for ran in runs
        if ran.done or ran.set_aside
    ]
    if rows:
        connection.execute(insert(db.job_run), rows)
