"""YAML as version 1.2 reads it, with the line of every value.

PyYAML speaks YAML 1.1: `country: NO` is false there, `on:` is a key named True, 12.50 is a binary float and
the second of two equal keys wins in silence. Here only `true` and `false` are booleans, a decimal number
stays the text that was written (money never goes through a float), days and times stay text, and what is
ambiguous is refused with its line. Of PyYAML only the parser's events are used, nothing that resolves them.
"""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from app.explain import Path, explain

__all__ = ["Document", "YamlMistake", "explain", "load", "read", "value"]

# The parser in C is some ten times quicker; both give the same events.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Event = Any
"""One of yaml's events: the common base of its stubs has neither anchor nor tag."""

_DEEPEST = 50
_LARGEST = 1_000_000
"""Values in one document, aliases counted each time: a few lines of nested aliases can mean billions."""
_WHOLE = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_CONTROL = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_HINTS = {
    "mapping values are not allowed": 'has a ": " where none may stand; text with one stands in quotes',
    "cannot start any token": "has a tab or a sign such as @ or % where a value begins; quote text",
}
"""What people can do about the two commonest messages of the parser."""


class YamlMistake(Exception):
    """A text is not the YAML we read. `str()` is one line: `file:line: what is wrong`."""

    def __init__(self, source: str, line: int, message: str) -> None:
        place = f"{source}:{line}" if line else source
        super().__init__(f"{place}: {message}")
        self.source, self.line, self.message = source, line, message


@dataclass(frozen=True, slots=True)
class Document:
    """What a text says (`data`: dict, list, str, int, bool, None) and where it says it."""

    data: Any
    source: str
    lines: dict[Path, int] = field(default_factory=dict, repr=False)

    def line(self, path: Path = ()) -> int:
        """The line, from 1, of the key or list entry at a path, or of its nearest parent."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def where(self, path: Path) -> str:
        return f"{self.source}:{self.line(path)}"


def read(path: pathlib.Path) -> Document:
    """The document in a file; a file that cannot be read is a YamlMistake too (line 0: it has none)."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise YamlMistake(str(path), 0, f"cannot be read: {error.strerror or error}") from None
    return load(content, str(path))


def load(text: str | bytes, source: str) -> Document:
    """The document in a text, whose top must be a map. `source` names the text in messages."""
    document = value(text, source)
    if document.data is None:
        raise YamlMistake(source, 1, "is empty; a map of keys and values is needed")
    if not isinstance(document.data, dict):
        kind = "a list" if isinstance(document.data, list) else "a single value"
        raise YamlMistake(source, document.line(), f"the top must be a map of keys and values, not {kind}")
    return document


def value(text: str | bytes, source: str) -> Document:
    """Like `load`, for any value: a scalar, a list, a map, or nothing (None)."""
    readable = _readable(text, source)
    try:
        return _Builder(yaml.parse(readable, Loader=_LOADER), source).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        context = f" ({error.context})" if error.context else ""
        # Only the words: PyYAML's own text repeats the line, which may hold a secret.
        hint = next((said for known, said in _HINTS.items() if known in str(error.problem)), "")
        # The end of the text may be a line that nobody sees.
        line = min(_line(mark), len(readable.splitlines()))
        raise YamlMistake(source, line, hint or f"{error.problem}{context}") from None
    except yaml.YAMLError:
        raise YamlMistake(source, 1, "is not YAML") from None


def _line(mark: Any) -> int:
    """People count lines from 1."""
    return int(mark.line) + 1 if mark else 1


