"""Scenario files: what is read, and how it is understood."""

from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter

import pytest

from app.domain.values import Method, TermKind
from jobs.scenario.commands import COMMANDS
from jobs.scenario.commands.buying import Buy
from jobs.scenario.commands.managing import UpdateCustomer
from jobs.scenario.commands.quoting import CreateQuote
from jobs.scenario.reader import read
from jobs.scenario.story import About
from tests.scenarios.stories import HEAD, STEPS_BEGIN, story

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples" / "scenarios").glob("*.yaml"))


def test_there_are_sixteen_examples():
    assert len(EXAMPLES) == 16


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_every_example_is_read_quickly(file):
    began = perf_counter()
    scenario = read(file)
    assert perf_counter() - began < 1  # a tenth of that on an idle machine
    assert scenario.steps
    assert scenario.purchases
    assert [step.instant for step in scenario.steps] == sorted(step.instant for step in scenario.steps)


def test_the_example_of_the_format(tmp_path):
    scenario = story(tmp_path, "  - on: 2026-06-09\n    expect: {S1: {state: renewable, ends_on: 2026-06-09}}\n")
    (step,) = scenario.steps
    assert (scenario.title, scenario.start, scenario.end) == (
        "A small story",
        date(2025, 6, 10),
        date(2026, 8, 1),
    )
    assert (step.index, step.line, step.label) == (1, STEPS_BEGIN, "2026-06-09")
    assert step.instant == datetime(2026, 6, 9, 10, tzinfo=UTC)
    assert [(each.about, each.subject, each.field, each.expected) for each in step.expect] == [
        (About.SUBSCRIPTION, "S1", "state", "renewable"),
        (About.SUBSCRIPTION, "S1", "ends_on", "2026-06-09"),
    ]


def test_who_and_what(tmp_path):
    scenario = story(tmp_path)
    (customer,) = scenario.customers
    assert customer.csn == "5100000001"
    assert customer.payment is Method.CARD
    assert not customer.names_its_region
    seats = [purchase.bought.seats for purchase in scenario.purchases]
    assert seats == [2, 1]  # a trial has one seat
    assert scenario.purchases[0].instant == datetime(2025, 6, 10, 10, tzinfo=UTC)


def test_settings_and_catalogue_are_those_of_the_file(tmp_path):
    config = story(
        tmp_path, "", HEAD.replace("offerings:\n", "settings: {quotes: {validity_days: 7}}\nofferings:\n")
    ).config
    assert config.policy.quotes.validity_days == 7
    assert config.policy.window.opens_days_before == 90
    assert list(config.catalogue.offerings) == ["CAD"]


def test_the_clock_begins_with_the_earliest_purchase_and_ends_with_the_last_day(tmp_path):
    assert story(tmp_path).begins_at == datetime(2025, 6, 9, 22, tzinfo=UTC)
    assert story(tmp_path).ends_at == datetime(2026, 8, 1, 22, tzinfo=UTC)
    earlier = story(tmp_path, "", HEAD.replace("seats: 2, starts_on: 2025-06-10", "seats: 2, starts_on: 2024-12-01"))
    assert earlier.begins_at <= datetime(2024, 12, 1, 0, tzinfo=UTC)
    assert earlier.purchases[0].bought.id == "S1"


@pytest.mark.parametrize(
    ("at", "utc"),
    [
        ("2026-06-10T00:00:00", datetime(2026, 6, 9, 22, tzinfo=UTC)),
        ("2026-06-10 00:00", datetime(2026, 6, 9, 22, tzinfo=UTC)),
        ("2026-06-10T00:00:00Z", datetime(2026, 6, 10, tzinfo=UTC)),
        ("2026-06-10T00:00:00-03:00", datetime(2026, 6, 10, 3, tzinfo=UTC)),
        ("2025-10-26T02:30:00", datetime(2025, 10, 26, 0, 30, tzinfo=UTC)),  # the first of two
        ("2025-10-26T02:30:00+01:00", datetime(2025, 10, 26, 1, 30, tzinfo=UTC)),  # the second
    ],
)
def test_instants(tmp_path, at, utc):
    (step,) = story(tmp_path, f"  - at: {at}\n    do: stop_daemon\n").steps
    assert step.instant == utc
    assert step.label == at


def test_every_command_of_the_format_is_known():
    table = (ROOT / "app" / "rules" / "scenario-format.md").read_text(encoding="utf-8")
    table = table[table.index("| command |") : table.index("`payer` is")]
    cells = [line.split("|")[1] for line in table.splitlines()[2:] if line.startswith("|")]
    words = [word for cell in cells for word in cell.split("`")[1::2]]
    assert sorted(words) == sorted(COMMANDS)


