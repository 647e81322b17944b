"""What came of playing scenarios, and the one JSON document of `perennial simulate --json`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from jobs.scenario.matching import Check, plain


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline: something that happened.

    `at` is the local instant as ISO text. `from_` and `to` are states, None where nothing changed state;
    `sentence` tells people what happened, and is not part of the JSON.
    """

    at: str
    subject: str | None
    event: str
    from_: str | None
    to: str | None
    rule: str | None
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Played:
    """One scenario that was played to its end."""

    file: str
    title: str
    checks: list[Check]
    timeline: list[Moment]

    @property
    def passed(self) -> int:
        """How many checks held."""
        return sum(check.ok for check in self.checks)

    @property
    def failed(self) -> int:
        """How many checks did not hold."""
        return len(self.checks) - self.passed


def as_json(results: Sequence[Played]) -> dict[str, Any]:
    """The document of the format: plain values only. `passed` and `failed` count checks."""
    return {
        "scenarios": [_played(result) for result in results],
        "passed": sum(result.passed for result in results),
        "failed": sum(result.failed for result in results),
    }


def _played(result: Played) -> dict[str, Any]:
    return {
        "file": result.file,
        "title": result.title,
        "passed": result.passed,
        "failed": result.failed,
        "checks": [plain(asdict(check)) for check in result.checks],
        "timeline": [_moment(moment) for moment in result.timeline],
    }


def _moment(moment: Moment) -> dict[str, Any]:
    return {
        "at": plain(moment.at),
        "subject": moment.subject,
        "event": plain(moment.event),
        "from": plain(moment.from_),
        "to": plain(moment.to),
        "rule": moment.rule,
    }
