"""Refusals are given in the order of the scenario format (J7)."""

import re
from pathlib import Path

import pytest

from app.domain import errors

FORMAT = Path(errors.__file__).parents[1] / "rules" / "scenario-format.md"


def _listed() -> list[str]:
    """The codes under the heading that lists them."""
    (heading,) = re.findall(r"^## Error codes.*?\n(.*?)$", FORMAT.read_text("utf-8"), flags=re.MULTILINE)
    return re.findall(r"`(\w+)`", heading)


def test_the_order_is_that_of_the_format() -> None:
    assert list(errors.CODES) == _listed()
    assert len(set(errors.CODES)) == 43


def test_every_refusal_is_in_the_list() -> None:
    assert set(errors.Refusal.__subclasses__()) == set(errors.REFUSALS)


@pytest.mark.parametrize("refusal", errors.REFUSALS, ids=lambda refusal: refusal.code)
def test_a_refusal_says_what_to_do(refusal: type[errors.Refusal]) -> None:
    code = "".join(f"_{c.lower()}" if c.isupper() else c for c in refusal.__name__).strip("_")
    assert refusal.code == code
    assert str(refusal("S1")) == f"{code}: {refusal.sentence} (S1) {refusal.remedy}"
    assert str(refusal()) == f"{code}: {refusal.sentence} {refusal.remedy}"
