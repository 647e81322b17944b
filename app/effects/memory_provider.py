"""A payment provider inside the process, for simulations: it declines on command, as of a charge's own date."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime

from app.domain.payments import Answer, ChargeRequest


class MemoryProvider:
    """Takes every charge, but for customers who are switched to declining at that instant (J3)."""

    def __init__(self) -> None:
        self._switches: dict[str, list[tuple[datetime, bool]]] = {}
        self._answers: dict[str, Answer] = {}
        self.taken: list[ChargeRequest] = []

    def charge(self, requests: Sequence[ChargeRequest]) -> list[Answer]:
        return [self._charge(request) for request in requests]

    def _charge(self, request: ChargeRequest) -> Answer:
        known = self._answers.get(request.key)
        if known is not None:
            return known
        answer = Answer.DECLINED if self._declines(request.csn, request.as_of) else Answer.TAKEN
        self._answers[request.key] = answer
        if answer is Answer.TAKEN:
            self.taken.append(request)
        return answer

    def find(self, keys: Sequence[str]) -> list[Answer | None]:
        return [self._answers.get(key) for key in keys]

    def set_declining(self, csn: str, at: datetime, declines: bool) -> None:
        self._switches.setdefault(csn, []).append((at, declines))

    def _declines(self, csn: str, as_of: datetime) -> bool:
        switches = self._switches.get(csn)
        if not switches:
            return False
        place = bisect_right(switches, as_of, key=lambda switch: switch[0])
        return place > 0 and switches[place - 1][1]
