"""What people and programs are shown of a played scenario."""

import io
import json

from rich.console import Console

from jobs.scenario.matching import Check
from jobs.scenario.report import show
from jobs.scenario.results import Moment, Played, as_json

WHEN = "2026-06-10T00:00:00"
PASSED = Check(1, "2026-06-09", "S1", "state", "renewable", "renewable", True)
FAILED = Check(
    2,
    WHEN,
    "S1",
    "charges_of",
    [{"on": "2026-06-10", "amount": "1.00", "result": "succeeded"}, {"result": "declined"}],
    [{"on": "2026-06-10", "amount": "1.00", "result": "declined"}],
    False,
)
TIMELINE = [
    Moment("2025-06-10T12:00:00+02:00", "S1", "purchase", None, "active", "S1", "Bought for a year."),
    Moment("2026-06-10T00:00:00+02:00", "S1", "expire", "renewable", "expired", "L3"),
    Moment("2026-06-10T00:00:00+02:00", None, "mail [sent]", None, None, None),
]
PLAYED = Played("a.yaml", "A story with a [bracket]", [PASSED, FAILED], TIMELINE)


def shown(*results: Played, encoding: str = "utf-8", color: bool = False) -> str:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding=encoding) as stream:
        show(results, Console(file=stream, width=80, force_terminal=color))
        stream.flush()
        return raw.getvalue().decode(encoding)


def test_what_differs_is_named_part_by_part():
    lines = [" ".join(line.split()) for line in shown(PLAYED).splitlines()]
    assert "✓ 1 2026-06-09 S1 state renewable" in lines
    assert "✗ 2 2026-06-10 S1 charges_of #1 succeeded declined" in lines
    assert "✗ 00:00:00 S1 charges_of #2 {result: declined} none" in lines
    assert "✗ 1 of 2 checks failed" in lines


def test_the_timeline_is_read_day_by_day():
    lines = [" ".join(line.split()) for line in shown(PLAYED).splitlines()]
    begin = lines.index("2025-06-10")
    assert lines[begin : begin + 5] == [
        "2025-06-10",
        "12:00:00 S1 → active S1 Bought for a year.",
        "2026-06-10",
        "00:00:00 S1 renewable → expired L3 expire",
        "00:00:00 mail [sent]",
    ]


def test_it_fits_80_columns_and_needs_no_terminal():
    text = shown(PLAYED, PLAYED)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "\x1b" not in text
    assert "✗ 2 scenarios, 4 checks: 2 failed in" in text
    assert "\x1b" in shown(PLAYED, color=True)


def test_an_old_terminal_gets_plain_letters():
    assert "ok" in shown(Played("a.yaml", "A", [PASSED], TIMELINE), encoding="ascii")


def test_good_news():
    assert "✓ 1 check passed" in shown(Played("a.yaml", "A", [PASSED], []))
    assert "✓ 2 scenarios, 2 checks: all passed" in shown(*[Played("a.yaml", "A", [PASSED], [])] * 2)


def test_the_json_document():
    document = json.loads(json.dumps(as_json([PLAYED])))
    assert document == {
        "scenarios": [
            {
                "file": "a.yaml",
                "title": "A story with a [bracket]",
                "passed": 1,
                "failed": 1,
                "checks": [
                    {
                        "step": 1,
                        "at": "2026-06-09",
                        "subject": "S1",
                        "field": "state",
                        "expected": "renewable",
                        "actual": "renewable",
                        "ok": True,
                    },
                    {
                        "step": 2,
                        "at": WHEN,
                        "subject": "S1",
                        "field": "charges_of",
                        "expected": FAILED.expected,
                        "actual": FAILED.actual,
                        "ok": False,
                    },
                ],
                "timeline": [
                    {
                        "at": moment.at,
                        "subject": moment.subject,
                        "event": moment.event,
                        "from": moment.from_,
                        "to": moment.to,
                        "rule": moment.rule,
                    }
                    for moment in TIMELINE
                ],
            }
        ],
        "passed": 1,
        "failed": 1,
    }
