"""Plays every story of `rules/` and the examples of what this version covers, on both databases.

A story of `rules/` is about one rule, by whose id it is named; its expectations are derived from the rulebook by hand.
On PostgreSQL a part of them is played: what differs there is how rows are read and written, not the rules.
"""

from pathlib import Path

import pytest

from app.store.engine import open_engine
from jobs.scenario.matching import Check
from jobs.scenario.player import play
from jobs.scenario.reader import read

EXAMPLES = Path(__file__).parents[2] / "examples" / "scenarios"
RULES = sorted((Path(__file__).parent / "rules").glob("*.yaml"))
COVERED = ("01", "02", "03", "04", "05", "06", "09", "13", "14", "15")
"""Examples whose commands this version has."""
STORIES = [file for file in sorted(EXAMPLES.glob("*.yaml")) if file.name.startswith(COVERED)] + RULES
ON_POSTGRES = (
    "04", "06", "09", "13", "A5-bulk", "A6b", "B3", "B6", "I2-billed", "J3-parts", "J3b-a-quote", "J9-by-hand",
    "L6-two", "L9-what", "O4-trials.", "P7-too", "Q9-how", "S1-nothing", "W4-window",
)  # fmt: skip


CASES = [
    pytest.param(url, file, id=f"{file.stem}-{url.removesuffix('_url')}")
    for file in STORIES
    for url in ("sqlite_url", "postgres_url")
    if url == "sqlite_url" or file.name.startswith(ON_POSTGRES)
]


@pytest.mark.parametrize(("url", "file"), CASES)
def test_every_check_of_a_story_holds(request: pytest.FixtureRequest, url: str, file: Path) -> None:
    engine = open_engine(request.getfixturevalue(url))
    try:
        played = play(read(file), engine)
    finally:
        engine.dispose()
    wrong = [check for check in played.checks if not check.ok]
    assert not wrong, "\n" + "\n".join(_told(check) for check in wrong)
    assert played.checks


def test_each_story_is_named_by_a_rule_it_lists() -> None:
    for file in RULES:
        listed = file.read_text("utf-8").splitlines()[0].removeprefix("# Rules: ").rstrip(".").split()
        assert file.name.partition("-")[0] in listed, file.name


def _told(check: Check) -> str:
    """`step 3, 2026-06-10: S1 state` and both sides, lists row by row."""
    head = f"step {check.step}, {check.at}: {check.subject or ''} {check.field}"
    return f"{head}\n  expected{_shown(check.expected)}\n  actual  {_shown(check.actual)}"


def _shown(value: object) -> str:
    return "".join(f"\n    {row}" for row in value) if isinstance(value, list) else f" {value}"
