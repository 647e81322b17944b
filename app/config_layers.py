"""Where settings come from: files, the environment and the command line, laid over each other.

A later layer wins. Maps are merged by key, lists and single values are replaced. Each value remembers its
layer, so a mistake is reported where it was written.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app import yaml12
from app.explain import Path, Problem, allowed_keys, holds, nearest, takes_any_key

PREFIX = "PERENNIAL_"
CONFIG = "PERENNIAL_CONFIG"
"""The variable that names the configuration file."""
_LOGGING = "PERENNIAL_LOG_"
_FROM_FILE = "_FILE"
_VERBATIM = {("database", "url")}
"""Taken as they stand: a password in one may look like anything, and no parser may complain about it."""


class ConfigMistake(Exception):
    """The settings cannot be used. `str()` is one line a problem: `file:line: dotted.key: what is wrong`."""

    def __init__(self, lines: Sequence[str], problems: Sequence[Problem] = ()) -> None:
        super().__init__("\n".join(lines))
        self.lines, self.problems = tuple(lines), tuple(problems)


@dataclass(frozen=True, slots=True)
class Layer:
    """Settings from one place, which `where` names for each of its values."""

    data: Any
    where: Callable[[Path], str]


class Layers:
    """All layers as one map; an `Origin` for explanations."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = layers
        self.data: Any = {}
        for layer in layers:
            self.data = merged(self.data, layer.data)

    def where(self, path: Path) -> str:
        """The place of the value at a path: the last layer among those that know most of the path."""
        best = max(reversed(self._layers), key=lambda layer: _known_depth(layer.data, path))
        return best.where(path)


def merged(base: Any, over: Any) -> Any:
    """Maps by key, everything else replaced."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return base | {key: merged(base[key], value) if key in base else value for key, value in over.items()}


def _known_depth(data: Any, path: Path) -> int:
    """How many parts of a path lead somewhere."""
    for depth, part in enumerate(path):
        if not holds(data, part):
            return depth
        data = data[part]
    return len(path)


# ------------------------------------------------------------------ the environment


class _Wrong(Exception):
    """One variable cannot be used; the text says why, without its value."""


def environment(environ: Mapping[str, str], base: Any, schema: dict[str, Any]) -> list[Layer]:
    """A layer for each `PERENNIAL_<SECTION>__<KEY>`, the shorter names first: the more exact one wins.

    `base` and `schema` say which keys there are; letter case is not looked at. A variable that names no
    setting is a ConfigMistake: a misspelt limit must not be passed over.
    """
    names = [name for name in environ if name.startswith(PREFIX)]
    names = [name for name in names if name != CONFIG and not name.startswith(_LOGGING)]
    found: dict[Path, str] = {}
    layers, lines = [], []
    for name in sorted(names, key=lambda name: (name.count("__"), name)):
        place = f"environment variable {name}"
        try:
            path, from_file = _target(name, base, schema)
            if path in found:
                raise _Wrong(f"says the same as {found[path]}; set one of the two")
            found[path] = name
            layers.append(_layer(path, _value(path, environ[name], from_file), place))
        except _Wrong as wrong:
            lines.append(f"{place}: {wrong}")
    if lines:
        raise ConfigMistake(lines)
    return layers


def _layer(path: Path, value: Any, place: str) -> Layer:
    for part in reversed(path):
        value = {part: value}
    return Layer(value, lambda _: place)


def _target(name: str, base: Any, schema: dict[str, Any]) -> tuple[Path, bool]:
    """The key that a variable sets, and whether its value stands in a file (a mounted secret)."""
    if path := _path(name, base, schema):
        return path, False
    if name.endswith(_FROM_FILE) and (path := _path(name.removesuffix(_FROM_FILE), base, schema)):
        return path, True
    near = nearest(name, _names(schema)) or f"; they look like {PREFIX}BULK__LIMIT"
    raise _Wrong(f"names no setting{near}")


def _path(name: str, base: Any, schema: dict[str, Any]) -> Path | None:
    path: Path = ()
    for part in name.removeprefix(PREFIX).split("__"):
        fixed = allowed_keys(schema, path)
        known = fixed or list(base if isinstance(base, dict) else ())
        free = part if part and takes_any_key(schema, path) and not fixed else None
        key = next((key for key in known if key.lower() == part.lower()), free)
        if key is None:
            return None
        base = base[key] if holds(base, key) else None
        path = (*path, key)
    return path


def _names(schema: dict[str, Any]) -> list[str]:
    """Every variable of two parts, for suggestions."""
    sections = {section: allowed_keys(schema, (section,)) for section in allowed_keys(schema, ()) or ()}
    return [f"{PREFIX}{section}__{key}".upper() for section, keys in sections.items() for key in keys or ()]


def _value(path: Path, text: str, from_file: bool) -> Any:
    if from_file:
        text = _file_text(text)
    if path in _VERBATIM:
        return text.strip()
    try:
        return yaml12.value(text, "").data
    except yaml12.YamlMistake as mistake:
        raise _Wrong(mistake.message) from None


def _file_text(name: str) -> str:
    try:
        text = pathlib.Path(name).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text in UTF-8"
        raise _Wrong(f"the file {name} cannot be read: {reason}") from None
    if not text:
        raise _Wrong(f"the file {name} is empty")
    return text
