"""An e-mail as a value, and what the product asks of whoever carries it. Carriers live in `app.effects`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from app.domain.subscription import Subscription
from app.domain.values import NoticeKind


@dataclass(frozen=True, slots=True)
class Mail:
    """One e-mail to one recipient, about one subscription or several. `cause` names its document."""

    key: str
    kind: NoticeKind
    recipient: str
    language: str
    due_on: date
    cause: str
    subscriptions: tuple[Subscription, ...]


class Mailer(Protocol):
    """Hands mails over. Each has a stable key, so that a repeated one can be recognised."""

    def send(self, mails: Sequence[Mail]) -> None:
        """Raises where nothing was handed over; then the mails stay in the outbox."""
        ...