def _readable(text: str | bytes, source: str) -> str:
    """The text as characters that YAML allows."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            raise YamlMistake(source, line, "is not text in UTF-8") from None
    if unreadable := _CONTROL.search(text):
        line = text.count("\n", 0, unreadable.start()) + 1
        raise YamlMistake(source, line, f"has a character that is no text (U+{ord(unreadable[0]):04X})")
    return text.removeprefix("\ufeff")


class _Builder:
    """Turns the parser's events into plain values, one call per nesting level, and notes their lines."""

    def __init__(self, events: Iterator[Event], source: str) -> None:
        self._events = events
        self._source = source
        self._lines: dict[Path, int] = {}
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._size = 0

    def document(self) -> Document:
        """The one document of the text; None when there is nothing but comments."""
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return Document(None, self._source)
        data = self._node(next(self._events), ())
        next(self._events)
        if not isinstance(another := next(self._events), yaml.StreamEndEvent):
            raise self._mistake(another, "a second document begins here; a file holds one")
        return Document(data, self._source, self._lines)

    def _node(self, event: Event, path: Path) -> Any:
        self._lines.setdefault(path, _line(event.start_mark))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before = self._size
        self._count(event, 1)
        found = self._content(event, path)
        if event.anchor:
            self._anchors[event.anchor] = (found, self._size - before)
        return found

    def _content(self, event: Event, path: Path) -> Any:
        if event.tag:
            raise self._mistake(event, f'tags such as "{event.tag}" are not read; text stands in quotes')
        if len(path) > _DEEPEST:
            raise self._mistake(event, f"is nested more than {_DEEPEST} levels deep")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(path)
        return self._map(path)

    def _alias(self, event: yaml.AliasEvent) -> Any:
        """What an anchor stands for. An anchor inside itself is not finished, so it is not known yet."""
        if event.anchor not in self._anchors:
            raise self._mistake(event, f"the alias *{event.anchor} has no finished anchor before it")
        found, size = self._anchors[event.anchor]
        self._count(event, size)
        return found

    def _count(self, event: Event, size: int) -> None:
        self._size += size
        if self._size > _LARGEST:
            raise self._mistake(event, f"holds more than {_LARGEST} values (aliases inside aliases?)")

    def _scalar(self, event: yaml.ScalarEvent) -> str | int | bool | None:
        text: str = event.value
        if _CONTROL.search(text) and any("\ud800" <= each <= "\udfff" for each in text):
            raise self._mistake(event, "has half a character (a lone surrogate)")
        if event.style:
            return text
        if text in _WORDS:
            return _WORDS[text]
        return self._whole(event, text) if _WHOLE.fullmatch(text) else text

    def _whole(self, event: Event, text: str) -> int:
        if len(text) > 18:
            raise self._mistake(event, "is a whole number of more than 18 digits; if it is a name, quote it")
        return int(text, 0 if text[:2] in ("0o", "0x") else 10)

    def _list(self, path: Path) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._node(event, (*path, len(found))))
        return found

    def _map(self, path: Path) -> dict[str, Any]:
        own: dict[str, Any] = {}
        below: list[dict[str, Any]] = []
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, own)
            self._lines[*path, key] = _line(event.start_mark)
            found = self._node(next(self._events), (*path, key))
            if key == "<<" and not event.style:
                below += self._merged(event, found)
            else:
                own[key] = found
        for each in below:
            own = each | own
        return own

    def _key(self, event: Event, own: dict[str, Any]) -> str:
        """A key is always the text that was written: `on`, `NO`, 2026-01-01 and 5100000001 alike."""
        if not isinstance(event, yaml.ScalarEvent) or event.tag or not event.value:
            raise self._mistake(event, "a key must be a plain word")
        if event.value in own:
            raise self._mistake(event, f'the key "{event.value}" stands here a second time')
        self._count(event, 1)
        self._scalar(event)
        return str(event.value)

    def _merged(self, event: Event, found: Any) -> list[dict[str, Any]]:
        maps = found if isinstance(found, list) else [found]
        if not all(isinstance(each, dict) for each in maps):
            raise self._mistake(event, "<< takes a map, or a list of maps")
        return maps

    def _mistake(self, event: Event, message: str) -> YamlMistake:
        return YamlMistake(self._source, _line(event.start_mark), message)
