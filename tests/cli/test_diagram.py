"""The diagram is drawn from the table of transitions: everything in it, and nothing else."""

import re

from app.domain.diagram import draw, meanings, sentence_of
from app.domain.lifecycle import RULES
from app.domain.states import State, Trigger


def test_mermaid_has_every_move_of_the_table_and_no_other() -> None:
    drawn = set(re.findall(r"(\S+) --> (\S+): (.+)", draw("mermaid")))
    moves = {
        ("[*]" if source is State.NEW else str(source), str(dest), str(trigger))
        for source, dest, labels in _edges()
        for trigger in labels
    }
    assert {(a, b, each) for a, b, label in drawn for each in label.split(", ")} == moves


def _edges() -> list[tuple[State, State, list[Trigger]]]:
    return [
        (source, dest, [rule.trigger for rule in RULES if source in rule.sources and rule.dest is dest])
        for source in State
        for dest in State
    ]


def test_dot_has_as_many_edges_as_mermaid() -> None:
    edges = [line for line in draw("mermaid").splitlines() if "-->" in line and not line.endswith("[*]")]
    assert draw("dot").count("->") == len(edges)


def test_text_says_what_each_state_and_move_means() -> None:
    text = draw("text")
    assert "renewable: Paid for; the renewal window is open." in text
    assert "expire → expired: not renewed or not paid: first stage [if has grace]" in text


def test_every_state_and_trigger_has_a_meaning() -> None:
    assert set(meanings(State)) == {state.name for state in State}
    assert set(meanings(Trigger)) == {trigger.name for trigger in Trigger}


def test_sentences_of_moves() -> None:
    assert sentence_of("suspend", "suspended") == "second stage"
    assert sentence_of("suspend", "active") is None
