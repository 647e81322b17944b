"""List prices, promotions and tax of a line (D5, O2b, O3, P1)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from app.domain import money
from app.domain.catalogue import Catalogue
from app.domain.errors import InvalidArgument, UnknownSubject
from app.domain.money import Price
from app.domain.values import TermKind


def whole_term(catalogue: Catalogue, offering: str, kind: TermKind, currency: str, seats: int, on: date) -> Price:
    """The price of whole seats for a whole term on a day of the customer's zone.

    Raises `UnknownSubject` for an offering that the catalogue does not have, `InvalidArgument` where it is not sold
    for that term and currency.
    """
    item = catalogue.offerings.get(offering)
    if item is None:
        raise UnknownSubject(f"there is no offering {offering}")
    each = item.list_price(currency, kind, on)
    if each is None:
        raise InvalidArgument(f"{offering} is not sold for a term {kind} in {currency}")
    subtotal = money.to_minor(each * seats, currency)
    promotion = max(
        (p for p in catalogue.promotions if p.applies(offering, kind, on)),
        key=lambda p: p.percent,
        default=None,
    )
    if promotion is None:
        return Price(subtotal, 0, 0, None)
    discount = money.to_minor(each * seats * promotion.percent / Decimal(100), currency)
    return Price(subtotal, discount, 0, promotion.code)
