"""A small book on 2026-05-20, and a way to call the program on a copy of it.

S1  annual, 2 seats, expires on 2026-06-09: renewable, with an automatic quote; bo@noord.example has a seat
S2  annual, 3 seats, expires on 2026-06-30: renewable, with every kind of change asked for
S3  monthly, renews by itself
S4  three years, of the second customer: expired, the second yearly part was declined
S5  monthly, of the second customer: canceled
T1  a trial
"""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import time_machine
from typer.testing import CliRunner

from app import bootstrap
from app.cli.program import root
from app.clock import SimulatedClock
from app.config import Database, shipped
from app.domain.values import Method, Region, TermKind
from app.services.commands import managing, paying, renewing
from app.services.commands.buying import Item, buy
from jobs.simulation import Simulation

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 5, 20, 10, 0, tzinfo=UTC)
ZONE = "Europe/Brussels"
NOORD, ZUID = "5100000001", "5100000002"

CSV = """csn,name,purchaser,currency,timezone,id,offering,term,seats,starts_on,state,auto_renew,payment
5100000077,Atelier Oost,buyer@oost.example,EUR,Europe/Brussels,N1,FERNLINE,annual,2,2026-04-01,active,true,card
5100000077,,,,,N2,FERNLINE,monthly,1,2026-05-10,renewable,false,card
"""


class Ended(NamedTuple):
    """How a call of the program went."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Call = Callable[..., Ended]


@pytest.fixture(scope="session")
def ready_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book, made once by the product's own commands and jobs."""
    path = tmp_path_factory.mktemp("book") / "book.db"
    settings = replace(shipped(), database=Database(f"sqlite:///{path}"))
    clock = SimulatedClock(_noon("2025-05-10"))
    book = bootstrap.open_book(settings, clock=clock)
    _fill(book.ctx, Simulation(book.ctx, clock))
    book.close()
    return path


def _noon(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T10:00:00+00:00")


def _fill(ctx: Any, simulation: Simulation) -> None:
    for csn, name in ((NOORD, "noord"), (ZUID, "zuid")):
        new = managing.NewCustomer(
            csn, f"Atelier {name.title()}", f"buyer@{name}.example", "EUR", ZONE, country="BE", region=Region.EEA,
            credit_limit=Decimal(10000), net_days=30,
        )  # fmt: skip
        managing.create_customer(ctx, new)

    def sell(on: str, csn: str, ref: str, term: TermKind, seats: int, auto_renew: bool | None = False) -> None:
        simulation.advance(_noon(on))
        buy(ctx, csn, [Item(ref, "FERNLINE", term, seats)], Method.CARD, auto_renew)

    sell("2025-05-10", ZUID, "S4", TermKind.THREE_YEAR, 1, True)
    sell("2025-05-11", ZUID, "S5", TermKind.MONTHLY, 1)
    sell("2025-06-10", NOORD, "S1", TermKind.ANNUAL, 2)
    sell("2025-07-01", NOORD, "S2", TermKind.ANNUAL, 3)
    simulation.advance(_noon("2026-04-20"))
    managing.assign_user(ctx, "S1", "bo@noord.example")
    renewing.change_term(ctx, "S2", TermKind.MONTHLY)
    renewing.switch_offering(ctx, "S2", "ALDERFRAME")
    renewing.reduce_seats(ctx, "S2", 2)
    sell("2026-05-01", NOORD, "S3", TermKind.MONTHLY, 1, True)
    simulation.advance(_noon("2026-05-09"))
    paying.decline_payments(ctx, ZUID)
    sell("2026-05-10", NOORD, "T1", TermKind.TRIAL, 1)
    simulation.advance(_noon("2026-05-19"))
    paying.accept_payments(ctx, ZUID)
    simulation.advance(NOW)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, without anybody's settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("PERENNIAL_CONFIG", "PERENNIAL_DATABASE__URL", "PERENNIAL_LOG_TRACEBACK", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def book(folder: Path, ready_book: Path) -> Path:
    """The folder with a copy of the book where the program looks for it, and the examples."""
    (folder / "var").mkdir()
    shutil.copy(ready_book, folder / "var" / "perennial.db")
    (folder / "examples").mkdir()
    (folder / "examples" / "scenarios").symlink_to(ROOT / "examples" / "scenarios")
    (folder / "examples" / "book.csv").write_text(CSV, "utf-8")
    return folder


@pytest.fixture
def call(folder: Path) -> Iterator[Call]:
    """Calls the program, by the words of a command line, on 2026-05-20."""
    runner = CliRunner()

    def run(*words: str) -> Ended:
        result = runner.invoke(root, list(words))
        return Ended(result.exit_code, result.stdout, result.stderr)

    with time_machine.travel(NOW, tick=False):
        yield run
