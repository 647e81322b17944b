"""Every way in which a command can end badly: one clear line, a stable exit status, never a traceback."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import typer

DONE, IN_PART, BAD_INPUT, REFUSED, NOT_YET, UNREACHABLE, UNEXPECTED = 0, 1, 2, 3, 4, 5, 70
INTERRUPTED, OUTPUT_CLOSED, TERMINATED = 130, 141, 143

EXIT_CODES = {
    DONE: "done",
    IN_PART: "done in part: a check failed, or one of several was refused",
    BAD_INPUT: "bad input: the call, a file or a setting",
    REFUSED: "refused by a rule; nothing changed",
    NOT_YET: "not in this version",
    UNREACHABLE: "the database or the payment provider cannot be reached or used now",
    UNEXPECTED: "a defect in Perennial",
    INTERRUPTED: "interrupted",
}
"""What the exit status says, as `perennial --help` documents it."""

_RULE = re.compile(r"\b[A-Z][0-9]+[a-z]?\b")
_BRACKETS = re.compile(r"\(([^()]*)\)")


class OutputClosed(Exception):
    """Whoever read the output went away (`perennial list | head`)."""


class Terminated(BaseException):
    """SIGTERM: whatever is open is closed on the way out."""


@dataclass(frozen=True, slots=True)
class Failure:
    """How a command ended: its exit status, what a person reads, and what a program reads besides."""

    status: int
    line: str
    facts: dict[str, Any] = field(default_factory=dict)


def guarded(act: Callable[[], Any], as_json: bool) -> int:
    """Run a command and answer its exit status; what goes wrong is told in a line on standard error."""
    try:
        answer = act()
        sys.stdout.flush()
        return answer if isinstance(answer, int) else DONE
    except (OutputClosed, BrokenPipeError, SystemExit):
        # SystemExit: how typer ends where the output is closed while it prints a help.
        _give_up_output()
        return OUTPUT_CLOSED
    except Terminated:
        return TERMINATED
    except (KeyboardInterrupt, typer.Abort):
        return _tell(Failure(INTERRUPTED, "interrupted"), as_json=False)
    except Exception as error:
        if os.environ.get("PERENNIAL_LOG_TRACEBACK"):
            traceback.print_exc()
        return _tell(failure_of(error), as_json)


def _give_up_output() -> None:
    """Nobody reads on: what is still buffered must not fail at the exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        return


def _tell(failure: Failure, as_json: bool) -> int:
    for line in failure.line.splitlines():
        print(f"perennial: {line}", file=sys.stderr)
    if as_json:
        from app.cli.output import print_json

        print_json({"error": {"exit": failure.status, "message": failure.line, **failure.facts}})
    return failure.status


def failure_of(error: Exception) -> Failure:
    """What an error means to whoever called."""
    if isinstance(error, typer.TyperException):
        return _usage(error)
    return _known(error) or Failure(
        UNEXPECTED,
        f"unexpected {type(error).__name__}: {_first_line(error)} (set PERENNIAL_LOG_TRACEBACK=1 for details)",
    )


def _usage(error: typer.TyperException) -> Failure:
    """A call that cannot be understood, with where to read how it is meant. Without a command the help was printed."""
    context = getattr(error, "ctx", None)
    message = " ".join(error.format_message().split()).rstrip(".")
    hint = f"; see: {context.command_path} --help" if context and message else ""
    return Failure(BAD_INPUT, message + hint)


def _known(error: Exception) -> Failure | None:
    from app.cli.session import CannotReach, CannotUse
    from app.config import ConfigMistake
    from app.domain.errors import NotInThisVersion, Refusal
    from app.rules import UnknownRule

    match error:
        case Refusal():
            return Failure(REFUSED, f"refused: {error}", facts_of(error))
        case NotInThisVersion():
            return Failure(NOT_YET, f"not in this version: {error}")
        case ConfigMistake() | CannotUse():
            return Failure(BAD_INPUT, str(error))
        case UnknownRule():
            return Failure(BAD_INPUT, str(error.args[0]))
        case CannotReach():
            return Failure(UNREACHABLE, str(error))
    return _of_parts(error) or _of_database(error) or _of_system(error)


def facts_of(refusal: Any) -> dict[str, Any]:
    """A refusal as a program reads it."""
    named = " ".join(_BRACKETS.findall(refusal.sentence))
    return {
        "code": refusal.code,
        "sentence": refusal.sentence,
        "detail": refusal.detail,
        "remedy": refusal.remedy,
        "rules": _RULE.findall(named),
    }


def _of_parts(error: Exception) -> Failure | None:
    """Errors that only some commands can meet."""
    from app.services.commands.base import OutcomePending
    from app.store.facts import UnknownOffering
    from app.store.migrate import DatabaseMismatch
    from app.store.snapshot import NoSpace
    from jobs.scenario.mistakes import ScenarioMistake

    match error:
        case ScenarioMistake() | UnknownOffering():
            return Failure(BAD_INPUT, str(error))
        case DatabaseMismatch() | NoSpace() | OutcomePending():
            return Failure(UNREACHABLE, str(error))
    return None


def _of_database(error: Exception) -> Failure | None:
    from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError

    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    said = _first_line(error.orig or error)
    if "locked" in said:
        return Failure(UNREACHABLE, f"the database is busy ({said}); try again")
    if isinstance(error, OperationalError | InterfaceError) or "not a database" in said:
        return Failure(UNREACHABLE, f"the database cannot be used: {said}")
    return None


def _of_system(error: Exception) -> Failure | None:
    if isinstance(error, ConnectionError | TimeoutError):
        return Failure(UNREACHABLE, f"cannot be reached: {_first_line(error)}")
    if isinstance(error, OSError) and error.filename is not None:
        return Failure(BAD_INPUT, f"{error.filename}: {error.strerror}")
    return None


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
