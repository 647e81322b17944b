"""Customers, users, graces, and the daemon itself."""

from __future__ import annotations

from typing import Literal

from jobs.scenario.commands.base import Command
from jobs.scenario.fields import Day, Text, Whole
from jobs.scenario.parties import CustomerKeys

JobName = Literal[
    "bill_installments",
    "collect",
    "end_trials",
    "expire_quotes",
    "renew",
    "start_terms",
    "expire",
    "suspend",
    "cancel",
    "open_windows",
    "issue_quotes",
    "remind",
    "deliver",
]
"""The jobs of a day, in order, and the outbox (J1)."""


class UpdateCustomer(Command, CustomerKeys):
    """Changes a customer's data (O8): the keys that are given, and no others."""

    do: Literal["update_customer"]
    csn: Text

    @property
    def changes(self) -> dict[str, object]:
        """The new values by customer key; a given null is a change, a key left out is none."""
        return {key: getattr(self, key) for key in sorted(self.model_fields_set - {"do", "csn"})}


class ExtendGrace(Command):
    """An operator moves the next stage of a lapse by `days` (L10)."""

    do: Literal["extend_grace"]
    subscription: Text
    days: Whole
    reason: Text


class AssignUser(Command):
    """Gives a seat to somebody (S4)."""

    do: Literal["assign_user"]
    subscription: Text
    email: Text


class UnassignUser(Command):
    """Takes a seat from somebody (S4)."""

    do: Literal["unassign_user"]
    subscription: Text
    email: Text


class StopDaemon(Command):
    """No job runs until `start_daemon`; commands by people still work (J3b)."""

    do: Literal["stop_daemon"]


class StartDaemon(Command):
    """What was missed is done, each as of its own date (J3)."""

    do: Literal["start_daemon"]


class RunJob(Command):
    """Runs a job by hand; without `date` that of today in each zone (J9)."""

    do: Literal["run_job"]
    job: JobName
    date: Day | None = None
