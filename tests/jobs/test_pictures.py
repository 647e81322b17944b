"""The picture of a simulated book: a file of the kind its name asks for, the same each time."""

import re
import struct
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest

from app.domain.errors import InvalidArgument
from app.domain.states import State
from jobs import pictures
from jobs.book_simulation import BookSimulation
from jobs.pictures import states_over_time

FIRST = date(2026, 5, 1)


def simulation(days: int, **states: int) -> BookSimulation:
    """A book whose active subscriptions are canceled one a day."""
    found: dict[date, dict[str, int]] = {}
    now = {state.value: 0 for state in State if state is not State.NEW} | states
    for n in range(days):
        if n and now["active"]:
            now = now | {"active": now["active"] - 1, "canceled": now["canceled"] + 1}
        found[date.fromordinal(FIRST.toordinal() + n)] = now
    return BookSimulation(FIRST, max(found), sum(now.values()), states=found)


def _words(path: Path) -> list[str]:
    """What is written in a picture, line by line."""
    texts = ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")
    return [line for text in texts for line in text.itertext() if line.strip()]


def test_an_svg_says_what_it_shows(tmp_path: Path) -> None:
    path = tmp_path / "states.svg"
    states_over_time(simulation(90, active=200, suspended=10), path)
    words = _words(path)
    assert "Subscriptions by state" in words
    assert "210 subscriptions, 2026-05-01 to 2026-07-29, if nobody acts" in words
    assert [word for word in words if word in {name for name, _ in pictures._LOOKS.values()}] == [
        "canceled", "suspended: no access", "active",
    ], "only states that occur, from top to bottom"  # fmt: skip
    assert {"1 May", "2026", "8 May", "5 Jun", "24 Jul"} <= set(words)


def test_a_png_is_large_enough_to_read(tmp_path: Path) -> None:
    path = tmp_path / "states.PNG"
    states_over_time(simulation(30, active=50), path)
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", data[16:24])
    assert width > 1600
    assert height > 800


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_same_simulation_is_the_same_picture(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it is drawn: days are days, not instants of the machine's zone."""
    one, two = tmp_path / f"one.{suffix}", tmp_path / f"two.{suffix}"
    states_over_time(simulation(40, active=100, trial=5), one)
    monkeypatch.setenv("TZ", "Pacific/Honolulu")
    states_over_time(simulation(40, active=100, trial=5), two)
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("days", [1, 2, 14, 40, 60, 110, 300, 400, 1500, 12000])
def test_any_span_is_drawn(tmp_path: Path, days: int) -> None:
    path = tmp_path / "states.svg"
    sim = simulation(days, active=5000)
    states_over_time(sim, path)
    named = [word for word in _words(path) if re.fullmatch(r"(\d+ )?[A-Z][a-z]{2}", word)]
    assert 2 <= len(named) <= 16
    if days <= 300:
        assert len(named) == len(set(named)), "no day is named twice"
    assert len(pictures._points(sim, ["active"])) <= pictures._MOST_DAYS + 3


def test_an_empty_book_is_drawn_too(tmp_path: Path) -> None:
    states_over_time(simulation(10), tmp_path / "empty.png")


def test_every_state_has_words_and_a_colour_of_its_own() -> None:
    assert set(pictures._LOOKS) == {state.value for state in State if state is not State.NEW}
    assert len({colour for _, colour in pictures._LOOKS.values()}) == len(pictures._LOOKS)


@pytest.mark.parametrize("name", ["states.pdf", "states", "states.svg.txt"])
def test_another_ending_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidArgument, match=r"a picture is an \.svg or a \.png file"):
        states_over_time(simulation(3, active=1), tmp_path / name)
    assert list(tmp_path.iterdir()) == []
