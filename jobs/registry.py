"""The day on one screen: every job in its order, with what it does and the rules behind it (J1)."""

from __future__ import annotations

from typing import NamedTuple

from app.services.due_work import JOB_NAMES


class Job(NamedTuple):
    """A job of the day. `place` is its turn; `deliver` has none and runs every minute."""

    name: str
    place: int | None
    does: str
    rules: str


_DAILY = (
    ("bill_installments", "bills the yearly parts of three-year terms and charges them", "I1 I2"),
    ("collect", "tries declined charges again, tells payers what is past due", "A6 I2 B4"),
    ("end_trials", "ends trials whose last day has passed", "O4"),
    ("expire_quotes", "closes quotes whose last day has passed", "Q7"),
    ("renew", "charges the next term of what renews by itself", "A2 L6"),
    ("start_terms", "begins terms that were bought early", "M2 T1"),
    ("expire", "begins the shutoff the day after X", "L2 L3"),
    ("suspend", "ends access when the first stage is over", "L3"),
    ("cancel", "ends what was not renewed or paid for good", "L3 L4 L5 L9"),
    ("open_windows", "opens renewal windows and tells who must act", "W1 W2"),
    ("issue_quotes", "decides the automatic quotes", "Q10"),
    ("remind", "sends renewal reminders", "W3"),
)

JOBS: tuple[Job, ...] = (
    *(Job(name, place, does, rules) for place, (name, does, rules) in enumerate(_DAILY)),
    Job("deliver", None, "hands over what waits in the outbox, every minute", "W4 J1"),
)
assert tuple(job.name for job in JOBS[:-1]) == JOB_NAMES

BY_NAME = {job.name: job for job in JOBS}
