"""simulate: files in memory and on PostgreSQL, and the book on a copy."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from app.cli import simulate
from tests.cli.conftest import Call

GOOD = "examples/scenarios/01-annual-lapse.yaml"
STORY = """title: One who does not renew
start: 2025-06-10
end: 2026-06-12
timezone: Europe/Brussels
customers:
  - {csn: "5100000001", name: Noord, purchaser: buyer@noord.example, currency: EUR, region: EEA}
subscriptions:
  - {id: S1, csn: "5100000001", offering: FERNLINE, term: annual, seats: 1, starts_on: 2025-06-10, auto_renew: false}
steps:
  - {on: 2026-06-11, expect: {S1: {state: STATE}}}
"""


def story(folder: Path, name: str, state: str) -> str:
    (folder / name).write_text(STORY.replace("STATE", state), "utf-8")
    return name


def test_all_checks_hold(call: Call, book: Path) -> None:
    ended = call("simulate", GOOD)
    assert (ended.status, ended.err) == (0, "")
    assert "checks passed" in ended.out
    document = call("simulate", GOOD, GOOD, "--json").json
    assert document["failed"] == 0 and len(document["scenarios"]) == 2


def test_a_check_that_fails_is_status_1(call: Call, folder: Path) -> None:
    ended = call("simulate", story(folder, "good.yaml", "expired"), story(folder, "bad.yaml", "suspended"), "--json")
    assert ended.status == 1
    assert [(each["file"], each["failed"]) for each in ended.json["scenarios"]] == [("good.yaml", 0), ("bad.yaml", 1)]


def test_a_mistake_in_one_file_is_told_before_any_is_played(call: Call, folder: Path) -> None:
    bad = story(folder, "bad.yaml", "{no: map}")
    ended = call("simulate", story(folder, "good.yaml", "expired"), bad)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("perennial: bad.yaml:10: ")


def test_a_file_starts_from_the_shipped_settings_unless_another_is_named(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the settings of the folder nor those of the environment change what a scenario says."""
    (folder / "config.yaml").write_text("lapse: {expired_days: 0}\n", "utf-8")
    monkeypatch.setenv("PERENNIAL_LAPSE__EXPIRED_DAYS", "0")
    assert call("simulate", story(folder, "a.yaml", "expired")).status == 0
    assert call("simulate", story(folder, "a.yaml", "expired"), "--config", "config.yaml").status == 1
    assert call("simulate", story(folder, "a.yaml", "suspended"), "--config", "config.yaml").status == 0


def test_a_simulation_needs_and_makes_no_book(call: Call, folder: Path) -> None:
    call("simulate", story(folder, "a.yaml", "expired"))
    assert [path.name for path in folder.iterdir()] == ["a.yaml"]


def schemas(url: str) -> set[str]:
    engine = create_engine(url)
    with engine.connect() as connection:
        names = set(connection.execute(text("SELECT nspname FROM pg_namespace")).scalars())
    engine.dispose()
    return names


def test_files_on_postgresql_leave_nothing_behind(call: Call, book: Path, postgres_url: str) -> None:
    before = schemas(postgres_url)
    bad = story(book, "bad.yaml", "suspended")
    ended = call("simulate", GOOD, bad, "--json", "--database", postgres_url)
    assert ended.status == 1
    here = call("simulate", GOOD, bad, "--json")
    assert ended.json == here.json
    assert schemas(postgres_url) == before


def test_an_error_leaves_nothing_behind_either(postgres_url: str) -> None:
    before = schemas(postgres_url)
    with pytest.raises(ZeroDivisionError), simulate.fresh_database(postgres_url) as engine:
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE left_over (id int)"))
        raise ZeroDivisionError
    assert schemas(postgres_url) == before


def test_the_book_is_played_on_a_copy(call: Call, book: Path) -> None:
    before = (book / "var" / "perennial.db").read_bytes()
    document = call("simulate", "--book", "--until", "2026-06-30", "--json").json
    assert document["totals"]["transitions"]["expire"] == 1
    assert document["states"][-1]["on"] == "2026-06-30"
    told = call("simulate", "--book", "--until", "2026-06-30")
    assert told.lines[0] == "The book from 2026-05-20 to 2026-06-30, if nobody acts"
    assert told.lines[1].startswith("6 subscriptions, ")
    assert (book / "var" / "perennial.db").read_bytes() == before


@pytest.mark.parametrize("name, begins", [("states.svg", b"<svg"), ("states.png", b"\x89PNG")])
def test_a_picture_of_the_states_over_time(call: Call, book: Path, name: str, begins: bytes) -> None:
    ended = call("simulate", "--book", "--until", "2026-06-30", "--picture", name)
    assert ended.lines[-1] == f"The states over time are drawn in {name}."
    assert (book / name).read_bytes().startswith(begins)
