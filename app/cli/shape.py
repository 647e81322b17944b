"""How every command is declared: under a heading of the help, with examples that a test runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import typer

START, LOOK, ACT, WORK, TRY, LATER = "Start", "Look", "Act", "Jobs", "Try out", "Not in this version"
"""Headings of `perennial --help`, in their order."""

Function = TypeVar("Function", bound=Callable[..., Any])


def command(
    part: typer.Typer, name: str, heading: str, *examples: str, **settings: Any
) -> Callable[[Function], Function]:
    """Make a function the command `name`; each example is a whole call."""
    epilog = "\n".join(f"Example: {example}" for example in examples)
    return part.command(name, rich_help_panel=heading, epilog=epilog, **settings)
