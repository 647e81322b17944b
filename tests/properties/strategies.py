"""Lives drawn by Hypothesis: mostly at instants where something happens, and a second beside them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from app.domain.calendar import day_start, local_day, renewal_date
from app.domain.values import MONTHS, Method, Region, TermKind
from app.services.commands.buying import Item
from tests.properties.lives import Command, Customer, Life, Purchase

ZONES = (
    "UTC",
    "Europe/Oslo",
    "America/Havana",
    "Africa/Cairo",
    "Asia/Beirut",
    "America/Santiago",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
)
SECOND = timedelta(seconds=1)
_OFFSETS = (-91, -90, -60, -31, -30, -29, -5, -4, -1, 0, 1, 3, 4, 7, 8, 14, 15, 16, 17, 20, 30, 31, 44, 45, 46, 47)
"""Days from the end of a term on which something happens, or nearly."""
_OF_DAY = (timedelta(0), -SECOND, SECOND, timedelta(hours=9, minutes=30), timedelta(hours=23, minutes=30))
_BEGINNINGS = (date(2023, 11, 30), date(2024, 1, 31), date(2024, 2, 29), date(2024, 8, 20), date(2025, 3, 8))
_LENGTHS = {TermKind.MONTHLY: 150, TermKind.ANNUAL: 500, TermKind.THREE_YEAR: 1250, TermKind.TRIAL: 60}


@st.composite
def lives(draw: st.DrawFn, most: int = 3, most_commands: int = 8) -> Life:
    """A few subscriptions of one or two customers, and what their people do."""
    customers = tuple(
        draw(
            st.builds(
                Customer,
                csn=st.just(f"510000000{n}"),
                zone=st.sampled_from(ZONES),
                region=st.sampled_from([None, None, Region.EEA, Region.CA]),
                currency=st.sampled_from(["EUR", "JPY"]),
                payers=st.sampled_from([(), (f"ap@510000000{n}.example",)]),
            )
        )
        for n in range(1, draw(st.integers(1, 2)) + 1)
    )
    begins_on = draw(st.sampled_from(_BEGINNINGS))
    purchases = tuple(draw(_purchases(n, customers, begins_on)) for n in range(1, draw(st.integers(1, most)) + 1))
    commands = [draw(_commands(purchases)) for _ in range(draw(st.integers(0, most_commands)))]
    for _ in range(draw(st.integers(0, 3))):
        commands += draw(_stories(purchases))
    ends_at = max(p.at + timedelta(days=_LENGTHS[p.kind]) for p in purchases)
    last = max((c.at for c in commands), default=ends_at)
    return Life(customers, purchases, tuple(commands), max(ends_at, last + timedelta(days=1)))


@st.composite
def _purchases(draw: st.DrawFn, n: int, customers: tuple[Customer, ...], begins_on: date) -> Purchase:
    owner = draw(st.sampled_from(customers))
    zone = draw(st.one_of(st.just(owner.zone), st.sampled_from(ZONES)))
    day = begins_on + timedelta(days=draw(st.sampled_from([0, 0, 1, 30])))
    kinds = [TermKind.MONTHLY, TermKind.MONTHLY, TermKind.ANNUAL, TermKind.ANNUAL, TermKind.THREE_YEAR, TermKind.TRIAL]
    return Purchase(
        at=day_start(day, zone) + timedelta(hours=draw(st.sampled_from([0, 12, 23]))),
        ref=f"S{n}",
        csn=owner.csn,
        zone=zone,
        offering=draw(st.sampled_from(["DRAFT", "DRAFT", "DRAFT", "DRAFT", "CLOUD", "GIFT"])),
        kind=draw(st.sampled_from(kinds)),
        seats=draw(st.integers(1, 3)),
        auto_renew=draw(st.sampled_from([None, True, False])),
        payment=draw(st.sampled_from([Method.CARD, Method.CARD, Method.PAYPAL, Method.BANK_TRANSFER])),
    )


def _renewals(purchase: Purchase) -> list[date]:
    """The first renewal dates of a purchase, as they are if nothing else happens."""
    day = _local(purchase)
    if purchase.kind is TermKind.TRIAL:
        return [day + timedelta(days=30)]
    months = MONTHS[purchase.kind]
    count = 4 if purchase.kind is TermKind.MONTHLY else 1
    found = [renewal_date(day, months * (n + 1), day.day) for n in range(count)]
    if purchase.kind is TermKind.THREE_YEAR:
        found += [renewal_date(day, 12, day.day), renewal_date(day, 24, day.day)]
    return found


def _local(purchase: Purchase) -> date:
    return local_day(purchase.at, purchase.zone)


@st.composite
def instants(draw: st.DrawFn, purchases: tuple[Purchase, ...], not_before: datetime | None = None) -> datetime:
    """An instant at which something may happen to one of the subscriptions."""
    purchase = draw(st.sampled_from(purchases))
    around = draw(st.sampled_from(_renewals(purchase))) + timedelta(days=draw(st.sampled_from(_OFFSETS)))
    instant = day_start(around, purchase.zone) + draw(st.sampled_from(_OF_DAY))
    return max(instant, not_before or instant).astimezone(UTC)


@st.composite
def _commands(draw: st.DrawFn, purchases: tuple[Purchase, ...]) -> Command:
    purchase = draw(st.sampled_from(purchases))
    at = draw(instants((purchase,), not_before=max(p.at for p in purchases) + SECOND))
    kind = draw(st.sampled_from("ssscccb"))
    if kind == "b":
        name, arguments = draw(_of_several([p.ref for p in purchases]))
    else:
        name, arguments = draw(
            _of_subscription(purchase.ref) if kind == "s" else _of_customer(purchase.csn, purchase.ref)
        )
    if name in ("decline_payments", "accept_payments"):
        # At the very instant at which a day begins the order of the charge and the switch is nobody's to say.
        at = at + timedelta(minutes=1)
    return Command(at, name, arguments)


@st.composite
def _stories(draw: st.DrawFn, purchases: tuple[Purchase, ...]) -> list[Command]:
    """Commands that belong together: declined charges and what cures them, a quote and who accepts it, a trial."""
    purchase = draw(st.sampled_from(purchases))
    not_before = max(p.at for p in purchases) + SECOND
    day = day_start(draw(st.sampled_from(_renewals(purchase))), purchase.zone)
    begins_at = max(not_before, day - timedelta(days=draw(st.sampled_from([40, 2])), minutes=1))
    after = draw(st.sampled_from([-28, -10, -1, 0, 2, 3, 5, 9, 14, 20, 40]))
    ends_at = max(begins_at, day + timedelta(days=after, hours=draw(st.sampled_from([0, 9])), seconds=1))
    if purchase.kind is TermKind.TRIAL:
        story = [_conversion(begins_at, purchase.ref), _conversion(ends_at, purchase.ref)]
    elif purchase.kind is not TermKind.MONTHLY and draw(st.booleans()):
        story = [
            Command(begins_at, "set_auto_renew", {"subscriptions": [purchase.ref], "enabled": False}),
            Command(ends_at, "accept_quote", {"quote": purchase.ref, "payment": Method.CARD}),
        ]
    else:
        story = [
            Command(begins_at, "decline_payments", {"csn": purchase.csn}),
            Command(ends_at, "accept_payments", {"csn": purchase.csn}),
            Command(ends_at + SECOND, *draw(st.sampled_from(_cures(purchase.ref, purchase.csn)))),
        ]
    if draw(st.booleans()):
        story.pop(draw(st.integers(0, len(story) - 1)))
    return story


def _conversion(at: datetime, ref: str) -> Command:
    return Command(
        at,
        "convert_trial",
        {"subscription": ref, "name": f"{ref}C", "term": TermKind.MONTHLY, "seats": 1, "payment": Method.CARD},
    )


def _cures(ref: str, csn: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("renew", {"subscriptions": [ref], "payment": Method.CARD}),
        ("pay_invoices", {"csn": csn, "invoices": [ref], "payment": Method.CARD}),
        ("pay_invoices", {"csn": csn, "invoices": [ref], "payment": Method.BANK_TRANSFER}),
        ("pay_invoices", {"csn": csn, "invoices": [ref], "payment": Method.BANK_TRANSFER, "amount": Decimal(1)}),
        ("change_payment_method", {"csn": csn, "payment": Method.PAYPAL}),
        ("change_payment_method", {"subscription": ref, "payment": Method.DIRECT_DEBIT}),
        ("set_auto_renew", {"subscriptions": [ref], "enabled": False}),
        ("set_auto_renew", {"subscriptions": [ref], "enabled": True}),
    ]


_PAYMENTS = st.sampled_from([Method.CARD, Method.PAYPAL, Method.DIRECT_DEBIT])
_TERMS = st.sampled_from([TermKind.MONTHLY, TermKind.ANNUAL, TermKind.THREE_YEAR])


_TWO = [Item("N1", "DRAFT", TermKind.MONTHLY, 1), Item("N2", "DRAFT", TermKind.MONTHLY, 2)]
"""Bought in one order, on one invoice, by one charge."""


def _with(name: str, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return st.tuples(st.just(name), st.fixed_dictionaries(arguments))


def _of_subscription(ref: str) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    one, it = st.just([ref]), st.just(ref)
    user = st.sampled_from([f"user{n}@example.test" for n in range(4)])
    return st.one_of(
        _with("renew", subscriptions=one, payment=_PAYMENTS),
        _with("renew", subscriptions=one, payment=_PAYMENTS, term=_TERMS, auto_renew=st.booleans()),
        _with("renew", subscriptions=one, payment=_PAYMENTS, seats=st.integers(1, 2)),
        _with("set_auto_renew", subscriptions=one, enabled=st.booleans()),
        _with("change_payment_method", subscription=it, payment=st.sampled_from([Method.CARD, Method.KONBINI])),
        _with("reduce_seats", subscription=it, seats=st.integers(0, 2)),
        _with("reduce_seats", subscription=it, withdraw=st.just(True)),
        _with("change_term", subscription=it, term=_TERMS),
        _with("change_term", subscription=it, withdraw=st.just(True)),
        _with("switch_offering", subscription=it, offering=st.sampled_from(["DRAFT", "CLOUD"])),
        _with("accept_quote", quote=it, payment=_PAYMENTS),
        _with("assign_user", subscription=it, email=user),
        _with("unassign_user", subscription=it, email=user),
    )


def _of_several(refs: list[str]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    every = st.just(refs)
    return st.one_of(
        _with("renew", subscriptions=every), _with("set_auto_renew", subscriptions=every, enabled=st.booleans())
    )


def _of_customer(csn: str, ref: str) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    it = st.just(csn)
    return st.one_of(
        _with("decline_payments", csn=it),
        _with("decline_payments", csn=it),
        _with("buy", csn=it, items=st.just(_TWO)),
        _with("accept_payments", csn=it),
        _with("change_payment_method", csn=it, payment=st.sampled_from([Method.CARD, Method.PAYPAL, Method.KONBINI])),
        _with("pay_invoices", csn=it, invoices=st.just([ref]), payment=_PAYMENTS),
        _with("pay_invoices", csn=it, invoices=st.just([ref]), payment=st.just(Method.BANK_TRANSFER)),
    )


@st.composite
def downtimes(draw: st.DrawFn, life: Life) -> tuple[tuple[datetime, datetime], ...]:
    """Spans in which the daemon is down, from an evening to half a year."""
    spans = []
    for _ in range(draw(st.integers(1, 3))):
        since = draw(st.one_of(instants(life.purchases), st.just(life.begins_at + timedelta(minutes=1))))
        lasts = draw(st.sampled_from([1, 2, 5, 10, 18, 40, 75, 200]))
        spans.append((since, since + timedelta(days=lasts, hours=draw(st.sampled_from([0, 7])))))
    return tuple(spans)


def at_once(life: Life) -> Life:
    """The same life with everything bought at the instant of the last purchase: whose turn is first is open then."""
    together = max(purchase.at for purchase in life.purchases)
    return replace(life, purchases=tuple(replace(purchase, at=together) for purchase in life.purchases))
