"""What a state permits (S4)."""

from __future__ import annotations

from typing import NamedTuple

from app.domain.states import State


class Capabilities(NamedTuple):
    """The columns of S4's table."""

    product_access: str
    user_management: str
    downloads: str
    insights: str
    support: str


_FULL = Capabilities("full", "full", "full", "full", "full")
_ENDED = Capabilities("none", "removed", "none", "none", "self_help")

CAPABILITIES: dict[State, Capabilities] = {
    State.TRIAL: _FULL._replace(support="self_help"),
    State.ACTIVE: _FULL,
    State.RENEWABLE: _FULL,
    State.EXPIRED: Capabilities("full", "full", "no_upgrades", "none", "self_help"),
    State.SUSPENDED: Capabilities("none", "kept", "none", "none", "self_help"),
    State.CANCELED: _ENDED,
    State.RETURNED: _ENDED,
    State.TRIAL_ENDED: _ENDED,
}


def access(state: State) -> str:
    """`full` or `none`: whether the product can be used."""
    return CAPABILITIES[state].product_access
