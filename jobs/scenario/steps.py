"""Reading the steps of a scenario: when, what is done, whether it is refused, and what must hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.domain.calendar import local_day
from app.domain.errors import CODES, UnknownSubject
from app.explain import Path
from jobs.scenario.commands import COMMANDS, Command
from jobs.scenario.expectations import ExpectReader
from jobs.scenario.instants import instant, noon
from jobs.scenario.mistakes import Mistakes, unknown
from jobs.scenario.names import Names, created, mentioned, stranger
from jobs.scenario.schema import Sheet, StepKeys
from jobs.scenario.story import Expectation, Step


class StepReader:
    """Reads the steps in order; what one brings into being the next can speak of."""

    def __init__(self, names: Names, mistakes: Mistakes, sheet: Sheet) -> None:
        self._names = names
        self._mistakes = mistakes
        self._sheet = sheet
        self._expect = ExpectReader(names, mistakes)
        self._latest: datetime | None = None

    def read(self, given: object, index: int) -> Step | None:
        """One step, or None after noting what is wrong with it."""
        path: Path = ("steps", index)
        if not isinstance(given, dict):
            self._mistakes.add(path, "must be a map of keys and values")
            return None
        keys, parameters = _divided(given)
        head = self._mistakes.parse(StepKeys, keys, path)
        if head is None:
            return None
        when = self._instant(head, path)
        command = self._command(head, parameters, path)
        self._check_head(head, path)
        expect: tuple[Expectation, ...] = ()
        if head.expect is not None:
            expect = self._expect.read(head.expect, command, (*path, "expect"))
        if when is None:
            return None
        label = head.at or str(head.on)
        line = self._mistakes.line(path)
        return Step(index + 1, line, label, when, command, head.fails, expect)

    def _check_head(self, head: StepKeys, path: Path) -> None:
        if head.do is None and not head.expect:
            self._mistakes.add(path, "needs do or expect")
        if head.fails is None:
            return
        if head.fails not in CODES:
            self._mistakes.add((*path, "fails"), unknown("error code", head.fails, CODES))
        if head.do is None:
            self._mistakes.add((*path, "fails"), "needs do: there is nothing that could be refused")

    # ------------------------------------------------------------ when

    def _instant(self, head: StepKeys, path: Path) -> datetime | None:
        """The step's instant in UTC; steps stand in order of time and within the scenario's days."""
        if (head.on is None) == (head.at is None):
            self._mistakes.add(path, "needs either on or at")
            return None
        where: Path = (*path, "on" if head.at is None else "at")
        try:
            when = self._resolved(head)
        except ValueError as mistake:
            self._mistakes.add(where, str(mistake))
            return None
        day = local_day(when, self._sheet.timezone)
        if not self._sheet.start <= day <= self._sheet.end:
            self._mistakes.add(where, f"lies outside {self._sheet.start} to {self._sheet.end}")
        if self._latest is not None and when < self._latest:
            self._mistakes.add(where, "lies before the step above it: steps stand in order of time")
        self._latest = when
        return when

    def _resolved(self, head: StepKeys) -> datetime:
        if head.at is not None:
            return instant(head.at, self._sheet.timezone)
        assert head.on is not None
        return noon(head.on, self._sheet.timezone)

    # ------------------------------------------------------------ what

    def _command(self, head: StepKeys, parameters: dict[str, Any], path: Path) -> Command | None:
        """The command with its parameters; `names` then knows what it brings into being."""
        if head.do is None:
            for key in parameters:
                self._mistakes.add((*path, key), unknown("key", key, StepKeys.model_fields))
            return None
        model = COMMANDS.get(head.do)
        if model is None:
            self._mistakes.add((*path, "do"), unknown("command", head.do, COMMANDS))
            return None
        command = self._mistakes.parse(model, {**parameters, "do": head.do}, path)
        if command is None:
            return None
        if head.fails != UnknownSubject.code:
            self._check_mentioned(command, _excused(head.expect), path)
        self._name_created(command, head.fails is not None, path)
        return command

    def _check_mentioned(self, command: Command, excused: set[str], path: Path) -> None:
        for kind, name, key in mentioned(command):
            why = None if name in excused else stranger(kind, name, self._names)
            if why is not None:
                self._mistakes.add((*path, *key), why)

    def _name_created(self, command: Command, is_refused: bool, path: Path) -> None:
        """A command that is refused makes nothing: its names stay free."""
        for kinds, name, key in list(created(command, self._names)):
            if is_refused:
                self._names.tried[name] = kinds
                continue
            why_not = self._names.why_not(name)
            if why_not is not None:
                self._mistakes.add((*path, *key), why_not)
            self._names.learn(kinds, name)


def _divided(step: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The step's own keys, and its command's parameters."""
    own = {key: value for key, value in step.items() if key in StepKeys.model_fields}
    return own, {key: value for key, value in step.items() if key not in own}


def _excused(expect: dict[str, Any] | None) -> set[str]:
    """Ids of a bulk command of which the step itself says that they do not exist."""
    outcomes = (expect or {}).get("outcomes")
    if not isinstance(outcomes, dict):
        return set()
    return {str(name) for name, outcome in outcomes.items() if outcome == UnknownSubject.code}
