"""The jobs by hand: what they did, running one, catching up, and what could not be processed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import output, session
from app.cli.parameters import AsJson, DryRun, Zone, a_day, a_word
from app.cli.shape import WORK, command

if TYPE_CHECKING:
    from app.bootstrap import Book
    from app.services.context import Context
    from app.store.zones import Progress
    from jobs.registry import Job
    from jobs.run_log import Ran

commands = typer.Typer()
job = typer.Typer(help="See the jobs of the day, or run one.", no_args_is_help=True)
commands.add_typer(job, name="job", rich_help_panel=WORK)

Name = Annotated[
    str, typer.Argument(metavar="NAME", parser=a_word, help="See: perennial job list.", show_default=False)
]


# ------------------------------------------------------------------ job list


@command(job, "list", WORK, "perennial job list", "perennial job list renew --json")
def list_jobs(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", parser=a_word, help="Only this job.")] = None,
    zone: Zone = None,
    as_json: AsJson = False,
) -> None:
    """Show the jobs of the day, in their order.

    What each does, when it last had work in each time zone, what it did, and when it runs next.
    """
    with session.open_book() as book:
        found = list(_described(book, name, zone))
    if as_json:
        output.print_json(found)
        return
    for each in found:
        output.say(f"{each['name']}: {each['does']} ({each['rules']})")
        output.show_table(("", "", ""), _zone_rows(each, is_whole=bool(name or zone)))


def _zone_rows(each: dict[str, Any], is_whole: bool) -> Iterator[tuple[str, str, str]]:
    """A row for each zone; those in which the job never had work are one row, unless all are asked for."""
    if "last_run_at" in each:
        yield "  all zones", f"last sent or dropped a mail at {each['last_run_at'] or '-'}", "next within a minute"
    idle = [] if is_whole else [zone for zone in each["zones"] if zone["last_run"] is None]
    for zone in each["zones"]:
        if zone not in idle:
            yield f"  {zone['zone']}", _ran(zone["last_run"]), f"next {zone['next_run_at']}"
    if idle:
        first = min(idle, key=lambda zone: datetime.fromisoformat(zone["next_run_at"]))
        others = output.counted(len(idle), "zone")
        yield f"  {others}", "had no work yet", f"next {first['next_run_at']} ({first['zone']})"


def _ran(run: dict[str, Any] | None) -> str:
    if run is None:
        return "had no work yet"
    aside = f", {run['set_aside']} set aside" if run["set_aside"] else ""
    return f"last had work on {run['day']}: {run['done']} done{aside}, by {run['by']}"


def _described(book: Book, name: str | None, zone_name: str | None) -> Iterator[dict[str, Any]]:
    from app.services import browse
    from app.store import zones
    from app.store.engine import reading
    from jobs.registry import JOBS

    runs = browse.last_runs(book.ctx)
    with reading(book.ctx.engine) as connection:
        places = [zone for zone in zones.progress(connection) if zone_name in (None, zone.name)]
    for each in [_known(name)] if name else JOBS:
        about = {"name": each.name, "does": each.does, "rules": each.rules}
        if each.place is None:
            yield {**about, "zones": [], "last_run_at": browse.last_delivery(book.ctx)}
            continue
        rows = [_zone(book.ctx, each, zone, runs.get((each.name, zone.id))) for zone in places]
        yield {**about, "zones": rows}


def _zone(ctx: Context, each: Job, zone: Progress, run: dict[str, Any] | None) -> dict[str, Any]:
    """A job in one zone: what is not done yet for a day that has begun is due at once."""
    from app.domain import calendar

    today = ctx.today(zone.name)
    is_done = (zone.day, zone.place) >= (today, each.place)
    day = today + calendar.ONE_DAY if is_done else zone.day + calendar.ONE_DAY
    next_run_at = calendar.day_start(min(day, today + calendar.ONE_DAY), zone.name)
    local = next_run_at.astimezone(calendar.zone(zone.name))
    return {"zone": zone.name, "done_until": zone.day, "last_run": run, "next_run_at": local.isoformat()}


def _known(name: str) -> Job:
    from app.explain import nearest
    from jobs.registry import BY_NAME

    if name not in BY_NAME:
        near = nearest(name, BY_NAME) or f"; there are {', '.join(BY_NAME)}"
        raise session.CannotUse(f'there is no job "{name}"{near}')
    return BY_NAME[name]


# ------------------------------------------------------------------ job run


@command(
    job,
    "run",
    WORK,
    "perennial job run expire",
    "perennial job run renew --date 2026-05-19 --zone Europe/Brussels --dry-run",
)
def run_job(
    name: Name,
    on: Annotated[
        date | None, typer.Option("--date", metavar="DATE", parser=a_day, help="Left out: today in each zone.")
    ] = None,
    zone: Zone = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Run a job for a day (J3, J9).

    After all that should have run before it. A day that is done says so, and nothing is done twice.
    """
    if _known(name).place is None:
        _deliver_by_hand(dry_run, as_json)
        return
    from jobs import by_hand

    with session.open_book() as book, _on(book, dry_run) as ctx, _bar(name) as watch:
        outcome = by_hand.run_job(ctx, name, on, book.mailer, zone, watch)
    if as_json:
        ran = [_plain(each) for each in outcome.ran]
        zones = {key: getattr(outcome, key) for key in ("done_before", "not_begun", "busy")}
        output.print_json({"job": name, "dry_run": dry_run, "ran": ran, **zones})
        return
    _tell_zones(outcome, name, on)
    if outcome.ran or not outcome.done_before:
        _tell_ran(outcome.ran, dry_run)


