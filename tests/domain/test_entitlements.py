"""What a state permits, as S4's table has it."""

import pytest

from app.domain.entitlements import CAPABILITIES, access
from app.domain.states import State

S4 = {
    State.ACTIVE: "full full full full full",
    State.RENEWABLE: "full full full full full",
    State.EXPIRED: "full full no_upgrades none self_help",
    State.SUSPENDED: "none kept none none self_help",
    State.CANCELED: "none removed none none self_help",
    State.TRIAL: "full full full full self_help",
    State.TRIAL_ENDED: "none removed none none self_help",
    State.RETURNED: "none removed none none self_help",
}
"""Product access, user management, downloads and uploads, insights, support."""


@pytest.mark.parametrize("state", S4)
def test_capabilities(state: State) -> None:
    assert " ".join(CAPABILITIES[state]) == S4[state]
    assert access(state) == S4[state].split()[0]


def test_every_state_has_a_row() -> None:
    assert set(CAPABILITIES) == set(State) - {State.NEW}
