"""The states of a subscription and the triggers that move it (rulebook S1)."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a subscription is. Each member's comment says what it means to the customer (S4)."""

    NEW = "new"
    """Not bought yet: the row exists only inside the transaction that buys it."""
    TRIAL = "trial"
    """A free trial of `trials.days` days (O4)."""
    TRIAL_ENDED = "trial_ended"
    """The trial is over or was converted. Final."""
    ACTIVE = "active"
    """Paid for; the renewal window is closed, or the next term is already bought (W1)."""
    RENEWABLE = "renewable"
    """Paid for; the renewal window is open."""
    EXPIRED = "expired"
    """First stage of the shutoff: access stays, upgrades and support do not (L3)."""
    SUSPENDED = "suspended"
    """Second stage of the shutoff: no access, users are kept (L3)."""
    CANCELED = "canceled"
    """The end of the shutoff, or of a term without grace (L3, L4, L5). Final."""
    RETURNED = "returned"
    """Sent back within the return window (R2). Final."""


class Trigger(StrEnum):
    """What can happen to a subscription. Verbs; the sentence says when."""

    PURCHASE = "purchase"
    """It is bought (S1)."""
    START_TRIAL = "start_trial"
    """A trial begins (O4)."""
    OPEN_WINDOW = "open_window"
    """The day comes on which it may be renewed (W1)."""
    RENEW = "renew"
    """The next term is bought: by hand, by quote or by the automatic charge (M2, Q9, A2)."""
    START_TERM = "start_term"
    """A term that was bought early begins on its day (M2)."""
    EXPIRE = "expire"
    """The day after X begins (L3)."""
    SUSPEND = "suspend"
    """The first stage of the shutoff is over (L3)."""
    CANCEL = "cancel"
    """The shutoff is over, or there was no grace (L3, L4, L5)."""
    CURE = "cure"
    """The cause of a lapse is gone without a renewal (L6)."""
    END_TRIAL = "end_trial"
    """The trial's last day has passed (O4)."""
    CONVERT = "convert"
    """The trial becomes a purchase (O4)."""


FINAL = frozenset({State.CANCELED, State.RETURNED, State.TRIAL_ENDED})
"""Nothing happens to these any more (S1)."""
LIVE = frozenset({State.ACTIVE, State.RENEWABLE})
"""In good standing."""
LAPSED = frozenset({State.EXPIRED, State.SUSPENDED})
"""In the shutoff, and curable (L6)."""
TRIALS = frozenset({State.TRIAL, State.TRIAL_ENDED})
