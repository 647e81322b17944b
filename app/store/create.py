"""Making an empty database in one go, for simulations and tests; a live book is migrated (Alembic)."""

from __future__ import annotations

from sqlalchemy import DDL, Engine, event
from sqlmodel import SQLModel

from app.store import db

_SQLITE_REFUSAL = (
    "CREATE TRIGGER event_is_append_only_{0} BEFORE {1} ON event "
    "BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END"
)
_POSTGRES_FUNCTION = (
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the record is append-only'; END $$"
)
_POSTGRES_REFUSAL = (
    "CREATE TRIGGER event_is_append_only BEFORE UPDATE OR DELETE ON event FOR EACH ROW EXECUTE FUNCTION refuse_change()"
)

APPEND_ONLY: dict[str, tuple[str, ...]] = {
    "sqlite": tuple(_SQLITE_REFUSAL.format(verb.lower(), verb) for verb in ("UPDATE", "DELETE")),
    "postgresql": (_POSTGRES_FUNCTION, _POSTGRES_REFUSAL),
}
"""The statements that make the record append-only (S3), by database."""

for _dialect, _statements in APPEND_ONLY.items():
    for _statement in _statements:
        event.listen(
            db.event,
            "after_create",
            DDL(_statement.replace("%", "%%")).execute_if(dialect=_dialect),  # type: ignore[no-untyped-call]
        )


def create_all(engine: Engine) -> None:
    """Create every table and trigger in an empty database."""
    with engine.begin() as connection:
        SQLModel.metadata.create_all(connection)
