"""A small scenario file that tests write, change and spoil."""

from pathlib import Path

import pytest

from jobs.scenario.reader import ScenarioMistake, read
from jobs.scenario.story import Scenario

HEAD = """\
title: A small story
start: 2025-06-10
end: 2026-08-01
timezone: Europe/Brussels
offerings:
  CAD:
    name: Draftline CAD
    prices: {EUR: {annual: "730.00", three_year: "2190.00"}}
customers:
  - {csn: 5100000001, name: Atelier Noord, purchaser: buyer@noord.example, currency: EUR}
subscriptions:
  - {id: S1, csn: 5100000001, offering: CAD, term: annual, seats: 2, starts_on: 2025-06-10}
  - {id: T1, csn: "5100000001", offering: CAD, term: trial, starts_on: 2025-06-10}
"""
STEPS_BEGIN = HEAD.count("\n") + 2  # the line of the first step


def write(folder: Path, steps: str = "", head: str = HEAD) -> Path:
    """A file made of HEAD (or `head`) and steps."""
    file = folder / "story.yaml"
    file.write_text(head + ("steps:\n" + steps if steps else ""), encoding="utf-8")
    return file


def story(folder: Path, steps: str = "", head: str = HEAD) -> Scenario:
    """The same, read."""
    return read(write(folder, steps, head))


def mistakes(folder: Path, steps: str = "", head: str = HEAD) -> list[str]:
    """What the reader complains about, without the folder."""
    file = write(folder, steps, head)
    with pytest.raises(ScenarioMistake) as caught:
        read(file)
    assert all(line.startswith(f"{file}:") for line in caught.value.mistakes)
    return [line.removeprefix(f"{folder}/") for line in caught.value.mistakes]


def mistake(folder: Path, steps: str = "", head: str = HEAD) -> str:
    """The only thing that it complains about."""
    (line,) = mistakes(folder, steps, head)
    return line
