"""Mistakes in a step are answered with file, line and key (exit status 2), never passed over."""

import pytest

from tests.scenarios.stories import STEPS_BEGIN, mistake, mistakes

STEP_MISTAKES = {
    "unknown_key": ("{on: 2026-01-01, do: clear_prepay, csn: 5100000001, when: now}", "step 1: when: "),
    "unknown_key_without_command": (
        "{on: 2026-01-01, csn: 5100000001, expect: {S1: {seats: 2}}}",
        "step 1: csn: ",
    ),
    "unknown_command": (
        "{on: 2026-01-01, do: reenw}",
        'step 1: do: unknown command "reenw"; did you mean "renew"?',
    ),
    "unknown_code": ("{on: 2026-01-01, do: stop_daemon, fails: nope}", "step 1: fails: unknown error code"),
    "unknown_subject": (
        "{on: 2026-01-01, expect: {S9: {state: active}}}",
        'step 1: expect.S9: unknown subject "S9"',
    ),
    "unknown_field": (
        "{on: 2026-01-01, expect: {S1: {sate: active}}}",
        "step 1: expect.S1.sate: unknown field",
    ),
    "unknown_state": (
        "{on: 2026-01-01, expect: {S1: {state: aktive}}}",
        "step 1: expect.S1.state: unknown state",
    ),
    "inner_state": ("{on: 2026-01-01, expect: {S1: {state: new}}}", "step 1: expect.S1.state: unknown state"),
    "nested_field": (
        "{on: 2026-01-01, expect: {S1: {next: {evnt: renew}}}}",
        "step 1: expect.S1.next.evnt: ",
    ),
    "hidden_event": (
        "{on: 2026-01-01, expect: {S1: {next: {event: remind}}}}",
        "step 1: expect.S1.next.event: ",
    ),
    "boolean_word": (
        "{on: 2026-01-01, expect: {S1: {auto_renew: yes}}}",
        "step 1: expect.S1.auto_renew: must be true",
    ),
    "quoted_number": (
        "{on: 2026-01-01, expect: {S1: {seats: '2'}}}",
        "step 1: expect.S1.seats: must be a whole",
    ),
    "bad_date": (
        "{on: 2026-01-01, expect: {S1: {ends_on: 2026-02-30}}}",
        "step 1: expect.S1.ends_on: 2026-02-30",
    ),
    "bad_amount": (
        "{on: 2026-01-01, expect: {'5100000001': {owed: much}}}",
        "step 1: expect.5100000001.owed: ",
    ),
    "customer_field": (
        "{on: 2026-01-01, expect: {'5100000001': {state: active}}}",
        "step 1: expect.5100000001.state: ",
    ),
    "list_field": (
        "{on: 2026-01-01, expect: {charges_of: {S1: [{sum: '1'}]}}}",
        "step 1: expect.charges_of.S1[0].sum: ",
    ),
    "list_subject": (
        "{on: 2026-01-01, expect: {charges_of: {'5100000001': []}}}",
        "step 1: expect.charges_of.5100000001: ",
    ),
    "list_no_list": (
        "{on: 2026-01-01, expect: {charges_of: {S1: 3}}}",
        "step 1: expect.charges_of.S1: must be a list",
    ),
    "empty_entry": (
        "{on: 2026-01-01, expect: {charges_of: {S1: [null]}}}",
        "step 1: expect.charges_of.S1[0]: ",
    ),
    "list_word": (
        "{on: 2026-01-01, expect: {notices_of: {S1: [{kind: x}]}}}",
        "step 1: expect.notices_of.S1[0].kind: ",
    ),
    "subject_no_map": ("{on: 2026-01-01, expect: {S1: active}}", "step 1: expect.S1: must be a map"),
    "expect_no_map": ("{on: 2026-01-01, expect: S1}", "step 1: expect: must be a map"),
    "unknown_offering": (
        "{on: 2026-01-01, expect: {S1: {offering: CAM}}}",
        "step 1: expect.S1.offering: unknown offering",
    ),
    "groups_unasked": ("{on: 2026-01-01, expect: {groups: [[S1]]}}", "step 1: expect.groups: "),
    "outcomes_unasked": (
        "{on: 2026-01-01, do: stop_daemon, expect: {outcomes: {S1: ok}}}",
        "step 1: expect.outcomes: ",
    ),
    "outcome_stranger": (
        "{on: 2026-01-01, do: renew, subscriptions: [S1], expect: {outcomes: {T1: ok}}}",
        "step 1: expect.outcomes.T1: ",
    ),
    "outcome_word": (
        "{on: 2026-01-01, do: renew, subscriptions: [S1], expect: {outcomes: {S1: fine}}}",
        "step 1: expect.outcomes.S1: unknown error code",
    ),
    "no_do_no_expect": ("{on: 2026-01-01}", "step 1: needs do or expect"),
    "empty_expect": ("{on: 2026-01-01, expect: {}}", "step 1: needs do or expect"),
    "fails_without_do": (
        "{on: 2026-01-01, fails: in_lapse, expect: {S1: {seats: 2}}}",
        "step 1: fails: needs do",
    ),
    "no_day": ("{do: stop_daemon}", "step 1: needs either on or at"),
    "two_days": (
        "{on: 2026-01-01, at: 2026-01-01T00:00:00, do: stop_daemon}",
        "step 1: needs either on or at",
    ),
    "on_with_time": ("{on: 2026-01-01T00:00:00, do: stop_daemon}", "step 1: on: must be a date"),
    "at_without_time": ("{at: 2026-01-01, do: stop_daemon}", "step 1: at: must be an instant"),
    "odd_date": ("{on: 20260101, do: stop_daemon}", "step 1: on: must be a date"),
    "missing_hour": (
        "{at: 2026-03-29T02:30:00, do: stop_daemon}",
        "step 1: at: 2026-03-29T02:30:00 does not exist",
    ),
    "25_o_clock": ("{at: 2026-03-29T25:00:00, do: stop_daemon}", "step 1: at: 2026-03-29T25:00:00 is not"),
    "too_early": ("{on: 2025-06-09, do: stop_daemon}", "step 1: on: lies outside 2025-06-10 to 2026-08-01"),
    "too_late": ("{at: 2026-08-02T00:00:00, do: stop_daemon}", "step 1: at: lies outside"),
    "missing_parameter": ("{on: 2026-01-01, do: add_seats, subscription: S1}", "step 1: seats: is missing"),
    "fraction_of_a_seat": (
        "{on: 2026-01-01, do: add_seats, subscription: S1, seats: 1.5}",
        "step 1: seats: must be",
    ),
    "not_a_list": ("{on: 2026-01-01, do: renew, subscriptions: S1}", "step 1: subscriptions: must be a list"),
    "bad_boolean": (
        "{on: 2026-01-01, do: set_auto_renew, subscriptions: [S1], enabled: on}",
        "step 1: enabled: ",
    ),
    "bad_method": (
        "{on: 2026-01-01, do: add_seats, subscription: S1, seats: 1, payment: cash}",
        "step 1: payment: ",
    ),
    "no_reason": (
        "{on: 2026-01-01, do: extend_grace, subscription: S1, days: 3}",
        "step 1: reason: is missing",
    ),
    "neither_customer_nor_subscription": (
        "{on: 2026-01-01, do: change_payment_method, payment: card}",
        "step 1: ",
    ),
    "both": ("{on: 2026-01-01, do: reverse_payment, subscription: S1, invoice: S1}", "step 1: needs either"),
    "neither_term_nor_withdraw": (
        "{on: 2026-01-01, do: change_term, subscription: S1}",
        "step 1: term is missing",
    ),
    "unknown_customer": (
        "{on: 2026-01-01, do: clear_prepay, csn: 5100000002}",
        "step 1: csn: unknown customer",
    ),
    "unknown_subscription": (
        "{on: 2026-01-01, do: renew, subscriptions: [S1, S2]}",
        "step 1: subscriptions[1]: ",
    ),
    "unknown_quote": (
        "{on: 2026-01-01, do: cancel_quote, quote: Q1, by: sales}",
        "step 1: quote: unknown quote",
    ),
    "unknown_order": (
        "{on: 2026-01-01, do: receive_payment, order: S1, amount: '1'}",
        "step 1: order: unknown order",
    ),
    "unknown_invoice": (
        "{on: 2026-01-01, do: pay_invoices, csn: 5100000001, invoices: [S8], payment: card}",
        "step 1: ",
    ),
    "unknown_job": ("{on: 2026-01-01, do: run_job, job: tidy}", "step 1: job: "),
    "not_in_the_catalogue": (
        "{on: 2026-01-01, do: switch_offering, subscription: S1, offering: CAM}",
        "step 1: offering: ",
    ),
    "name_taken": (
        "{on: 2026-01-01, do: create_quote, as: S1, subscriptions: [S1], source: sales}",
        "step 1: as: 'S1' is used twice",
    ),
    "name_taken_in_items": (
        "{on: 2026-01-01, do: buy, csn: 5100000001, payment: card, items: "
        "[{as: N, offering: CAD, term: annual, seats: 1}, {as: N, offering: CAD, term: annual, seats: 1}]}",
        "step 1: items[1].as: 'N' is used twice",
    ),
    "line_keys_beside_items": (
        "{on: 2026-01-01, do: buy, csn: 5100000001, payment: card, term: annual, items: "
        "[{as: N, offering: CAD, term: annual, seats: 1}]}",
        "step 1: term: ",
    ),
    "kind_of_a_stranger": (
        "{on: 2026-01-01, do: create_quote, as: Q, subscriptions: [S1], source: sales, kind: {T1: renewal}}",
        "step 1: kind names T1",
    ),
    "a_bare_word": ("renew", "step 1: must be a map"),
}


