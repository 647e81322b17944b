"""Why things are as they are, and what the jobs will make of them."""

from __future__ import annotations

import csv
import sys
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import act, output, session
from app.cli.parameters import AsJson, Id, Until, a_word
from app.cli.shape import LOOK, command

if TYPE_CHECKING:
    from app.services.story import Chapter, Coming, Story

commands = typer.Typer()


@command(commands, "explain", LOOK, "perennial explain S1", "perennial explain S2 --json")
def explain(subscription: Id, as_json: AsJson = False) -> None:
    """Tell why a subscription is where it is.

    How it came to be in this state, rule by rule; what that means; and what comes next and when.
    """
    from app.services import story

    with session.open_book() as book:
        told = story.tell(book.ctx, subscription)
    if as_json:
        output.print_json(_document(told))
    else:
        _past(told)
        _present(told)
        _future(told)
        _rules(told)


def _document(told: Story) -> dict[str, Any]:
    document = asdict(told)
    for chapter in document["past"]:
        chapter["from"] = chapter.pop("from_")
    return document


def _past(told: Story) -> None:
    view = told.view
    output.say(f"{told.id}: {view['offering']}, {view['term']}, {output.counted(view['seats'], 'seat')}")
    output.say()
    output.say("How it came to this")
    output.show_table(("day", "what", "rule", "why", "by"), [_chapter(each) for each in told.past])
    output.say()


def _chapter(each: Chapter) -> tuple[object, ...]:
    """What was done on another day than the one it counts for says so."""
    why = ", ".join(part for part in (each.says if each.to else "", each.detail) if part)
    by = each.cause if each.done_on == each.on else f"{each.cause}, on {each.done_on}"
    return (each.on, act.change(each.event, each.from_, each.to), each.rule or "", why, by)


def _present(told: Story) -> None:
    view = told.view
    output.say("Now")
    output.say(f"  {view['state']}, {told.dates}. {told.says}")
    if view["reason"]:
        output.say(f"  Reason: {view['reason']}, counted from {told.lapse_on} (S2, L2).")
    if told.stages:
        days = ", ".join(f"{stage} from {on}" for stage, on in told.stages.items())
        output.say(f"  {'Stages' if view['reason'] else 'If nobody acts'}: {days}.")
    if view["pending"]:
        output.say(f"  Asked for the next term: {output.text(view['pending'])} (T1).")
    if told.stuck:
        output.say(f"  Set aside, tried again by the daemon: {told.stuck} (J5).")
    output.say()


def _future(told: Story) -> None:
    output.say("Next")
    if not told.ahead:
        output.say("  Nothing: it has ended.")
        return
    output.show_table(("", "day", "what", "rule", "", ""), [_coming(each) for each in told.ahead])
    if any(each.is_late for each in told.ahead):
        output.say("  What is due already is done by the daemon, or by: perennial catch-up")


def _coming(each: Coming) -> tuple[object, ...]:
    kind = "mail only" if each.is_mail else ""
    notes = [f"will be skipped: {each.skipped}"] if each.skipped else []
    notes += ["due already"] if each.is_late else []
    mark = ">" if each.is_next else ""
    return (mark, each.on, each.event.replace("_", " "), each.rule, kind, "; ".join(notes))


def _rules(told: Story) -> None:
    """The rules named above, each once."""
    named = [(each.rule, each.rule_says) for each in told.past if each.rule]
    named += [(each.rule, each.rule_says) for each in told.ahead]
    output.say()
    output.say("Rules (the whole text: perennial rules ID)")
    output.show_table(("", ""), [(f"  {rule}", says) for rule, says in dict.fromkeys(named)])


# ------------------------------------------------------------------ plan

_COLUMNS = ("on", "at", "subject", "event", "from", "to", "rule", "detail", "amount", "currency")


@command(
    commands,
    "plan",
    LOOK,
    "perennial plan --until 2027-12-31 S1",
    "perennial plan --until 2027-12-31 --csv",
)
def plan(
    until: Until,
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]", parser=a_word, help="Only these subscriptions.", show_default=False),
    ] = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
) -> None:
    """Show what the jobs will do if nobody acts.

    Every transition, charge, invoice and mail until a day, by the same code, on a copy: nothing is written.
    """
    planned = _planned(until, ids or None)
    if as_json:
        output.print_json({"until": until, "planned": planned})
    elif as_csv:
        writer = csv.DictWriter(sys.stdout, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(planned)
    elif planned:
        rows = [_line(each) for each in planned]
        output.show_table(("day", "id", "what", "rule", "amount", ""), rows)
    else:
        output.say(f"Nothing will happen until {until}.")


def _planned(until: date, ids: list[str] | None) -> list[dict[str, Any]]:
    from jobs import planning

    with session.open_book() as book:
        return planning.as_json(planning.plan(book.ctx, until, ids))


def _line(each: dict[str, Any]) -> tuple[object, ...]:
    what = act.change(each["event"], each["from"], each["to"])
    amount = f"{each['amount']} {each['currency']}" if each["amount"] else ""
    return (each["on"], each["subject"], what, each["rule"] or "", amount, each["detail"])