def _deliver_by_hand(dry_run: bool, as_json: bool) -> None:
    with session.open_book() as book, _on(book, dry_run) as ctx:
        told = _deliver(book, ctx, dry_run)
    if as_json:
        output.print_json({"job": "deliver", "dry_run": dry_run, **told})
    else:
        _tell_delivery(told, dry_run)


def _deliver(book: Book, ctx: Context, dry_run: bool) -> dict[str, int]:
    """Send what waits; rehearsed, nothing leaves."""
    from app.services import delivery

    tally = delivery.deliver(ctx, delivery.NoMailer() if dry_run else book.mailer)
    return {"sent": tally.sent, "dropped": tally.dropped, "held": tally.held}


def _tell_delivery(told: dict[str, int], dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    counts = f"{told['sent']} {would}sent, {told['dropped']} {would}dropped as no longer true, {told['held']} held"
    output.say(f"deliver: {counts}")


def _tell_zones(outcome: Any, name: str, on: date | None) -> None:
    day = f"{on}" if on else "today"
    if outcome.done_before:
        output.say(f"{name} is done for {day} in {', '.join(outcome.done_before)}: nothing to do there.")
    if outcome.not_begun:
        output.say(f"{day} has not begun yet in {', '.join(outcome.not_begun)}.")
    if outcome.busy:
        output.say(f"Another process is at work in {', '.join(outcome.busy)}; try again.")


def _tell_ran(ran: list[Ran], dry_run: bool) -> None:
    """What was done, day by day."""
    for each in ran:
        aside = f", {each.set_aside} set aside (see: perennial stuck)" if each.set_aside else ""
        output.say(f"{each.day} {each.zone}: {each.job} {each.done}{aside}")
    if not ran:
        output.say("Nothing was due.")
    if dry_run:
        output.say("This would be done; nothing was written.")


def _plain(ran: Ran) -> dict[str, Any]:
    return {"job": ran.job, "zone": ran.zone, "day": ran.day, "done": ran.done, "set_aside": ran.set_aside}


@contextmanager
def _on(book: Book, dry_run: bool) -> Iterator[Context]:
    """The live book, or a throw-away copy of whatever there is work for."""
    if not dry_run:
        yield book.ctx
        return
    from app.services import browse
    from jobs.dry_run import copied

    with copied(book.ctx, browse.customers_with_work(book.ctx)) as ctx:
        yield ctx


@contextmanager
def _bar(what: str, total: int = 0) -> Iterator[Callable[[Ran], None]]:
    """A bar that moves with each page of a run."""
    with output.progress(what) as show:
        done: Counter[str] = Counter()

        def watch(ran: Ran) -> None:
            done[ran.job] += ran.done + ran.set_aside
            show(done.total(), total)

        yield watch


# ------------------------------------------------------------------ catch-up


@command(commands, "catch-up", WORK, "perennial catch-up", "perennial catch-up --dry-run")
def catch_up(dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Do everything that is due up to now (J3).

    Each as of its own date, in order; then what waits in the outbox is sent.
    """
    from jobs import ahead, runner

    with session.open_book() as book, _on(book, dry_run) as ctx:
        backlog = ahead.look(ctx)
        if not as_json:
            _say_all(ahead.lines(backlog))
        with _bar("catching up", sum(sum(zone.due.values()) for zone in backlog)) as watch:
            ran = runner.run_due(ctx, "hand", watch)
        runner.note_done(ctx)
        told = _deliver(book, ctx, dry_run)
        left = [each.zone for each in ahead.look(ctx) if each.due]
    if as_json:
        zones = [{"zone": each.zone, "days": each.days, "due": each.due} for each in backlog]
        document = {"ahead": zones, "ran": [_plain(each) for each in ran], "mail": told, "left": left}
        output.print_json({"dry_run": dry_run, **document})
        return
    _tell_sums(ran)
    _tell_delivery(told, dry_run)
    if left:
        output.say(f"Another process is at work in {', '.join(left)}; what is left there is its own.")
    if dry_run:
        output.say("This would be done; nothing was written.")


def _say_all(lines: Iterable[str]) -> None:
    for line in lines:
        output.say(line)


def _tell_sums(ran: list[Ran]) -> None:
    """A line for each job that had something to do."""
    done: Counter[str] = Counter()
    aside: Counter[str] = Counter()
    for each in ran:
        done[each.job] += each.done
        aside[each.job] += each.set_aside
    for name, count in done.items():
        output.say(
            f"{name}: {count} done" + (f", {aside[name]} set aside (see: perennial stuck)" if aside[name] else "")
        )
