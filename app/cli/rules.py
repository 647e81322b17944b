"""The rulebook and the table of states, as they ship with the product."""

from __future__ import annotations

from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import output
from app.cli.parameters import AsJson, a_word
from app.cli.shape import LOOK, command

if TYPE_CHECKING:
    from app.rules import Rule

commands = typer.Typer()


@command(commands, "rules", LOOK, "perennial rules L3", "perennial rules")
def rules(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RULE]", parser=a_word, help="Ids such as L3; left out: all, a line each.",
                       show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Look rules up.

    Every rule id that the product prints is one of these.
    """
    from app.rules import find
    from app.rules import rules as all_rules

    found = [find(each) for each in ids] if ids else list(all_rules().values())
    if as_json:
        output.print_json([{"id": rule.id, "group": rule.group, "text": rule.text} for rule in found])
    elif ids:
        from rich.markdown import Markdown

        for rule in found:
            output.say(f"{rule.id} ({rule.group})")
            output.show(Markdown(rule.text))
            output.say()
    else:
        _in_lines(found)


def _in_lines(found: list[Rule]) -> None:
    from app.services.rule_lines import rule_in_a_line

    for group, members in groupby(found, lambda rule: rule.group):
        output.say(group)
        output.show_table(("", ""), [(f"  {rule.id}", rule_in_a_line(rule.id)) for rule in members])
    output.say()
    output.say("The whole text of one: perennial rules L3")


class Form(StrEnum):
    """How the diagram is drawn."""

    MERMAID = "mermaid"
    DOT = "dot"
    TEXT = "text"


@command(commands, "diagram", LOOK, "perennial diagram", "perennial diagram --format text")
def diagram(
    form: Annotated[Form, typer.Option("--format", help="For Mermaid, for Graphviz, or to read.")] = Form.MERMAID,
) -> None:
    """Draw the states and the moves between them.

    From the very table that the jobs go by.
    """
    from app.domain.diagram import draw

    output.say(draw(form))
