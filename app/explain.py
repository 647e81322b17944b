"""Mistakes in what people wrote, in a person's words: where it stands, what is wrong, what is allowed.

Used for `config.yaml`, the environment and scenario files. What was written is shown only where it cannot be
a secret: nothing under a key that smells of one is ever repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Protocol

from pydantic import PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]
"""Where a value stands: keys, and positions in lists counted from 0."""


class Origin(Protocol):
    """Something people wrote, that knows where each of its values was written."""

    @property
    def data(self) -> Any: ...

    def where(self, path: Path) -> str:
        """`file:line` (or the name of a variable) of the value at a path, or of its nearest parent."""
        ...


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: at which key, and a sentence that says what is wrong and what is allowed."""

    path: Path
    sentence: str

    def line(self, place: str) -> str:
        return f"{place}: {dotted(self.path)}: {self.sentence}"


def dotted(path: Path) -> str:
    """A path as people write it: `promotions[0].percent`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "the whole"


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?`, or nothing when no known word is near."""
    by_lower = {each.lower(): each for each in known}
    near = get_close_matches(word.lower(), by_lower, n=3, cutoff=0.6)
    return "; did you mean " + " or ".join(f'"{by_lower[each]}"' for each in near) + "?" if near else ""


def one_of(words: Sequence[str], limit: int = 30) -> str:
    """What is allowed, as a list that stays readable."""
    return ", ".join(words[:limit]) + (", …" if len(words) > limit else "")


def explain(error: ValidationError, origin: Origin, model: Any = None) -> list[str]:
    """Each mistake as one line.

    `model` is what the data was validated against (a type or TypeAdapter); with it an unknown key is answered
    with the keys that are known there.
    """
    return [problem.line(origin.where(problem.path)) for problem in problems(error, origin.data, model)]


def problems(error: ValidationError, data: Any, model: Any = None) -> list[Problem]:
    """The mistakes of a validation. What a union's members say about one value is one sentence."""
    schema = json_schema(model)
    found: dict[Path, dict[str, None]] = {}
    for detail in error.errors(include_url=False):
        path = _written_path(detail, data)
        found.setdefault(path, {})[_sentence(detail, path, schema)] = None
    return [Problem(path, ", or ".join(sentences)) for path, sentences in found.items()]


def _written_path(detail: ErrorDetails, data: Any) -> Path:
    """The part of pydantic's location that stands in the file: it also names union members and `[key]`."""
    path: list[str | int] = []
    for part in detail["loc"]:
        if holds(data, part):
            data = data[part]
            path.append(part)
    return (*path, detail["loc"][-1]) if detail["type"] == "missing" else tuple(path)


def holds(data: Any, part: str | int) -> bool:
    """Whether one part of a path leads somewhere."""
    if isinstance(data, list):
        return isinstance(part, int) and part < len(data)
    return isinstance(data, dict) and part in data


# ------------------------------------------------------------------ sentences

_MAP = "must be a map of keys and values"
_DATE = "must be a day such as 2026-12-31"
_INSTANT = "must be a date and time such as 2026-06-10T00:00:00"
_DECIMAL = 'must be a decimal number such as "12.50"'
_WHOLE = "must be a whole number, without quotes"
_BOOL = "must be true or false, in small letters and without quotes"
_SENTENCES = {
    "missing": "is missing, and needed here",
    "date": _DATE,
    "datetime": _INSTANT,
    "timezone": "must be an instant with its offset",
    "time": "must be a time such as 12:00:00",
    "decimal": _DECIMAL,
    "finite": _DECIMAL,
    "int": _WHOLE,
    "float": "must be a number",
    "bool": _BOOL,
    "string_type": "must be text; numbers that are names stand in quotes",
    "string_too_short": "must have {min_length} or more characters",
    "string_too_long": "must have {max_length} or fewer characters",
    "none": "must be null",
    "list": "must be a list such as [a, b]",
    "tuple": "must be a list such as [a, b]",
    "set": "must be a list such as [a, b]",
    "dict": _MAP,
    "dataclass": _MAP,
    "model": _MAP,
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be {le} or less",
    "less_than": "must be less than {lt}",
    "too_short": "must have {min_length} or more entries",
    "too_long": "must have {max_length} or fewer entries",
    "union_tag_not_found": "needs the key {discriminator}",
}
"""By pydantic's error type, or the longest beginning of it that stands here."""

_UNKNOWN_KEY = {"extra_forbidden", "unexpected_keyword_argument"}
_WORDS = {"enum": "expected", "literal_error": "expected", "union_tag_invalid": "expected_tags"}
_SECRET = re.compile(r"pass|secret|token|url|key$", re.IGNORECASE)