def test_a_purchase_of_one_line_is_one_of_several(tmp_path):
    steps = """\
  - {on: 2025-07-01, do: buy, as: N1, csn: 5100000001, offering: CAD, term: annual, seats: 0, payment: card}
  - on: 2025-07-02
    do: buy
    csn: 5100000001
    payment: card
    items: [{as: N2, offering: CAD, term: trial}, {as: N3, offering: CAD, term: three_year, seats: -1}]
  - {on: 2025-07-03, expect: {N3: {state: null}}}
"""
    first, second, _ = story(tmp_path, steps).steps
    assert isinstance(first.command, Buy)
    assert isinstance(second.command, Buy)
    assert [(item.as_, item.term, item.seats) for item in first.command.items] == [("N1", TermKind.ANNUAL, 0)]
    assert [item.seats for item in second.command.items] == [1, -1]
    assert second.command.subject == "N2"


def test_a_customer_is_changed_in_what_is_given_only(tmp_path):
    (step,) = story(
        tmp_path, "  - {on: 2025-07-01, do: update_customer, csn: 5100000001, country: NO, region: null}\n"
    ).steps
    assert isinstance(step.command, UpdateCustomer)
    assert step.command.changes == {"country": "NO", "region": None}


def test_names_of_a_refused_command_stay_free(tmp_path):
    steps = """\
  - on: 2025-07-01
    do: convert_trial
    subscription: T1
    as: C1
    term: annual
    seats: 1
    payment: card
    fails: email_mismatch
  - {on: 2025-07-02, do: convert_trial, subscription: T1, as: C1, term: annual, seats: 1, payment: card}
  - {on: 2025-07-03, do: add_seats, subscription: C1, seats: 2}
"""
    assert len(story(tmp_path, steps).steps) == 3


def test_names_of_quotes_and_orders(tmp_path):
    steps = """\
  - {on: 2026-05-01, do: create_quote, as: Q1, subscriptions: [S1], source: sales, kind: {S1: renewal}}
  - {on: 2026-05-02, do: accept_quote, quote: Q1, payment: bank_transfer, as: O1}
  - {on: 2026-05-03, do: receive_payment, order: O1, amount: "1460.00", expect: {Q1: {subscriptions: [S1]}}}
  - on: 2026-05-04
    do: create_quote
    as: Q2
    csn: 5100000001
    source: sales
    kind: new
    offering: CAD
    term: annual
    seats: 1
  - {on: 2026-05-05, do: accept_quote, quote: Q2, payment: card, as: N1, expect: {N1: {state: active}}}
  - {on: 2026-05-06, do: pay_invoices, csn: 5100000001, invoices: [N1, INV-000012], payment: card}
"""
    commands = [step.command for step in story(tmp_path, steps).steps]
    assert isinstance(commands[3], CreateQuote)
    assert commands[3].is_new


def test_what_need_not_exist(tmp_path):
    steps = """\
  - {on: 2026-05-01, do: renew, subscriptions: [GHOST], fails: unknown_subject}
  - {on: 2026-05-02, do: clear_prepay, csn: 999, fails: unknown_subject}
  - on: 2026-05-03
    do: renew
    subscriptions: [S1, GHOST]
    expect: {outcomes: {S1: ok, GHOST: unknown_subject}}
"""
    assert len(story(tmp_path, steps).steps) == 3


def test_every_expectation_of_the_format_is_read(tmp_path):
    steps = """\
  - on: 2026-05-01
    do: renewal_groups
    csn: 5100000001
    expect:
      S1:
        reason: null
        term: annual
        seats: 2
        offering: CAD
        currency: EUR
        renews_on: null
        window_opens_on: 2026-03-11
        auto_renew: false
        scheduled: {starts_on: 2026-06-10, seats: 1}
        pending: {term: null, seats: 1, offering: null}
        payment: card
        assignments: [a@b.example]
        access: full
        capabilities: {product_access: full, user_management: kept, support: self_help}
        next: {event: issue_quote, on: 2026-05-10}
      5100000001: {prepay_required: false, cash_balance: "0.00", credit_memos: 0.00, open_invoices: 0, owed: 98}
      groups: [[S1]]
      installments_of: {S1: []}
      invoices_of:
        S1:
          - {issued_on: 2025-06-10, due_on: 2025-06-10, share: "1.00", paid: "1.00", state: paid}
          - {subtotal: "1.00", tax: "0.00", total: "1.00"}
      quotes_of: {S1: [{source: system, issued_on: 2026-05-10, state: superseded, total: "1.00"}]}
      charges_of: {S1: [{on: 2025-06-10, amount: "1.00", result: refunded}]}
      notices_of: {S1: [{on: 2025-06-10, kind: order_confirmation, to: a@b.example, language: nl}]}
      transitions_of: {S1: [{on: 2025-06-10, from: null, to: active, rule: S1}]}
"""
    (step,) = story(tmp_path, steps).steps
    by_field = {each.field: each.expected for each in step.expect}
    assert len(by_field) == 27
    assert by_field["owed"] == "98"
    assert by_field["credit_memos"] == "0.00"
    assert by_field["transitions_of"] == [{"on": "2025-06-10", "from": None, "to": "active", "rule": "S1"}]
