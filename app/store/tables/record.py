"""What happened and what is to be told: the record, the outbox, the runs, what is set aside."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.domain.values import NoticeKind
from app.store.tables.base import one_of

_PENDING = text("state = 'pending'")


class Event(SQLModel, table=True):
    """The append-only record (S3): transitions, decisions and commands. Triggers refuse changes to it."""

    __tablename__ = "event"
    __table_args__ = (one_of("kind", ["transition", "decision", "command"]),)
    id: int | None = Field(default=None, primary_key=True)
    subscription_id: int | None = Field(default=None, foreign_key="subscription.id", index=True)
    customer_id: int | None = Field(default=None, foreign_key="customer.id")
    kind: str
    name: str
    from_state: str | None = None
    to_state: str | None = None
    effective_on: date
    recorded_at: datetime
    cause: str
    rule: str | None = None
    detail: str | None = None


class Notice(SQLModel, table=True):
    """An e-mail to one recipient: pending, then sent or dropped. Its key is that of W4b, ever.

    Rows with one `mail_key` and recipient are one mail, listed under each subscription.
    """

    __tablename__ = "notice"
    __table_args__ = (
        one_of("kind", NoticeKind),
        one_of("state", ["pending", "sent", "dropped"]),
        UniqueConstraint("subscription_id", "term_number", "kind", "due_on", "cause", "recipient"),
        Index("ix_notice_pending", "id", sqlite_where=_PENDING, postgresql_where=_PENDING),
    )
    id: int | None = Field(default=None, primary_key=True)
    subscription_id: int = Field(foreign_key="subscription.id")
    term_number: int
    kind: str
    due_on: date
    cause: str = ""
    recipient: str
    language: str
    mail_key: str | None = None
    state: str
    detail: str | None = None
    created_at: datetime
    settled_at: datetime | None = None


class JobRun(SQLModel, table=True):
    """A run of a job for a zone and day that had something to do."""

    __tablename__ = "job_run"
    __table_args__ = (Index("ix_job_run_when", "job", "zone_id", "day"),)
    id: int | None = Field(default=None, primary_key=True)
    job: str
    zone_id: int | None = Field(default=None, foreign_key="zone.id")
    day: date
    cause: str
    started_at: datetime
    finished_at: datetime
    done: int
    set_aside: int


class Stuck(SQLModel, table=True):
    """A subscription that could not be processed, with why; tried again (J5)."""

    __tablename__ = "stuck"
    subscription_id: int = Field(foreign_key="subscription.id", primary_key=True)
    due: str
    due_on: date
    error: str
    tries: int
    first_at: datetime
    last_at: datetime
