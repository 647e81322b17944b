"""A rule of the rulebook in one line, for lists and explanations."""

from __future__ import annotations

import re

from app.rules import UnknownRule, find

_TAGS = re.compile(r"\s?\[[sip](, [sip])*\]")
_END = re.compile(r"(?<=\.)\s(?=[A-Z`*\[])")
_MARKS = re.compile(r"\*+|`")


def rule_in_a_line(rule_id: str | None) -> str:
    """The first sentence of a rule, without its marks."""
    if rule_id is None:
        return ""
    try:
        text = find(rule_id).text
    except UnknownRule:
        return ""
    first = " ".join(text.split("\n\n")[0].split())
    return _MARKS.sub("", _END.split(_TAGS.sub("", first).strip())[0])
