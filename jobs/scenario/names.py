"""Who is who in a scenario: names that the file gives, and whether what it speaks of exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.explain import Path
from jobs.scenario.commands import Command
from jobs.scenario.commands.buying import Buy, ConvertTrial
from jobs.scenario.commands.quoting import AcceptQuote, CreateQuote
from jobs.scenario.commands.renewing import Renew
from jobs.scenario.mistakes import unknown

_INVOICE_NUMBER = re.compile(r"[A-Z]{0,3}-?[0-9][0-9-]{3,}")
RESERVED = frozenset(
    {
        *("invoices_of", "installments_of", "quotes_of", "charges_of", "notices_of", "transitions_of"),
        *("groups", "outcomes"),
    }
)
"""Words that mean something else under `expect:`."""


@dataclass(slots=True)
class Names:
    """What has been named up to a step. Subscriptions, quotes, orders and customers share one name space.

    `tried` holds names whose command was refused: there is nothing behind them, and they can be used again.
    """

    offerings: frozenset[str]
    customers: set[str] = field(default_factory=set)
    subscriptions: set[str] = field(default_factory=set)
    quotes: set[str] = field(default_factory=set)
    new_quotes: set[str] = field(default_factory=set)
    orders: set[str] = field(default_factory=set)
    tried: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def why_not(self, name: str) -> str | None:
        """Why a new name cannot be given, or None."""
        if name in RESERVED:
            return f"{name!r} means something else under expect"
        if name in self.customers | self.subscriptions | self.quotes | self.orders:
            return f"{name!r} is used twice"
        return None

    def learn(self, kinds: tuple[str, ...], name: str) -> None:
        """Remember what a command that succeeds brings into being."""
        for kind in kinds:
            getattr(self, kind).add(name)


def created(command: Command, names: Names) -> Iterator[tuple[tuple[str, ...], str, Path]]:
    """What a command names: as which kinds of thing, the name, and where it stands.

    The order of a purchase goes by the name of each subscription that it buys. Accepting a quote of kind
    `new` buys one, which then goes by the name of the order (Q4).
    """
    match command:
        case Buy():
            for index, item in enumerate(command.items):
                yield ("subscriptions", "orders"), item.as_, ("items", index, "as")
        case ConvertTrial():
            yield ("subscriptions", "orders"), command.as_, ("as",)
        case CreateQuote():
            yield ("quotes", "new_quotes") if command.is_new else ("quotes",), command.as_, ("as",)
        case Renew(as_=str(name)):
            yield ("orders",), name, ("as",)
        case AcceptQuote(as_=str(name)):
            is_new = command.quote in names.new_quotes
            yield ("orders", "subscriptions") if is_new else ("orders",), name, ("as",)


def mentioned(command: Command) -> Iterator[tuple[str, str, Path]]:
    """What a command speaks of: which kind of thing, its id, and where the id stands."""
    for key, kind in _MENTIONS.items():
        value = getattr(command, key, None)
        if isinstance(value, str):
            yield kind, value, (key,)
        for index, one in enumerate(value if isinstance(value, tuple) else ()):
            yield kind, one, (key, index)
    if isinstance(command, Buy):
        for index, item in enumerate(command.items):
            yield "offering", item.offering, ("items", index, "offering")


_MENTIONS = {
    "csn": "customer",
    "subscription": "subscription",
    "subscriptions": "subscription",
    "align_to": "subscription",
    "offering": "offering",
    "quote": "quote",
    "order": "order",
    "invoice": "invoice",
    "invoices": "invoice",
}


def stranger(kind: str, name: str, names: Names) -> str | None:
    """Why what a command speaks of cannot be meant, or None where it exists.

    An invoice goes by a subscription or by its own number, `INV-000012`, which no file gives.
    """
    known = {
        "customer": names.customers,
        "subscription": names.subscriptions,
        "offering": names.offerings,
        "quote": names.quotes | names.subscriptions,
        "order": names.orders,
        "invoice": names.subscriptions,
    }[kind]
    if name in known or (kind == "invoice" and _INVOICE_NUMBER.fullmatch(name)):
        return None
    return unknown(kind, name, known)
