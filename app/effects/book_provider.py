"""The test payment provider of a live book: it keeps its own record in tables of its own.

It is asked outside our transactions, as a real one is, so that a crash between its yes and our record is a
real case.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, bindparam, insert, select, text

from app.domain.payments import Answer, ChargeRequest
from app.store import db
from app.store.engine import reading, writing

_ADD = text(
    "INSERT INTO provider_charge (key, csn, amount_minor, currency, as_of, taken) "
    "VALUES (:key, :csn, :amount_minor, :currency, :as_of, :taken) ON CONFLICT (key) DO NOTHING"
).bindparams(bindparam("as_of", type_=db.provider_charge.c.as_of.type))


class BookProvider:
    """Takes every charge, but for customers who are switched to declining at that instant (J3)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def charge(self, requests: Sequence[ChargeRequest]) -> list[Answer]:
        with writing(self._engine) as connection:
            known = _known(connection, [request.key for request in requests])
            switches = _switches(connection, {request.csn for request in requests})
            answers, rows = [], []
            for request in requests:
                answer = known.get(request.key) or _decide(request, switches)
                answers.append(answer)
                if request.key not in known:
                    known[request.key] = answer
                    rows.append(_row(request, answer))
            if rows:
                connection.execute(_ADD, rows)
                # Somebody else may have been asked with the same key meanwhile: the first answer stands.
                known = _known(connection, [request.key for request in requests])
                answers = [known[request.key] for request in requests]
        return answers

    def find(self, keys: Sequence[str]) -> list[Answer | None]:
        with reading(self._engine) as connection:
            known = _known(connection, keys)
        return [known.get(key) for key in keys]

    def set_declining(self, csn: str, at: datetime, declines: bool) -> None:
        with writing(self._engine) as connection:
            connection.execute(insert(db.provider_switch).values(csn=csn, at=at, declines=declines))


def _known(connection: Connection, keys: Sequence[str]) -> dict[str, Answer]:
    query = select(db.provider_charge.c.key, db.provider_charge.c.taken).where(db.provider_charge.c.key.in_(keys))
    return {key: Answer.TAKEN if taken else Answer.DECLINED for key, taken in connection.execute(query)}


def _switches(connection: Connection, csns: set[str]) -> dict[str, list[tuple[datetime, bool]]]:
    table = db.provider_switch.c
    query = select(table.csn, table.at, table.declines).where(table.csn.in_(csns)).order_by(table.id)
    found: dict[str, list[tuple[datetime, bool]]] = {}
    for csn, at, declines in connection.execute(query):
        found.setdefault(csn, []).append((at, declines))
    return found


def _decide(request: ChargeRequest, switches: dict[str, list[tuple[datetime, bool]]]) -> Answer:
    declines = False
    for at, declining in switches.get(request.csn, ()):
        if at <= request.as_of:
            declines = declining
    return Answer.DECLINED if declines else Answer.TAKEN


def _row(request: ChargeRequest, answer: Answer) -> dict[str, object]:
    return {
        "key": request.key,
        "csn": request.csn,
        "amount_minor": request.amount_minor,
        "currency": request.currency,
        "as_of": request.as_of,
        "taken": answer is Answer.TAKEN,
    }
