"""What is done is done: a job that runs again changes nothing, by hand or not (J3, J9)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.services import delivery
from jobs import by_hand, runner
from jobs.registry import JOBS
from jobs.simulation import Simulation
from tests.properties.lives import Life, WithDowntime, contents, play
from tests.properties.test_downtime import Spans, with_downtime

names = st.sampled_from([job.name for job in JOBS])


def _run_everything_twice(simulation: Simulation) -> None:
    _everything(simulation)
    before = contents(simulation.ctx.engine)
    _everything(simulation)
    assert contents(simulation.ctx.engine) == before


def _everything(simulation: Simulation) -> None:
    for job in JOBS:
        by_hand.run_job(simulation.ctx, job.name)
    assert runner.run_due(simulation.ctx) == []
    delivery.deliver(simulation.ctx, delivery.NoMailer())


def _check_again(life: Life, spans: Spans) -> None:
    expected = play(life)
    actual = play(life, WithDowntime(spans), look=_run_everything_twice)
    assert actual.answers == expected.answers
    assert actual.subscriptions == expected.subscriptions


def _check_by_hand(life: Life, spans: Spans, job: str) -> None:
    expected = play(life)
    actual = play(life, WithDowntime(spans), look=lambda simulation: _run(simulation, job))
    assert actual.answers == expected.answers
    assert actual.subscriptions == expected.subscriptions


def _run(simulation: Simulation, job: str) -> None:
    by_hand.run_job(simulation.ctx, job)


@settings(max_examples=5)
@given(with_downtime)
def test_a_second_run_changes_nothing(drawn: tuple[Life, Spans]) -> None:
    _check_again(*drawn)


@settings(max_examples=5)
@given(with_downtime, names)
def test_a_job_by_hand_does_what_the_daemon_would(drawn: tuple[Life, Spans], job: str) -> None:
    """Up to that job and no further, after each thing that people do, while the daemon is up or down (J9)."""
    _check_by_hand(*drawn, job)


@pytest.mark.soak
@settings(max_examples=200)
@given(with_downtime)
def test_a_second_run_never_changes_anything(drawn: tuple[Life, Spans]) -> None:
    _check_again(*drawn)


@pytest.mark.soak
@settings(max_examples=300)
@given(with_downtime, names)
def test_a_job_by_hand_always_does_what_the_daemon_would(drawn: tuple[Life, Spans], job: str) -> None:
    _check_by_hand(*drawn, job)
