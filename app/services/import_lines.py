"""The lines of a CSV file: encoding, separator, header, cells.

Each line is read on its own, so that a quote that is never closed costs one row and not the rest of the file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.domain.errors import InvalidArgument
from app.services.import_cells import COLUMNS, REQUIRED, Rejected, Row, nearest

_SEPARATORS = (",", ";", "\t")
_BOM = b"\xef\xbb\xbf"
_OTHER_BOMS = (b"\xff\xfe", b"\xfe\xff")
_LONGEST_LINE = 1 << 16
_CHUNK = 1 << 20
_NOTHING = b' \t,;"'
"""What a line without a single cell may consist of."""
_UNKEEPABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
"""Control characters, marks that turn a line around, and bytes that are no UTF-8. A tab may be the separator."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file whose header is understood."""

    path: Path
    separator: str
    header: tuple[str, ...]
    header_line: int
    lines: int
    """All lines of the file, empty ones too."""

    def rows(self) -> Iterator[Row | Rejected]:
        """Every line below the header that is not empty, with the line number people see in an editor."""
        with _opened(self.path) as file:
            for number, raw in enumerate(_lines(file), 1):
                if number > self.header_line and raw.translate(None, _NOTHING):
                    yield self._row(number, raw)

    def _row(self, number: int, raw: bytes) -> Row | Rejected:
        if len(raw) > _LONGEST_LINE:
            return Rejected(number, None, f"is longer than {_LONGEST_LINE} bytes")
        text = _decoded(raw)
        if wrong := self._unkeepable(text):
            return Rejected(number, self._column_of(wrong, text), _why_unkeepable(wrong))
        try:
            cells = _cells(text, self.separator) if '"' in text else text.split(self.separator)
        except csv.Error as error:
            return Rejected(number, None, _why_malformed(error))
        if len(cells) != len(self.header):
            return Rejected(number, None, f"has {len(cells)} cells, the header has {len(self.header)}")
        return Row(
            number, {name: kept for name, cell in zip(self.header, cells, strict=True) if (kept := cell.strip())}
        )

    def _unkeepable(self, text: str) -> str | None:
        """The first character that cannot be kept."""
        if text.isprintable():
            return None
        found = _UNKEEPABLE.search(text)
        if found is not None:
            return found[0]
        return "\t" if self.separator != "\t" and "\t" in text else None

    def _column_of(self, wrong: str, text: str) -> str | None:
        try:
            cells = _cells(text.replace("\r", "\x00").replace("\n", "\x00"), self.separator)
        except csv.Error:
            return None
        wrong = "\x00" if wrong in "\r\n" else wrong
        return next((name for name, cell in zip(self.header, cells, strict=False) if wrong in cell), None)


def open_table(path: Path) -> Table:
    """A file with its header. Raises `InvalidArgument` for one that cannot be read as a book."""
    with _opened(path) as file:
        number, raw = next(((n, raw) for n, raw in enumerate(_lines(file), 1) if raw.strip()), (0, b""))
    if not number:
        raise InvalidArgument("the file is empty; its first line names the columns")
    if raw.startswith(_OTHER_BOMS):
        raise InvalidArgument("the file is UTF-16; save it as UTF-8")
    text = _decoded(raw)
    separator, header = max((_header(text, sep) for sep in _SEPARATORS), key=_likeness)
    _refuse_header(number, header)
    return Table(path, separator, tuple(header), number, _count_lines(path))


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InvalidArgument(f"the file cannot be read: {error.strerror}") from None


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines without their ends. Of one that is too long only the beginning is kept."""
    first = True
    while raw := file.readline(_LONGEST_LINE + 3):
        if len(raw) == _LONGEST_LINE + 3 and not raw.endswith(b"\n"):
            while (rest := file.readline(_CHUNK)) and not rest.endswith(b"\n"):
                pass
        if first:
            raw, first = raw.removeprefix(_BOM), False
        yield raw.rstrip(b"\r\n") or b" "


def _count_lines(path: Path) -> int:
    last, count = b"\n", 0
    with _opened(path) as file:
        while chunk := file.read(_CHUNK):
            count += chunk.count(b"\n")
            last = chunk[-1:]
    return count + (last != b"\n")


def _decoded(raw: bytes) -> str:
    """As UTF-8; what is none becomes characters that no text holds."""
    return raw.decode("utf-8", "surrogateescape")


def _cells(text: str, separator: str) -> list[str]:
    return next(csv.reader([text], delimiter=separator, strict=True, skipinitialspace=True))


def _header(text: str, separator: str) -> tuple[str, list[str]]:
    try:
        cells = _cells(text, separator)
    except csv.Error:
        cells = [text]
    return separator, [re.sub(r"[\s-]+", "_", cell.strip().casefold()) for cell in cells]


def _likeness(found: tuple[str, list[str]]) -> tuple[int, int]:
    """By how many known columns a separator is the right one."""
    return sum(name in COLUMNS for name in found[1]), len(found[1])


def _refuse_header(line: int, header: list[str]) -> None:
    where = f"line {line}"
    for place, name in enumerate(header, 1):
        if not name:
            raise InvalidArgument(f"{where}: column {place} has no name")
        if name not in COLUMNS:
            shown = name.encode("ascii", "backslashreplace").decode()[:60]
            raise InvalidArgument(f'{where}: there is no column "{shown}"; the nearest is "{nearest(name, COLUMNS)}"')
        if header.index(name) != place - 1:
            raise InvalidArgument(f'{where}: the column "{name}" stands there twice')
    missing = [name for name in REQUIRED if name not in header]
    if not {"starts_on", "ends_on"} & set(header):
        missing.append("starts_on (or ends_on)")
    if missing:
        raise InvalidArgument(f"{where}: without the column {', '.join(missing)} no subscription is known")


def _why_unkeepable(character: str) -> str:
    if "\ud800" <= character <= "\udfff":
        return "is not UTF-8"
    return f"holds a character that cannot be kept (U+{ord(character):04X})"


def _why_malformed(error: csv.Error) -> str:
    if "unexpected end" in str(error):
        return "a quoted cell does not end on its line"
    return f"is no line of CSV: {error}"
