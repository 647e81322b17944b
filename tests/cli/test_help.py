"""Every command has help with an example, and the example works as it stands."""

import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from app.cli import failures, todo
from app.cli.program import hoisted, root
from tests.cli.conftest import ROOT, Call

PROGRAM = str(Path(sys.executable).with_name("perennial"))
STAY = {"perennial run", "perennial daemon"}
"""These stay until they are stopped; tests/cli/test_daemon.py stops them."""
NOT_SOLD_YET = {"extend", "add-seats", *todo.MISSING}


def commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command with the words that call it."""
    for name, command in (group or typer.main.get_command(root)).commands.items():
        words = (*path, name)
        if hasattr(command, "commands"):
            yield from commands(command, words)
        else:
            yield " ".join(words), command


COMMANDS = dict(commands())
EXAMPLES = [
    line.removeprefix("Example: ") for command in COMMANDS.values() for line in (command.epilog or "").splitlines()
]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_what_a_command_does_and_an_example(call: Call, name: str) -> None:
    ended = call(*name.split(), "--help")
    assert ended.status == 0
    assert f"Example: perennial {name}" in " ".join(ended.out.split())
    assert COMMANDS[name].help.split("\n")[0] in " ".join(ended.out.split())


@pytest.mark.parametrize("example", [each for each in EXAMPLES if each not in STAY])
def test_examples_work_as_they_stand(call: Call, book: Path, example: str) -> None:
    program, *words = shlex.split(example)
    ended = call(*words)
    assert program == "perennial"
    assert ended.status == (4 if words[0] in NOT_SOLD_YET else 0), ended.err
    assert bool(ended.err) is (ended.status == 4)
    if "--json" in words:
        assert ended.json


def test_every_command_of_the_format_is_a_command() -> None:
    from jobs.scenario.commands import COMMANDS as FORMAT

    assert {name.replace("_", "-") for name in FORMAT} <= set(COMMANDS)


def test_every_command_of_the_product_is_a_command() -> None:
    from app.services.commands import COMMANDS as PRODUCT

    assert {name.replace("_", "-") for name in PRODUCT} <= set(COMMANDS) - set(todo.MISSING)


def test_commands_of_the_product_can_be_rehearsed_and_read_by_programs() -> None:
    from app.services.commands import COMMANDS as PRODUCT

    for name in PRODUCT:
        options = {option for param in COMMANDS[name.replace("_", "-")].params for option in param.opts}
        assert {"--dry-run", "--json", "--by"} <= options, name


def test_exit_statuses_are_documented(call: Call) -> None:
    shown = " ".join(call("--help").out.split())
    for status, meaning in failures.EXIT_CODES.items():
        assert f"{status} {meaning}" in shown


def test_without_a_command_the_help_is_shown(call: Call) -> None:
    ended = call()
    assert (ended.status, ended.err) == (2, "")
    assert "Usage: perennial" in ended.out


def test_help_is_quick() -> None:
    """Nothing heavy is imported for it: neither the database nor the settings."""
    started = time.perf_counter()
    code = "import sys; from app.cli import main; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert time.perf_counter() - started < 5
    assert not {"sqlalchemy", "sqlmodel", "pydantic", "yaml", "alembic"} & set(found.stdout.split())


def test_the_installed_program_runs() -> None:
    ended = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("perennial ")


@pytest.mark.parametrize(
    "given, expected",
    [
        ("list --database URL", "--database URL list"),
        ("list --database=URL --json", "--database=URL list --json"),
        ("--config F simulate a.yaml --database URL --json", "--config F --database URL simulate a.yaml --json"),
        ("list --config", "--config list"),
        ("list -- --config F", "list -- --config F"),
    ],
)
def test_options_of_every_command_may_stand_anywhere(given: str, expected: str) -> None:
    assert hoisted(given.split()) == expected.split()
