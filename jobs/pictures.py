"""A picture of a simulated book: how many subscriptions are in each state, day after day, as SVG or PNG."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.domain.calendar import ONE_DAY
from app.domain.errors import InvalidArgument

if TYPE_CHECKING:
    from jobs.book_simulation import BookSimulation

_LOOKS = {
    "active": ("active", "#0072B2"),
    "renewable": ("in the renewal window", "#56B4E9"),
    "trial": ("on trial", "#009E73"),
    "expired": ("expired: access stays", "#F0E442"),
    "suspended": ("suspended: no access", "#E69F00"),
    "canceled": ("canceled", "#5A5A5A"),
    "returned": ("returned", "#CC79A7"),
    "trial_ended": ("trial over", "#BDBDBD"),
}
"""State → words and colour, from the bottom of the picture to its top (Okabe and Ito's palette)."""
_MOST_DAYS = 800
"""More points than that are not seen at this width."""
_WIDTH, _HEIGHT = 860, 420
_MOST_NAMES = 15
_DATE, _MONTH = "utcFormat(datum.value, '%-d %b')", "utcFormat(datum.value, '%b')"
_IS_JANUARY = "utcmonth(datum.value) == 0 && utcdate(datum.value) == 1"
_YEAR = f"datum.index == 0 || ({_IS_JANUARY}) ? utcFormat(datum.value, '%Y') : ''"
"""Under the first day that is named, and under each January."""


def states_over_time(sim: BookSimulation, path: Path) -> None:
    """Draw a simulation to a file, whose ending says how: .svg or .png. The same simulation, the same bytes.

    Raises `InvalidArgument` for another ending.
    """
    suffix = path.suffix.lower()
    if suffix not in (".svg", ".png"):
        raise InvalidArgument(f"{path.name}: a picture is an .svg or a .png file")
    spec = _chart(sim).to_json()
    import vl_convert

    if suffix == ".svg":
        path.write_text(vl_convert.vegalite_to_svg(spec), "utf-8")
    else:
        path.write_bytes(vl_convert.vegalite_to_png(spec, scale=2))


def _chart(sim: BookSimulation) -> Any:
    import altair as alt

    shown = [state for state in _LOOKS if any(counts[state] for counts in sim.states.values())] or ["active"]
    words, colours = [_LOOKS[state][0] for state in shown], [_LOOKS[state][1] for state in shown]
    title = alt.TitleParams(
        "Subscriptions by state",
        subtitle=f"{sim.subscriptions:,} subscriptions, {sim.starts_on} to {sim.until}, if nobody acts",
        anchor="start", offset=14,
    )  # fmt: skip
    legend = alt.Legend(title=None, orient="right", symbolType="square", symbolSize=160)
    most = alt.Scale(domain=[0, max(1, sim.subscriptions)])
    ticks = alt.Axis(format=",d", tickCount=max(1, min(10, sim.subscriptions)))
    chart = alt.Chart(alt.InlineData(values=_points(sim, shown)), width=_WIDTH, height=_HEIGHT, title=title)
    return (
        chart.mark_area(interpolate="step-after", line=False, stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X("on:T", title=None, scale=alt.Scale(type="utc", nice=False), axis=_axis(sim)),
            y=alt.Y("count:Q", title="subscriptions", stack="zero", scale=most, axis=ticks),
            color=alt.Color("state:N", scale=alt.Scale(domain=words[::-1], range=colours[::-1]), legend=legend),
            order=alt.Order("place:Q"),
        )
        .configure(font="DejaVu Sans, Liberation Sans, Arial, sans-serif", background="white")
        .configure_view(stroke=None)
        .configure_title(fontSize=18, subtitleFontSize=13, subtitleColor="#444444", fontWeight="bold")
        .configure_axis(labelFontSize=12, titleFontSize=12, gridColor="#DDDDDD")
        .configure_legend(labelFontSize=13, rowPadding=6, labelLimit=300)
    )


def _axis(sim: BookSimulation) -> Any:
    import altair as alt

    named = _named([*sim.states, sim.until + ONE_DAY])
    values = [{"year": day.year, "month": day.month, "date": day.day, "utc": True} for day in named]
    name = _MONTH if all(day.day == 1 for day in named) else _DATE
    return alt.Axis(grid=False, values=values, labelOverlap=True, labelExpr=f"[{name}, {_YEAR}]")


def _named(days: list[date]) -> list[date]:
    """The days written under the picture: each one, some of them, or the first of months."""
    for step in (1, 2, 7):
        if len(days) <= step * _MOST_NAMES:
            return days[::step]
    firsts = [day for day in days if day.day == 1]
    for months in (1, 2, 3, 6):
        if len(firsts) <= months * _MOST_NAMES:
            return [day for day in firsts if (day.month - 1) % months == 0]
    januaries = [day for day in firsts if day.month == 1]
    return januaries[:: -(-len(januaries) // _MOST_NAMES)]


def _points(sim: BookSimulation, shown: list[str]) -> list[dict[str, Any]]:
    """A day lasts until the next one drawn, the last one until its end. Of a long span every so many days."""
    days = list(sim.states)
    step = -(-len(days) // _MOST_DAYS)
    drawn = [(day, day) for day in sorted({*days[::step], days[-1]})]
    return [
        {"on": on.isoformat(), "state": _LOOKS[state][0], "place": place, "count": sim.states[day][state]}
        for on, day in [*drawn, (days[-1] + ONE_DAY, days[-1])]
        for place, state in enumerate(shown)
    ]
