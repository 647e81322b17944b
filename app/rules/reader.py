"""Reads `rulebook.md`: a heading a group, a list entry a rule, which goes on until the next of either."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import MappingProxyType

_RULEBOOK = Path(__file__).with_name("rulebook.md")
_GROUP = re.compile(r"## [A-Z]\. (?P<title>.+)")
_RULE = re.compile(r"- (?P<id>[A-Z][0-9]+[a-z]?) (?P<text>.+)")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, as it stands in the rulebook: `S4` of the group `States`. Its text is Markdown."""

    id: str
    group: str
    text: str


class UnknownRule(LookupError):
    """There is no rule of that id; the message names the nearest."""


@cache
def rules() -> Mapping[str, Rule]:
    """All rules by id, in the order of the rulebook."""
    return MappingProxyType(parse(_RULEBOOK.read_text(encoding="utf-8")))


def find(rule_id: str) -> Rule:
    """The rule of an id, in capitals or not: `l4`, `S1B`. Raises UnknownRule."""
    by_lower = {rule.id.lower(): rule for rule in rules().values()}
    wanted = rule_id.strip().lower()
    if wanted in by_lower:
        return by_lower[wanted]
    near = get_close_matches(wanted, by_lower, n=4, cutoff=0.3)
    listed = ", ".join(by_lower[each].id for each in near)
    raise UnknownRule(f'There is no rule "{rule_id}".' + (f" Near: {listed}." if listed else ""))


def parse(markdown: str) -> dict[str, Rule]:
    """The rules of a rulebook. A rule's text ends at the next rule or heading: S4 holds a table.

    An id that stands twice is a ValueError: what the product prints must mean one thing.
    """
    group, rule_id = "", ""
    lines: dict[str, list[str]] = {}
    groups: dict[str, str] = {}
    for line in markdown.splitlines():
        if heading := _GROUP.fullmatch(line):
            group, rule_id = heading["title"], ""
        elif entry := _RULE.fullmatch(line):
            rule_id = entry["id"]
            if rule_id in lines:
                raise ValueError(f"rule {rule_id} stands in the rulebook twice")
            lines[rule_id], groups[rule_id] = [entry["text"]], group
        elif rule_id:
            # Two spaces only continue the list entry.
            lines[rule_id].append(line.removeprefix("  "))
    return {each: Rule(each, groups[each], "\n".join(text).strip()) for each, text in lines.items()}
