"""Reading `expect:`: which subject, which field, and the value as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.explain import Path
from jobs.scenario.commands import Command
from jobs.scenario.commands.renewing import RenewalGroups
from jobs.scenario.fields import text
from jobs.scenario.mistakes import Mistakes, unknown
from jobs.scenario.names import Names
from jobs.scenario.story import About, Expectation, Plain
from jobs.scenario.vocabulary import (
    CUSTOMER,
    GROUPS,
    LISTS,
    OUTCOME,
    QUOTE,
    SUBSCRIPTION,
    Entries,
    Kind,
    Name,
    Nested,
    Scalar,
    Word,
)


class ExpectReader:
    """Reads one step's `expect:`; what is wrong goes to `mistakes`."""

    def __init__(self, names: Names, mistakes: Mistakes) -> None:
        self._names = names
        self._mistakes = mistakes

    def read(self, given: object, command: Command | None, path: Path) -> tuple[Expectation, ...]:
        """Everything that a step expects, in the order of the file."""
        return tuple(
            expectation
            for key, value, where in self._pairs(given, path)
            for expectation in self._one(key, value, command, where)
        )

    def _one(self, key: str, value: object, command: Command | None, path: Path) -> Iterator[Expectation]:
        if key == "groups":
            yield from self._groups(value, command, path)
        elif key == "outcomes":
            yield from self._outcomes(value, command, path)
        elif key in LISTS:
            for subject, rows, where in self._pairs(value, path):
                if self._is_subscription(subject, where):
                    plain = self._list(rows, LISTS[key], where)
                    yield Expectation(About.ROWS, subject, key, plain)
        else:
            yield from self._fields(key, value, path)

    def _fields(self, subject: str, value: object, path: Path) -> Iterator[Expectation]:
        found = self._kind_of(subject)
        if found is None:
            self._mistakes.add(path, unknown("subject", subject, [*self._subjects(), *LISTS]))
            return
        about, known = found
        for field, expected, where in self._pairs(value, path):
            kind = known.fields.get(field)
            if kind is None:
                self._mistakes.add(where, unknown("field", field, known.fields))
            else:
                yield Expectation(about, subject, field, self._plain(expected, kind, where))

    def _groups(self, value: object, command: Command | None, path: Path) -> Iterator[Expectation]:
        if isinstance(command, RenewalGroups):
            yield Expectation(About.GROUPS, None, "groups", self._list(value, GROUPS, path))
        else:
            self._mistakes.add(path, "groups are the answer of renewal_groups; this step does not ask")

    def _outcomes(self, value: object, command: Command | None, path: Path) -> Iterator[Expectation]:
        if command is None or not command.is_bulk:
            self._mistakes.add(path, "outcomes are those of a bulk command (renew, set_auto_renew)")
            return
        members = getattr(command, "subscriptions", ())
        for subject, outcome, where in self._pairs(value, path):
            if subject not in members:
                self._mistakes.add(where, f"{subject[:60]!r} is not among the command's subscriptions")
            elif outcome is None:
                self._mistakes.add(where, "must be ok or an error code")
            else:
                plain = self._plain(outcome, OUTCOME, where)
                yield Expectation(About.OUTCOMES, subject, "outcomes", plain)

    # ------------------------------------------------------------ names

    def _kind_of(self, subject: str) -> tuple[About, Nested] | None:
        names = self._names
        tried = names.tried.get(subject, ())
        if subject in names.subscriptions or "subscriptions" in tried:
            return About.SUBSCRIPTION, SUBSCRIPTION
        if subject in names.quotes or "quotes" in tried:
            return About.QUOTE, QUOTE
        return (About.CUSTOMER, CUSTOMER) if subject in names.customers else None

    def _subjects(self) -> set[str]:
        return self._names.subscriptions | self._names.quotes | self._names.customers

    def _is_subscription(self, subject: str, path: Path) -> bool:
        found = self._kind_of(subject)
        if found is None or found[0] is not About.SUBSCRIPTION:
            self._mistakes.add(path, unknown("subscription", subject, self._names.subscriptions))
            return False
        return True

    # ------------------------------------------------------------ values

    def _plain(self, value: object, kind: Kind, path: Path) -> Plain:
        """The value as plain data. Null is always possible: a subject may have nothing there."""
        if value is None:
            return None
        if isinstance(kind, Nested):
            return self._mapping(value, kind, path)
        if isinstance(kind, Entries):
            return self._list(value, kind, path)
        try:
            return self._scalar(value, kind, path)
        except ValueError as mistake:
            self._mistakes.add(path, str(mistake))
            return None

    def _scalar(self, value: object, kind: Word | Name | Scalar, path: Path) -> Plain:
        """A single value; raises ValueError with what it must be."""
        if isinstance(kind, Word):
            if value not in kind.words:
                raise ValueError(unknown(kind.what, value, kind.words))
            return str(value)
        if isinstance(kind, Name):
            known = self._names.offerings if kind.kind == "offering" else self._names.subscriptions
            name = text(value)
            if name not in known:
                raise ValueError(unknown(kind.kind, name, known))
            return name
        return kind(value)

    def _mapping(self, value: object, kind: Nested, path: Path) -> Plain:
        plain: dict[str, Any] = {}
        for key, inner, where in self._pairs(value, path):
            known = kind.fields.get(key)
            if known is None:
                self._mistakes.add(where, unknown("field", key, kind.fields))
            else:
                plain[key] = self._plain(inner, known, where)
        return plain

    def _list(self, value: object, kind: Entries, path: Path) -> Plain:
        if not isinstance(value, list):
            self._mistakes.add(path, "must be a list")
            return []
        for index, one in enumerate(value):
            if one is None:
                self._mistakes.add((*path, index), "is empty")
        return [self._plain(one, kind.each, (*path, index)) for index, one in enumerate(value)]

    def _pairs(self, value: object, path: Path) -> Iterator[tuple[str, object, Path]]:
        """The entries of a mapping, each with its place."""
        if not isinstance(value, dict):
            self._mistakes.add(path, "must be a map of keys and values")
            return
        for key, inner in value.items():
            yield key, inner, (*path, key)