def _sentence(detail: ErrorDetails, path: Path, schema: dict[str, Any]) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _UNKNOWN_KEY:
        return _unknown_key(str(detail["loc"][-1]), allowed_keys(schema, detail["loc"][:-1]))
    if kind in _WORDS:
        return _wrong_word(detail, str(context[_WORDS[kind]]), path)
    if kind in ("value_error", "assertion_error"):
        return str(context.get("error", "is not valid"))
    known = max((each for each in _SENTENCES if kind.startswith(each)), key=len, default="")
    if not known:
        return detail["msg"] if _is_showable(path) else "is not valid"
    return _SENTENCES[known].format_map(_Blank(context)) + _shown(detail, path, known)


class _Blank(dict[str, Any]):
    """A context whose missing parts are left empty."""

    def __missing__(self, key: str) -> str:
        return ""


def _unknown_key(name: str, allowed: list[str] | None) -> str:
    if not allowed:
        return "is not a key that is known here"
    return f"is not a known key{nearest(name, allowed) or '.'} Allowed here: {one_of(allowed)}"


def _wrong_word(detail: ErrorDetails, expected: str, path: Path) -> str:
    words = re.findall(r"'([^']*)'", expected) or [expected]
    written = detail.get("ctx", {}).get("tag", detail["input"])
    subject = "the key must" if detail["loc"] and detail["loc"][-1] == "[key]" else "must"
    shown = isinstance(written, str) and _is_showable(path)
    near = nearest(str(written), words) if shown else ""
    return f"{subject} be one of {one_of(words)}" + (f', not "{_cut(str(written))}"{near}' if shown else "")


def _shown(detail: ErrorDetails, path: Path, known: str) -> str:
    """`, not "x"` for a scalar that is no secret. Where a map was expected nothing is repeated."""
    value = detail["input"]
    if known == "missing" or _SENTENCES[known] == _MAP or not _is_showable(path):
        return ""
    if isinstance(value, bool) or value is None:
        return f", not {'null' if value is None else str(value).lower()}"
    return f', not "{_cut(str(value))}"' if isinstance(value, str | int) else ""


def _cut(text: str) -> str:
    """One short printable line of what was written."""
    line = "".join(each if each.isprintable() else " " for each in text)
    return line if len(line) <= 40 else line[:39] + "…"


def _is_showable(path: Path) -> bool:
    return not any(isinstance(part, str) and _SECRET.search(part) for part in path)


# ------------------------------------------------------------------ what is known where


def json_schema(model: Any) -> dict[str, Any]:
    """The JSON schema of a model, or an empty one where there is none to be had."""
    if model is None:
        return {}
    adapter: TypeAdapter[Any] = model if isinstance(model, TypeAdapter) else TypeAdapter(model)
    try:
        return adapter.json_schema(by_alias=True)
    except PydanticUserError:
        return {}


def allowed_keys(schema: dict[str, Any], path: Path) -> list[str] | None:
    """The fixed keys of a map at a path, in order; None where any key may stand, or nothing is known."""
    return list({key: None for node in _nodes(schema, path) for key in node.get("properties", ())}) or None


def takes_any_key(schema: dict[str, Any], path: Path) -> bool:
    """Whether a map stands at a path whose keys are free, such as prices by currency."""
    return any(isinstance(node.get("additionalProperties"), dict) for node in _nodes(schema, path))


def _nodes(schema: dict[str, Any], path: Path) -> list[dict[str, Any]]:
    """What may stand at a path; none where the path leads nowhere."""
    nodes = list(_alternatives(schema, schema))
    for part in path:
        steps = [step for node in nodes for step in _steps(node, part)]
        nodes = [option for step in steps for option in _alternatives(schema, step)]
    return nodes


def _alternatives(root: dict[str, Any], node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A node of the schema and, where it refers to others or is a union, what it may be instead."""
    if "$ref" in node:
        yield from _alternatives(root, root["$defs"][node["$ref"].rsplit("/", 1)[-1]])
        return
    yield node
    for each in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from _alternatives(root, each)


def _steps(node: dict[str, Any], part: str | int) -> Iterator[dict[str, Any]]:
    """Where one part of a location leads: into a key, a list, or the union member of that tag."""
    tags = node.get("discriminator", {}).get("mapping", {})
    rest = node.get("additionalProperties")
    if part in tags:
        yield {"$ref": tags[part]}
    elif part in node.get("properties", {}):
        yield node["properties"][part]
    elif isinstance(part, int) and isinstance(node.get("items"), dict):
        yield node["items"]
    elif isinstance(rest, dict):
        yield rest
