"""Every field that `expect:` knows, and what its values look like."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from app.domain.errors import CODES
from app.domain.states import State
from app.domain.values import (
    HIDDEN_DUE,
    ChargeState,
    Due,
    InstallmentState,
    InvoiceState,
    Method,
    NoticeKind,
    QuoteState,
    Reason,
    TermKind,
)
from jobs.scenario import fields
from jobs.scenario.story import Plain


class Word:
    """One of a few words."""

    def __init__(self, what: str, words: tuple[str, ...]) -> None:
        self.what = what
        self.words = words


class Nested:
    """A mapping of which any part can be named."""

    def __init__(self, known: Mapping[str, Kind]) -> None:
        self.fields = known


class Entries:
    """A list, complete and in order."""

    def __init__(self, each: Kind) -> None:
        self.each = each


class Name:
    """The name of something that must exist: an `offering` or a `subscription`."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


Scalar = Callable[[object], Plain]
"""Answers the value as plain data, or raises ValueError with what it should be."""
Kind = Word | Nested | Entries | Name | Scalar


def _words(what: str, *enums: type[StrEnum], without: frozenset[str] = frozenset()) -> Word:
    return Word(what, tuple(member.value for enum in enums for member in enum if member.value not in without))


def _day(value: object) -> Plain:
    return fields.day(value).isoformat()


def _number(value: object) -> Plain:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("must be a whole number")


def _flag(value: object) -> Plain:
    if isinstance(value, bool):
        return value
    raise ValueError("must be true or false")


def _rule(value: object) -> Plain:
    if isinstance(value, str) and re.fullmatch(r"[A-Z][0-9]{1,2}[a-z]?", value):
        return value
    raise ValueError("must be the id of a rule such as L3")


_STATE: Final = _words("state", State, without=frozenset({State.NEW}))
_TERM: Final = _words("term", TermKind)
_METHOD: Final = _words("payment method", Method)
_OFFERING: Final = Name("offering")
_LANGUAGE: Final = Word("language", ("en", "nl", "nb", "de"))
_LEVEL: Final = Word("capability", ("full", "no_upgrades", "kept", "removed", "self_help", "none"))

_CAPABILITIES: Final = Nested(
    dict.fromkeys(("product_access", "user_management", "downloads", "insights", "support"), _LEVEL)
)
_NEXT: Final = Nested({"event": _words("event", Due, without=frozenset(due.value for due in HIDDEN_DUE)), "on": _day})

SUBSCRIPTION: Final = Nested(
    {
        "state": _STATE,
        "reason": _words("reason", Reason),
        "term": _TERM,
        "seats": _number,
        "offering": _OFFERING,
        "currency": fields.currency,
        "starts_on": _day,
        "ends_on": _day,
        "renews_on": _day,
        "window_opens_on": _day,
        "auto_renew": _flag,
        "scheduled": Nested(
            {"starts_on": _day, "ends_on": _day, "term": _TERM, "seats": _number, "offering": _OFFERING}
        ),
        "pending": Nested({"term": _TERM, "seats": _number, "offering": _OFFERING}),
        "payment": _METHOD,
        "assignments": Entries(fields.text),
        "access": Word("access", ("full", "none")),
        "capabilities": _CAPABILITIES,
        "next": _NEXT,
    }
)
QUOTE: Final = Nested(
    {
        "state": _words("state", QuoteState),
        "source": Word("source", ("self_service", "partner", "sales", "system")),
        "kind": Word("kind", ("new", "alignment", "renewal")),
        "currency": fields.currency,
        "subtotal": fields.amount,
        "discount": fields.amount,
        "tax": fields.amount,
        "total": fields.amount,
        "issued_on": _day,
        "valid_until": _day,
        "recipients": Entries(fields.text),
        "lines": _number,
        "subscriptions": Entries(Name("subscription")),
    }
)
CUSTOMER: Final = Nested(
    {
        "prepay_required": _flag,
        "cash_balance": fields.amount,
        "credit_memos": fields.amount,
        "open_invoices": _number,
        "owed": fields.amount,
    }
)
LISTS: Final[Mapping[str, Entries]] = {
    "invoices_of": Entries(
        Nested(
            {
                "issued_on": _day,
                "due_on": _day,
                "subtotal": fields.amount,
                "tax": fields.amount,
                "total": fields.amount,
                "share": fields.amount,
                "paid": fields.amount,
                "state": _words("state", InvoiceState),
            }
        )
    ),
    "installments_of": Entries(
        Nested({"due_on": _day, "amount": fields.amount, "state": _words("state", InstallmentState)})
    ),
    "quotes_of": Entries(
        Nested({key: QUOTE.fields[key] for key in ("source", "issued_on", "state", "total")}),
    ),
    "charges_of": Entries(
        Nested(
            {
                "on": _day,
                "amount": fields.amount,
                "result": _words("result", ChargeState, without=frozenset({ChargeState.PENDING})),
            }
        )
    ),
    "notices_of": Entries(
        Nested({"on": _day, "kind": _words("notice", NoticeKind), "to": fields.text, "language": _LANGUAGE})
    ),
    "transitions_of": Entries(Nested({"on": _day, "from": _STATE, "to": _STATE, "rule": _rule})),
}
GROUPS: Final = Entries(Entries(Name("subscription")))
OUTCOME: Final = Word("error code", ("ok", *CODES))
