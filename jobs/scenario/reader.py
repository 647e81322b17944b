"""Reads a scenario file: a Scenario that can be played, or ScenarioMistake with file, line and key."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path as FilePath

from app.config import ConfigMistake, Settings, settings_for_scenario, shipped
from app.domain.calendar import local_day
from app.explain import Path
from app.yaml12 import Document, YamlMistake, load
from jobs.scenario.instants import YEARS, instant, noon
from jobs.scenario.mistakes import Mistakes, ScenarioMistake, unknown
from jobs.scenario.names import Names
from jobs.scenario.parties import Bought, Customer
from jobs.scenario.schema import Sheet
from jobs.scenario.steps import StepReader
from jobs.scenario.story import Purchase, Scenario, Step

_LARGEST_FILE = 2 * 1024 * 1024


def read(path: FilePath | str, base: Settings | None = None) -> Scenario:
    """Read one file. Its settings and catalogue are laid over `base`, the shipped defaults if left out.

    Raises ScenarioMistake for whatever cannot be played: exit status 2.
    """
    file = str(path)
    try:
        document = load(_content(file), file)
    except YamlMistake as mistake:
        raise ScenarioMistake([str(mistake)]) from None
    return _Reader(file, document).scenario(base or shipped())


def _content(file: str) -> bytes:
    """What is in the file; never more than a scenario can be long, whatever the path leads to."""
    try:
        with open(file, "rb") as stream:
            content = stream.read(_LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        # ValueError: a path with a null byte in it.
        reason = getattr(error, "strerror", None) or str(error)
        raise ScenarioMistake([f"{file}: cannot be read: {reason}"]) from None
    if len(content) > _LARGEST_FILE:
        raise ScenarioMistake([f"{file}: is larger than {_LARGEST_FILE // 1024} KiB"])
    return content


class _Reader:
    """Reads one document from top to bottom, collecting mistakes."""

    def __init__(self, file: str, document: Document) -> None:
        self._file = file
        self._data = document.data
        self._mistakes = Mistakes(file, document)

    def scenario(self, base: Settings) -> Scenario:
        """The whole file. A mistake in who there is stops before the steps, which would repeat it."""
        sheet = self._sheet()
        config = self._config(sheet, base)
        names = Names(frozenset(config.catalogue.offerings if config else ()))
        customers = self._customers(sheet, names)
        # Without a catalogue every offering would be unknown.
        purchases = self._purchases(sheet, names) if config else ()
        self._mistakes.raise_if_any()
        steps = self._steps(sheet, names)
        self._mistakes.raise_if_any()
        assert config is not None
        return Scenario(
            file=self._file,
            title=sheet.title,
            start=sheet.start,
            end=sheet.end,
            zone=sheet.timezone,
            config=config,
            customers=customers,
            purchases=purchases,
            steps=steps,
        )

    # ------------------------------------------------------------ the top

    def _sheet(self) -> Sheet:
        sheet = self._mistakes.parse(Sheet, self._data, ())
        self._mistakes.raise_if_any()
        assert sheet is not None
        for key, day in (("start", sheet.start), ("end", sheet.end)):
            if day.year not in YEARS:
                self._mistakes.add((key,), f"must lie between {YEARS[0]} and {YEARS[-1]}")
        if sheet.end < sheet.start:
            self._mistakes.add(("end",), f"lies before start ({sheet.start})")
        self._mistakes.raise_if_any()
        return sheet

    def _config(self, sheet: Sheet, base: Settings) -> Settings | None:
        """What holds in this scenario, or None after noting what is wrong with it."""
        try:
            return settings_for_scenario(base, sheet.settings, sheet.offerings, sheet.promotions)
        except ConfigMistake as mistake:
            for problem in mistake.problems:
                self._mistakes.add(problem.path, problem.sentence)
            return None

    # ------------------------------------------------------------ who and what

    def _customers(self, sheet: Sheet, names: Names) -> tuple[Customer, ...]:
        found = []
        for index, given in enumerate(sheet.customers):
            path: Path = ("customers", index)
            customer = self._mistakes.parse(Customer, given, path)
            if customer is None:
                names.customers |= _csn_all_the_same(given)
                continue
            self._new_name(customer.csn, names, (*path, "csn"))
            names.customers.add(customer.csn)
            found.append(customer)
        return tuple(found)

    def _purchases(self, sheet: Sheet, names: Names) -> tuple[Purchase, ...]:
        found = []
        for index, given in enumerate(sheet.subscriptions):
            path: Path = ("subscriptions", index)
            bought = self._mistakes.parse(Bought, given, path)
            if bought is None:
                continue
            self._new_name(bought.id, names, (*path, "id"))
            names.subscriptions.add(bought.id)
            self._check_bought(bought, names, path)
            when = self._bought_at(bought, sheet, path)
            if when is not None:
                found.append(Purchase(when, bought, self._mistakes.line(path)))
        return tuple(sorted(found, key=lambda purchase: purchase.instant))

    def _new_name(self, name: str, names: Names, path: Path) -> None:
        why_not = names.why_not(name)
        if why_not is not None:
            self._mistakes.add(path, why_not)

    def _check_bought(self, bought: Bought, names: Names, path: Path) -> None:
        if bought.csn not in names.customers:
            self._mistakes.add((*path, "csn"), unknown("customer", bought.csn, names.customers))
        if bought.offering not in names.offerings:
            self._mistakes.add((*path, "offering"), unknown("offering", bought.offering, names.offerings))

    def _bought_at(self, bought: Bought, sheet: Sheet, path: Path) -> datetime | None:
        """When it is bought, in UTC: `at`, or noon of `starts_on` in the scenario's zone."""
        key = "starts_on" if bought.at is None else "at"
        try:
            when = _bought_instant(bought, sheet.timezone)
        except ValueError as mistake:
            self._mistakes.add((*path, key), str(mistake))
            return None
        day = local_day(when, sheet.timezone)
        if day > sheet.end:
            self._mistakes.add((*path, key), f"lies after the end ({sheet.end})")
        elif bought.starts_on is not None and bought.starts_on not in _days(when, bought, sheet.timezone):
            self._mistakes.add((*path, "at"), f"is not on starts_on ({bought.starts_on})")
        return when

    # ------------------------------------------------------------ the story

    def _steps(self, sheet: Sheet, names: Names) -> tuple[Step, ...]:
        reader = StepReader(names, self._mistakes, sheet)
        found = [reader.read(given, index) for index, given in enumerate(sheet.steps)]
        return tuple(step for step in found if step is not None)


def _csn_all_the_same(given: object) -> set[str]:
    """The number of a customer who is not written down right: what is bought for it is no second mistake."""
    csn = given.get("csn") if isinstance(given, dict) else None
    return {str(csn)} if isinstance(csn, str | int) else set()


def _bought_instant(bought: Bought, zone: str) -> datetime:
    if bought.at is not None:
        return instant(bought.at, zone)
    assert bought.starts_on is not None
    return noon(bought.starts_on, zone)


def _days(when: datetime, bought: Bought, zone: str) -> set[date]:
    """The local days a person may mean by `starts_on`: in the scenario's zone, or where it is bought."""
    return {local_day(when, zone), local_day(when, bought.timezone or zone)}
