"""The table of transitions as a picture and as prose: drawn from the table, so that it cannot go stale."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from enum import Enum
from itertools import pairwise, product

from app.domain.lifecycle import RULES, Rule
from app.domain.states import FINAL, State, Trigger

FORMATS = ("mermaid", "dot", "text")


def draw(form: str) -> str:
    """The whole diagram as `mermaid`, `dot` (Graphviz) or `text`."""
    return {"mermaid": _mermaid, "dot": _dot, "text": _text}[form]()


def meanings(vocabulary: type[Enum]) -> dict[str, str]:
    """What the sentence under each member of an enum says, by the member's name."""
    (body,) = [node.body for node in ast.parse(textwrap.dedent(inspect.getsource(vocabulary))).body
               if isinstance(node, ast.ClassDef)]  # fmt: skip
    found = {}
    for member, sentence in pairwise(body):
        if isinstance(member, ast.Assign) and isinstance(sentence, ast.Expr):
            (target,) = member.targets
            if isinstance(target, ast.Name) and isinstance(sentence.value, ast.Constant):
                found[target.id] = " ".join(str(sentence.value.value).split())
    return found


def sentence_of(trigger: str, dest: str) -> str | None:
    """What a move means, in words: `expire` to expired is "not renewed or not paid: first stage"."""
    return next((rule.sentence for rule in RULES if (rule.trigger, rule.dest) == (trigger, dest)), None)


def _edges() -> dict[tuple[State, State], list[Trigger]]:
    """The triggers between each two states, in the order of the states."""
    found: dict[tuple[State, State], list[Trigger]] = {}
    for source, dest in product(State, State):
        moves = [rule.trigger for rule in RULES if source in rule.sources and rule.dest is dest]
        if moves:
            found[source, dest] = list(dict.fromkeys(moves))
    return found


def _ends() -> list[State]:
    """The final states that a move of the table leads to."""
    return [state for state in State if state in FINAL and any(rule.dest is state for rule in RULES)]


def _mermaid() -> str:
    lines = ["stateDiagram-v2"]
    for (source, dest), triggers in _edges().items():
        start = "[*]" if source is State.NEW else source
        lines.append(f"    {start} --> {dest}: {', '.join(triggers)}")
    lines += [f"    {state} --> [*]" for state in _ends()]
    return "\n".join(lines)


def _dot() -> str:
    lines = ["digraph subscription {", "    rankdir=LR;", "    node [shape=box, style=rounded];"]
    lines += [f"    {state} [peripheries=2];" for state in _ends()]
    lines.append(f"    {State.NEW} [shape=point];")
    for (source, dest), triggers in _edges().items():
        lines.append(f'    {source} -> {dest} [label="{", ".join(triggers)}"];')
    return "\n".join([*lines, "}"])


def _text() -> str:
    sentences = meanings(State)
    return "\n\n".join("\n".join(_state_lines(state, sentences)) for state in State)


def _state_lines(state: State, sentences: dict[str, str]) -> Iterator[str]:
    yield f"{state}: {sentences[state.name]}"
    for rule in RULES:
        if state in rule.sources:
            yield f"    {rule.trigger} → {rule.dest}: {rule.sentence}{_guards(rule)}"


def _guards(rule: Rule) -> str:
    names = [guard.__name__.replace("_", " ") for guard in rule.when]
    return f" [if {' and '.join(names)}]" if names else ""
