"""What is wrong with a scenario file, said so that its author finds the place: file, line and key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from app.explain import Path, dotted, nearest, problems
from app.yaml12 import Document

Model = TypeVar("Model", bound=BaseModel)

_ENTRY = {
    "steps": "step",
    "customers": "customer",
    "subscriptions": "subscription",
    "promotions": "promotion",
}


class ScenarioMistake(Exception):
    """The file cannot be played (exit status 2). Each line of the text names file, line and key."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class Mistakes:
    """Collects what is wrong with one document, so that its author hears of everything at once."""

    def __init__(self, file: str, document: Document) -> None:
        self.file = file
        self._document = document
        self._found: dict[tuple[int, str], str] = {}

    def add(self, path: Path, message: str) -> None:
        """Note a mistake at `path`; only the first at each place counts."""
        line, key = self.line(path), key_of(path)
        self._found.setdefault((line, key), f"{self.file}:{line}: {key}: {message}")

    def raise_if_any(self) -> None:
        """Raises ScenarioMistake with everything found so far, in the order of the file."""
        if self._found:
            raise ScenarioMistake([text for _, text in sorted(self._found.items())])

    def line(self, path: Path) -> int:
        """The line of the key or entry at `path`, or of its nearest parent that stands in the file."""
        return self._document.line(path)

    def parse(self, model: type[Model], value: object, path: Path) -> Model | None:
        """`value` as the model, or None after noting what is wrong with it."""
        try:
            return model.model_validate(value)
        except ValidationError as error:
            for problem in problems(error, value, model):
                self.add((*path, *problem.path), problem.sentence)
            return None


def key_of(path: Path) -> str:
    """How a person names the place: `step 3: expect.S1.state`. Entries are counted from one."""
    if len(path) >= 2 and path[0] in _ENTRY and isinstance(path[1], int):
        head = f"{_ENTRY[str(path[0])]} {path[1] + 1}"
        return f"{head}: {dotted(path[2:])}" if len(path) > 2 else head
    return dotted(path) if path else "the file"


def unknown(what: str, word: object, known: Iterable[str]) -> str:
    """`unknown command "reenw"; did you mean "renew"?`"""
    shown = str(word)[:60]
    return f'unknown {what} "{shown}"{nearest(shown, known)}'
