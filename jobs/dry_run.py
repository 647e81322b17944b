"""Commands with what came of them: carried out on the book, or rehearsed by the same code on a throw-away copy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from app.effects.book_provider import BookProvider
from app.services.browse import customers_of, refs_of
from app.services.commands.base import Result
from app.services.context import Context
from app.store import snapshot
from app.store.engine import reading
from jobs import happenings
from jobs.happenings import Happening, Mark

Act = Callable[[Context], Result]


@dataclass(slots=True)
class Done:
    """What a command came to: per subscription `ok` or a code, what it made, and all that happened."""

    outcomes: dict[str, str] = field(default_factory=dict)
    created: list[str] = field(default_factory=list)
    happened: list[Happening] = field(default_factory=list)


def carry_out(ctx: Context, about: Collection[str], act: Act) -> Done:
    """Run a command on the live book. Raises what the command raises."""
    start = mark(ctx)
    result = act(ctx)
    concerned = customers_of(ctx, [*about, *result.created])
    return Done(result.outcomes, result.created, since(ctx, start, concerned))


def rehearse(ctx: Context, about: Collection[str], act: Act) -> Done:
    """Run a command on a copy of the customers it is about; the live book is only read."""
    with copied(ctx, customers_of(ctx, about)) as copy:
        return carry_out(copy, about, act)


def mark(ctx: Context) -> Mark:
    """How far the record goes now."""
    with reading(ctx.engine) as connection:
        return happenings.mark(connection)


def since(ctx: Context, start: Mark, customer_ids: Collection[int] | None = None) -> list[Happening]:
    """All that happened after a mark, by day and as recorded: to some customers, or in the whole book."""
    with reading(ctx.engine) as connection:
        found = list(happenings.read(connection, start))
    if customer_ids is not None:
        refs = refs_of(ctx, customer_ids)
        found = [each for each in found if each.subject in refs]
    return sorted(found, key=lambda each: (each.on, each.place, each.id))


@contextmanager
def copied(ctx: Context, customer_ids: Collection[int] | None) -> Iterator[Context]:
    """The same parts on a copy of some customers, or of the whole book.

    The test provider answers from the copy of its own records, so nothing is charged.
    """
    wanted = None if customer_ids is None else sorted(customer_ids)
    with snapshot.copied(ctx.engine, customer_ids=wanted) as engine:
        yield replace(ctx, engine=engine, provider=BookProvider(engine))
