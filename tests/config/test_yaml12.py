"""YAML 1.2 as people mean it, and one line for every text that is none."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from app import yaml12


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def both_parsers(request, monkeypatch):
    """Wheels carry the parser in C; a build from source may not."""
    if not hasattr(yaml, request.param):
        pytest.skip("this PyYAML has no parser in C")
    monkeypatch.setattr(yaml12, "_LOADER", getattr(yaml, request.param))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("NO", "NO"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("True", "True"),
        ("true", True),
        ("false", False),
        ('"true"', "true"),
        ("null", None),
        ("~", None),
        ("", None),
        ("90", 90),
        ("-3", -3),
        ("+3", 3),
        ("007", 7),
        ("0x1F", 31),
        ("0o17", 15),
        ('"90"', "90"),
        ("12.50", "12.50"),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-06-10", "2026-06-10"),
        ("2026-06-10T00:00:00", "2026-06-10T00:00:00"),
        ("'it''s'", "it's"),
        ('"\\u00e9"', "é"),
        ("[a, 1, {b: c}]", ["a", 1, {"b": "c"}]),
    ],
)
def test_a_value_is_what_was_written(both_parsers, written, read):
    found = yaml12.load(f"key: {written}\n", "x.yaml").data["key"]
    assert found == read
    assert type(found) is type(read)


def test_keys_are_always_text(both_parsers):
    text = "on: 1\nNO: 2\n2026-01-01: 3\n5100000001: 4\ntrue: 5\n"
    assert list(yaml12.load(text, "x").data) == ["on", "NO", "2026-01-01", "5100000001", "true"]


def test_anchors_and_merge_keys(both_parsers):
    text = "base: &b {p: 1, q: 2}\nown: {<<: *b, q: 3}\nmany:\n  <<: [*b, {q: 9, r: 4}]\nword: '<<'\n"
    data = yaml12.load(text, "x").data
    assert data["own"] == {"p": 1, "q": 3}
    assert data["many"] == {"p": 1, "q": 2, "r": 4}


def test_every_value_knows_its_line(both_parsers):
    text = "# a comment\nstart: 1\nsteps:\n  - on: 2026-01-01\n    expect: {S1: {state: active}}\n  -\n    do: x\n"
    document = yaml12.load(text, "story.yaml")
    assert document.line(()) == 2
    assert document.line(("steps",)) == 3
    assert document.line(("steps", 0, "on")) == 4
    assert document.line(("steps", 0, "expect", "S1", "state")) == 5
    assert document.line(("steps", 0, "expect", "S1", "nothing", "here")) == 5
    assert document.line(("steps", 1, "do")) == 7
    assert document.where(("steps", 1, "do")) == "story.yaml:7"
    assert document.line(("nowhere",)) == 2


_LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "is empty"),
        ("# only\n# comments\n", 1, "is empty"),
        ("- a\n- b\n", 1, "not a list"),
        ("just words\n", 1, "not a single value"),
        ("a: 1\nb: 2\na: 3\n", 3, 'the key "a" stands here a second time'),
        ("x:\n  1: a\n  '1': b\n", 3, "a second time"),
        ("a: [1,\n", 1, "while parsing a flow"),
        ("a: 'x\n", 1, "quoted scalar"),
        ("a: b: c\n", 1, "stands in quotes"),
        ("a: 1\n\tb: 2\n", 2, "tab"),
        ("a: 1\nb: !!python/object:os.system x\n", 2, "tags such as"),
        ("a: !mine {b: 1}\n", 1, "tags such as"),
        ("a: &a [*a]\n", 1, "no finished anchor"),
        ("a: *b\n", 1, "no finished anchor"),
        ("a: {<<: 3}\n", 1, "<< takes a map"),
        ("---\na: 1\n---\nb: 1\n", 3, "a second document"),
        ("a: 123456789012345678901\n", 1, "more than 18 digits"),
        ("? [a]\n: b\n", 1, "a key must be a plain word"),
        ("a: 1\nb: \x00\n", 2, "U+0000"),
        ("[" * 100_000, 1, "levels deep"),
        ("- " * 10_000, 1, "levels deep"),
        ("a:\n" + "".join(" " * depth + "b:\n" for depth in range(1, 80)), 52, "levels deep"),
        (_LAUGHS, 6, "aliases inside aliases"),
        (b"a: 1\nb: \xff\xfe\n", 2, "UTF-8"),
        ("a: 1\n".encode("utf-16"), 1, "UTF-8"),
        (bytes(range(256)), 2, "UTF-8"),
    ],
    ids=range(26),
)
def test_what_is_no_document_is_one_line(both_parsers, text, line, says):
    with pytest.raises(yaml12.YamlMistake) as caught:
        yaml12.load(text, "bad.yaml")
    assert says in str(caught.value)
    assert str(caught.value).startswith("bad.yaml:")
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.line == line


def test_a_byte_order_mark_is_no_content():
    assert yaml12.load("a: 1".encode("utf-8-sig"), "x").data == {"a": 1}


def test_a_file_that_cannot_be_read_is_a_mistake(tmp_path):
    with pytest.raises(yaml12.YamlMistake, match=r"none\.yaml: cannot be read: No such file"):
        yaml12.read(tmp_path / "none.yaml")
    with pytest.raises(yaml12.YamlMistake, match="cannot be read: Is a directory"):
        yaml12.read(Path(tmp_path))


# ------------------------------------------------------------------ explanations


class _Step(BaseModel):
    model_config = ConfigDict(extra="forbid")
    at: date = date(2026, 1, 1)


class _Renew(_Step):
    do: Literal["renew"]
    subscriptions: list[str]


class _Wait(_Step):
    do: Literal["wait"]
    days: int | Literal["none"]


class _Story(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str
    steps: list[Annotated[_Renew | _Wait, Field(discriminator="do")]] = []
    limits: dict[Literal["EUR", "USD"], Decimal] = {}
    language: Literal["en", "nb"] = "en"
    password: Literal["a"] = "a"


def _explained(text: str) -> list[str]:
    document = yaml12.load(text, "s.yaml")
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(_Story).validate_python(document.data)
    return yaml12.explain(caught.value, document, _Story)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("language: en", ["s.yaml:1: title: is missing, and needed here"]),
        (
            "title: x\nlangage: en",
            [
                's.yaml:2: langage: is not a known key; did you mean "language"? '
                "Allowed here: title, steps, limits, language, password"
            ],
        ),
        ("title: x\nlanguage: nn", ['s.yaml:2: language: must be one of en, nb, not "nn"']),
        ("title: 5", ['s.yaml:1: title: must be text; numbers that are names stand in quotes, not "5"']),
        ("title: x\nlimits:\n  EUR: x", ['s.yaml:3: limits.EUR: must be a decimal number such as "12.50", not "x"']),
        ("title: x\nlimits:\n  GBP: 1", ['s.yaml:3: limits.GBP: the key must be one of EUR, USD, not "GBP"']),
        ("title: x\nlimits: 7", ["s.yaml:2: limits: must be a map of keys and values"]),
        ("title: x\nsteps: 7", ['s.yaml:2: steps: must be a list such as [a, b], not "7"']),
        ("title: x\nsteps:\n- at: 2026-01-01", ["s.yaml:3: steps[0]: needs the key 'do'"]),
        (
            "title: x\nsteps:\n- do: renw",
            ['s.yaml:3: steps[0]: must be one of renew, wait, not "renw"; did you mean "renew"?'],
        ),
        ("title: x\nsteps:\n- do: renew", ["s.yaml:3: steps[0].subscriptions: is missing, and needed here"]),
        (
            "title: x\nsteps:\n- do: renew\n  subscriptions: []\n  att: 2026-01-01",
            ['s.yaml:5: steps[0].att: is not a known key; did you mean "at"? Allowed here: at, do, subscriptions'],
        ),
        (
            "title: x\nsteps:\n- do: wait\n  days: 1\n  at: 2026-02-30",
            ['s.yaml:5: steps[0].at: must be a day such as 2026-12-31, not "2026-02-30"'],
        ),
        (
            "title: x\nsteps:\n- do: wait\n  days: x",
            [
                's.yaml:4: steps[0].days: must be a whole number, without quotes, not "x", '
                'or must be one of none, not "x"'
            ],
        ),
        ("title: x\npassword: hunter2", ["s.yaml:2: password: must be one of a"]),
    ],
)
def test_a_mistake_is_explained(text, lines):
    assert _explained(text) == lines


def test_what_was_written_is_cut_and_stays_on_one_line():
    [line] = _explained('title: x\nlanguage: "' + "a\\n" * 100 + '"')
    assert len(line) < 120
    assert "\n" not in line
