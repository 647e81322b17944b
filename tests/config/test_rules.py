"""The rulebook is read whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import app.rules
from app.rules import UnknownRule, find, reader, rules

MARKDOWN = Path(app.rules.__file__).with_name("rulebook.md").read_text(encoding="utf-8")


def test_every_entry_is_a_rule():
    assert list(rules()) == re.findall(r"^- (\w+)", MARKDOWN, re.MULTILINE)
    assert len(rules()) == 98
    assert {"D1", "S1b", "W4b", "A6b", "O2b", "J3b", "L10", "Q11"} <= set(rules())


def test_every_line_of_a_group_is_in_some_rule():
    read = "\n".join(rule.text for rule in rules().values())
    below = MARKDOWN[MARKDOWN.index("## D.") :]
    for line in below.splitlines():
        if not line.startswith("## "):
            assert re.sub(r"^(- \w+)? +", "", line) in read


def test_groups():
    assert find("D1").group == "Dates and time zones"
    assert find("L10").group == 'Shutoff ("lapse")'
    assert {rule.group for rule in rules().values() if rule.id[0] == "J"} == {"Jobs"}
    assert len({rule.group for rule in rules().values()}) == MARKDOWN.count("\n## ")


def test_a_table_belongs_to_its_rule():
    assert "| support | full | self-help | self-help | self-help |" in find("S4").text
    assert find("S4").text.endswith("A trial has users too.")


def test_a_blank_line_ends_nothing():
    assert find("L10").text.startswith("[i] `extend_grace` moves")
    assert find("L9").text.endswith("refunded as in R2.")


def test_letter_case_does_not_matter():
    assert find(" s1B ").id == "S1b"
    assert find("w4b") is rules()["W4b"]


@pytest.mark.parametrize("unknown", ["Z9", "S99", "", "rule"])
def test_an_unknown_rule_names_the_nearest(unknown):
    with pytest.raises(UnknownRule, match=f'There is no rule "{unknown}"') as caught:
        find(unknown)
    assert unknown != "S99" or "S4" in str(caught.value)


def test_an_id_that_stands_twice_is_refused():
    with pytest.raises(ValueError, match="rule D1 stands in the rulebook twice"):
        reader.parse("## D. Dates\n- D1 one\n- D1 two\n")