@pytest.mark.parametrize("name", STEP_MISTAKES)
def test_a_mistake_in_a_step(tmp_path, name):
    step, message = STEP_MISTAKES[name]
    assert mistake(tmp_path, f"  - {step}\n").startswith(f"story.yaml:{STEPS_BEGIN}: {message}")


def test_the_line_is_that_of_the_key(tmp_path):
    steps = "  - on: 2026-01-01\n    expect:\n      S1:\n        seats: 2\n        state: gone\n"
    assert mistake(tmp_path, steps).startswith(f"story.yaml:{STEPS_BEGIN + 4}: step 1: expect.S1.state: ")


def test_steps_stand_in_order_of_time(tmp_path):
    steps = "  - {on: 2026-01-02, do: stop_daemon}\n  - {at: 2026-01-02T11:59:59, do: start_daemon}\n"
    assert mistake(tmp_path, steps).startswith(f"story.yaml:{STEPS_BEGIN + 1}: step 2: at: lies before")


def test_what_a_later_step_makes_is_not_known_yet(tmp_path):
    steps = """\
  - {on: 2026-01-01, expect: {N1: {state: null}}}
  - {on: 2026-01-02, do: buy, as: N1, csn: 5100000001, offering: CAD, term: annual, seats: 1, payment: card}
"""
    assert mistake(tmp_path, steps).startswith(f"story.yaml:{STEPS_BEGIN}: step 1: expect.N1: unknown subject")


def test_every_mistake_is_named_at_once(tmp_path):
    assert len(mistakes(tmp_path, "  - {on: 2026-01-01}\n  - {on: 2026-01-02, do: fly}\n")) == 2
