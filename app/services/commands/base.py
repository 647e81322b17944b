"""What all commands share: whom they act on, bringing them up to date, charging, and bulk outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select

from app.domain.errors import (
    FinalState,
    InvalidArgument,
    NotInThisVersion,
    NotRenewable,
    PaymentDeclined,
    Refusal,
    TooManySubscriptions,
    UnknownSubject,
)
from app.domain.payments import Answer
from app.domain.states import FINAL
from app.domain.subscription import Subscription
from app.services import charging, due_work, settlement
from app.services.batch import Batch
from app.services.context import Context
from app.store import db
from app.store.engine import reading, writing
from app.store.facts import Facts

OK = "ok"
MISSING = "not_in_this_version"
PENDING = "pending"
"""The provider has not answered yet; the product asks again by itself."""

Act = Callable[[Subscription, date, Batch], None]
"""What a command does to one subscription on its own today. Refuses before it changes anything."""


@dataclass(slots=True)
class Result:
    """What a command came to: per subscription `ok`, `pending` or the code of its refusal."""

    outcomes: dict[str, str] = field(default_factory=dict)
    groups: list[list[str]] | None = None
    created: list[str] = field(default_factory=list)


class OutcomePending(Exception):
    """The payment provider has not answered; nothing is lost, and nothing will be charged twice."""


def ids_of(ctx: Context, refs: Sequence[str]) -> list[int]:
    """The ids of subscriptions. Raises `UnknownSubject` for the first that does not exist."""
    found = _known(ctx, refs)
    for ref in refs:
        if ref not in found:
            raise UnknownSubject(f"subscription {ref}")
    return [found[ref] for ref in refs]


def _known(ctx: Context, refs: Sequence[str]) -> dict[str, int]:
    """The ids of those subscriptions that exist."""
    query = select(db.subscription.c.ref, db.subscription.c.id).where(db.subscription.c.ref.in_(refs))
    with reading(ctx.engine) as connection:
        return {row.ref: row.id for row in connection.execute(query)}


def refuse_ended(sub: Subscription) -> None:
    """Trials are not renewed or changed, and what has ended stays so (J7)."""
    if sub.is_trial:
        raise NotRenewable(sub.ref)
    if sub.state in FINAL:
        raise FinalState(f"{sub.ref} is {sub.state}")


class Work:
    """One command on some subscriptions: up to date first, then one transaction, charges, and what follows."""

    def __init__(self, ctx: Context, name: str, actor: str) -> None:
        self.ctx = ctx
        self.cause = f"command {name} by {actor}"

    def bring_up_to_date(self, ids: Sequence[int]) -> None:
        due_work.bring_up_to_date(self.ctx, ids, self.cause)

    def run(
        self, ids: Sequence[int], act: Callable[[list[Subscription], Batch], None], *, skip_charging: bool = False
    ) -> dict[int, Answer]:
        """Do a step in one transaction, make its charges, record the answers, and finish what is due since."""
        self.bring_up_to_date(ids)
        with writing(self.ctx.engine) as connection:
            facts = Facts(connection, self.ctx.policy, self.ctx.catalogue)
            batch = Batch(self.ctx, connection, self.cause, size=max(1, len(ids)))
            subs = facts.by_ids(ids)
            if not skip_charging and any(sub.is_charging for sub in subs):
                raise OutcomePending("a payment is under way just now; try again in a moment")
            act(subs, batch)
            batch.write()
        answers = self._settle(batch.intents)
        self.bring_up_to_date(ids)
        return answers

    def _settle(self, intents: list[charging.Intent]) -> dict[int, Answer]:
        if not intents:
            return {}
        answers = charging.ask(self.ctx, intents)
        settlement.settle(self.ctx, answers, self.cause)
        return answers

    def today(self, sub: Subscription) -> date:
        """A command's day is the subscription's own (J9)."""
        return self.ctx.today(sub.zone)

    def one(self, ref: str, act: Act) -> Result:
        """A command on one subscription."""
        ids = ids_of(self.ctx, [ref])
        self.run(ids, lambda subs, batch: act(subs[0], self.today(subs[0]), batch))
        return Result({ref: OK})

    def bulk(self, refs: Sequence[str], act: Act, *, charges_now: bool = False) -> Result:
        """A command on many: those that can be done are, the others get the code of their refusal (A5, M1).

        With `charges_now` a declined charge is a refusal too (A6b). Raises the first one's refusal where
        none could be done.
        """
        refs = list(dict.fromkeys(refs))
        self._refuse_list(refs)
        found = _known(self.ctx, refs)
        refusals: dict[str, Refusal] = {ref: UnknownSubject(f"subscription {ref}") for ref in refs if ref not in found}
        charges: dict[int, str] = {}
        missing: dict[str, NotInThisVersion] = {}
        busy: set[str] = set()
        """Somebody else's charge has just begun there: nothing of ours is done beside it."""

        def each(subs: list[Subscription], batch: Batch) -> None:
            for sub in subs:
                if sub.is_charging:
                    busy.add(sub.ref)
                    continue
                before = len(batch.intents)
                try:
                    act(sub, self.today(sub), batch)
                except Refusal as refusal:
                    refusals[sub.ref] = refusal
                except NotInThisVersion as error:
                    missing[sub.ref] = error
                charges.update({charge_id: sub.ref for charge_id, _ in batch.intents[before:]})

        answers = self.run([found[ref] for ref in refs if ref in found], each, skip_charging=True)
        pending = {charges[id_] for id_, answer in answers.items() if answer is Answer.UNKNOWN}
        if charges_now:
            declined = [charges[id_] for id_, answer in answers.items() if answer is Answer.DECLINED]
            refusals.update({ref: PaymentDeclined(ref) for ref in declined})
        if missing and len(refusals) + len(missing) == len(refs):
            raise next(iter(missing.values()))
        result = _result(refs, refusals, pending | busy)
        result.outcomes.update(dict.fromkeys(missing, MISSING))
        return result

    def _refuse_list(self, refs: Sequence[str]) -> None:
        if not refs:
            raise InvalidArgument("no subscription is named")
        limit = self.ctx.policy.bulk.limit
        if len(refs) > limit:
            raise TooManySubscriptions(f"{len(refs)}, at most {limit}")


def _result(refs: Sequence[str], refusals: dict[str, Refusal], pending: Iterable[str]) -> Result:
    if len(refusals) == len(refs):
        raise refusals[refs[0]]
    outcomes = {ref: refusals[ref].code if ref in refusals else OK for ref in refs}
    outcomes.update(dict.fromkeys(pending, PENDING))
    return Result(outcomes)


def require_taken(answers: dict[int, Answer]) -> None:
    """A command that charges at once has failed when the charge was declined (A6b)."""
    if Answer.DECLINED in answers.values():
        raise PaymentDeclined()
    if Answer.UNKNOWN in answers.values():
        raise OutcomePending("the payment provider has not answered yet; its answer is asked for again")
