"""What all commands of a scenario step share.

Names of parameters mean the same everywhere: `subscription` and `align_to` are subscription ids, `csn` a
customer, `quote` a quote's name or a subscription. A parameter left out is None: the product's own default.
"""

from __future__ import annotations

from typing import ClassVar

from jobs.scenario.fields import Keys, Text

_ABOUT = ("subscription", "quote", "as_", "subscriptions", "items", "invoice", "order", "csn")


class Command(Keys):
    """What a step does. `do` names it, as the CLI and the API do."""

    do: str
    is_bulk: ClassVar[bool] = False
    """Whether it reports each subscription's own outcome (A5, M1)."""

    @property
    def subject(self) -> str | None:
        """Whom it is about, for people who read a report: its first subscription, quote or customer."""
        for key in _ABOUT:
            value = getattr(self, key, None)
            if isinstance(value, tuple):
                value = next(iter(value), None)
            if value is not None:
                return str(getattr(value, "as_", value))
        return None


class Payer(Keys):
    """The account that pays an invoice (B1)."""

    csn: Text
    email: Text


def exactly_one(**alternatives: object) -> None:
    """Refuse a command that names neither or both of two subjects (ValueError)."""
    given = [name for name, value in alternatives.items() if value is not None]
    if len(given) != 1:
        raise ValueError(f"needs either {' or '.join(alternatives)}")
