"""What is billed of an imported term: yearly parts paid and to come, and an invoice that is not paid (I1, L2)."""

from __future__ import annotations

from datetime import date

from app.domain import lapse
from app.domain.calendar import ONE_DAY
from app.domain.money import Price
from app.domain.policy import Policy
from app.domain.states import FINAL, LAPSED, State
from app.domain.subscription import Installment, OpenInvoice, Subscription, Term
from app.domain.values import CHARGEABLE, InstallmentState, Reason, TermKind
from app.services.billing import WHOLE, Part, parts_of
from app.services.import_cells import Bad
from app.services.import_dates import Running, anniversary_anchor
from app.services.import_drafts import Draft, Owed, PlannedPart, Prices, price


def bill(draft: Draft, prices: Prices, policy: Policy) -> None:
    """Put parts and an unpaid invoice to a draft; what has ended is history and has no parts. Raises `Bad`."""
    due_on = _owed_due_on(draft)
    unpaid_part = None
    if draft.sub.state not in FINAL:
        unpaid_part = _running_parts(draft, prices, policy, is_owed=due_on is not None)
        _scheduled_parts(draft, prices, policy)
    if due_on is not None:
        _owe(draft, unpaid_part, due_on, prices)
    draft.sub.installments = [_installment(draft, planned) for planned in draft.parts if _is_live(planned)]


def _owed_due_on(draft: Draft) -> date | None:
    """The due day of what is owed, or None where nothing is."""
    row, state = draft.row, draft.sub.state
    due_on = row.day("owed_due_on", draft.today)
    if due_on is None and draft.declared is Reason.NON_PAYMENT and state in LAPSED:
        if draft.lapse_on is None:
            raise Bad("lapse_on", "is missing: when was the unpaid invoice due?")
        return draft.lapse_on
    if due_on is None and "owed" in row.cells:
        raise Bad("owed_due_on", "is missing: when is what is owed due?")
    if due_on is not None and state in FINAL and (state is not State.CANCELED or "owed" not in row.cells):
        raise Bad("owed", f"nothing is owed for what is {state}, unless the amount is said of a canceled one")
    return due_on


def _is_in_parts(draft: Draft, term: Term | Subscription, bought_on: date, policy: Policy) -> bool:
    return term.kind is TermKind.THREE_YEAR and lapse.is_new_regime(draft.sub.region, bought_on, policy)


def _running_parts(draft: Draft, prices: Prices, policy: Policy, *, is_owed: bool) -> Part | None:
    """The running term's parts; answers the one that is unpaid though its day has passed (I2)."""
    paid = draft.row.count("installments_paid", 0, 3)
    if not _is_in_parts(draft, draft.sub, draft.bought_on, policy):
        if paid is not None:
            raise Bad("installments_paid", "only a three-year term of the newer regime is paid in parts (I1, L5)")
        return None
    sub = draft.sub
    whole = price(draft, draft.term, draft.bought_on, prices)
    anchor = anniversary_anchor(Running(sub.starts_on, sub.ends_on, sub.anchor_day))
    parts = parts_of(whole, draft.term, anchor, draft.bought_on, in_parts=True)
    passed = sum(part.due_on < draft.today or part is parts[0] for part in parts)
    paid = passed - is_owed if paid is None else paid
    _refuse_gap(parts, paid, passed, is_owed=is_owed)
    unpaid = parts[paid] if is_owed else None
    for place, part in enumerate(parts):
        state = InstallmentState.PAID if place < paid else InstallmentState.SCHEDULED
        draft.parts.append(PlannedPart(1, part, InstallmentState.OPEN if part is unpaid else state))
    return unpaid


def _refuse_gap(parts: list[Part], paid: int, passed: int, *, is_owed: bool) -> None:
    """What was due is paid, but for one part that is owed."""
    if paid >= passed and is_owed:
        raise Bad("installments_paid", "every part whose day has passed is paid; what is owed then?")
    if paid < passed - is_owed:
        due_on = parts[paid].due_on
        raise Bad("installments_paid", f"part {paid + 1} was due on {due_on}; say what is owed, or that it is paid")


def _scheduled_parts(draft: Draft, prices: Prices, policy: Policy) -> None:
    """The next term's first part was paid when it was bought (I1)."""
    term, bought_on = draft.sub.scheduled, draft.sub.regime_on
    if term is None or not _is_in_parts(draft, term, bought_on, policy):
        return
    whole = price(draft, term, bought_on, prices)
    for place, part in enumerate(parts_of(whole, term, draft.sub.anchor_day, bought_on, in_parts=True)):
        state = InstallmentState.SCHEDULED if place else InstallmentState.PAID
        draft.parts.append(PlannedPart(term.number, part, state))


def _owe(draft: Draft, part: Part | None, due_on: date, prices: Prices) -> None:
    """An open invoice of the old system: what it is for, since when, and from which day it counts (L2)."""
    sub, said = draft.sub, draft.row.amount("owed", draft.sub.currency)
    if said is not None:
        owed = Price(said)
    else:
        owed = part.price if part else price(draft, draft.term, draft.bought_on, prices)
    if owed.total_minor == 0:
        raise Bad("owed", "is nothing")
    issued_on = min(due_on, part.due_on if part else draft.bought_on)
    draft.owed = Owed(part.part if part else WHOLE, owed, issued_on, due_on)
    told = due_on + ONE_DAY < draft.today
    counts_from = max(due_on, sub.starts_on - ONE_DAY)
    if sub.state is not State.CANCELED:
        sub.unpaid = [OpenInvoice(0, 1, due_on, counts_from, told)]
    draft.parts = [_repriced(planned, owed) if planned.part is part else planned for planned in draft.parts]


def _repriced(planned: PlannedPart, owed: Price) -> PlannedPart:
    """A part whose invoice is open costs what that says."""
    part = planned.part
    return PlannedPart(planned.term_number, Part(part.part, part.due_on, owed), planned.state)


def _is_live(planned: PlannedPart) -> bool:
    return planned.state in (InstallmentState.SCHEDULED, InstallmentState.OPEN)


def _installment(draft: Draft, planned: PlannedPart) -> Installment:
    """As the rules see it. Tries before the day of the import were the old system's (I2)."""
    part, is_open = planned.part, planned.state is InstallmentState.OPEN
    is_charged = is_open and draft.sub.method in CHARGEABLE
    tried_on = max(part.due_on, draft.today - ONE_DAY) if is_charged else None
    return Installment(0, planned.term_number, part.part, part.due_on, part.price, planned.state, None, tried_on)
