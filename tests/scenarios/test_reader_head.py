"""Mistakes above the steps, and files that are no scenario: file, line and key (exit status 2)."""

import pytest

from jobs.scenario.reader import ScenarioMistake, read
from tests.scenarios.stories import HEAD, mistake, mistakes

HEAD_MISTAKES = {
    "setting": (
        ("offerings:\n", "settings: {window: {opens: 3}}\nofferings:\n"),
        "5: settings.window.opens: ",
    ),
    "section": (("offerings:\n", "settings: {windows: {}}\nofferings:\n"), "5: settings.windows: "),
    "figure": (("offerings:\n", "settings: {bulk: {limit: many}}\nofferings:\n"), "5: settings.bulk.limit: "),
    "offering_key": (("    name: Draftline", "    nmae: x\n    name: Draftline"), "7: offerings.CAD.nmae: "),
    "price": (('annual: "730.00"', "annual: dear"), "8: offerings.CAD.prices.EUR.annual: "),
    "promotion": (
        (
            "customers:\n",
            "promotions:\n  - {code: A, percent: 9, offerings: [CAD], terms: [], until: 2026-01-01}\ncustomers:\n",
        ),
        "10: promotion 1: from: is missing",
    ),
    "no_title": (("title: A small story\n", ""), "1: title: is missing"),
    "bad_zone": (("Europe/Brussels", "Europe/Bruxelles"), "4: timezone: must be an IANA time zone"),
    "a_directory_is_no_zone": (("Europe/Brussels", "Europe"), "4: timezone: must be an IANA time zone"),
    "end_before_start": (("end: 2026-08-01", "end: 2025-06-09"), "3: end: lies before start"),
    "no_date": (("start: 2025-06-10", "start: today"), "2: start: must be a date"),
    "bought_long_ago": (
        ("seats: 2, starts_on: 2025-06-10", "seats: 2, at: 0001-01-01T00:00:00+14:00"),
        "12: subscription 1: at: must lie between",
    ),
    "far_away": (("start: 2025-06-10", "start: 0001-01-01"), "2: start: must lie between"),
    "steps_no_list": (("customers:\n", "steps: 3\ncustomers:\n"), "9: steps: must be a list"),
    "key_twice": (("end:", "start:"), '3: the key "start" stands here a second time'),
    "customer_key": (("name: Atelier", "nmae: x, name: Atelier"), "10: customer 1: nmae: "),
    "no_currency": ((", currency: EUR}", "}"), "10: customer 1: currency: is missing"),
    "bad_currency": (("currency: EUR", "currency: EURO"), "10: customer 1: currency: must be"),
    "bad_language": (("currency: EUR", "currency: EUR, language: fr"), "10: customer 1: language: must be"),
    "bad_region": (("currency: EUR", "currency: EUR, region: EU"), "10: customer 1: region: must be"),
    "bad_country": (("currency: EUR", "currency: EUR, country: Norway"), "10: customer 1: country: must be"),
    "bad_email": (("buyer@noord.example", "buyer"), "10: customer 1: purchaser: must be an e-mail"),
    "bad_flag": (("currency: EUR", "currency: EUR, tax_exempt: no"), "10: customer 1: tax_exempt: must be"),
    "net_terms": (
        ("currency: EUR", "currency: EUR, net_terms: {limit: 3}"),
        "10: customer 1: net_terms.limit: ",
    ),
    "csn_twice": (
        (
            "subscriptions:\n",
            "  - {csn: 5100000001, name: B, purchaser: b@b.example, currency: EUR}\nsubscriptions:\n",
        ),
        "11: customer 2: csn: '5100000001' is used twice",
    ),
    "id_twice": (("id: T1", "id: S1"), "13: subscription 2: id: 'S1' is used twice"),
    "reserved_id": (("id: T1", "id: outcomes"), "13: subscription 2: id: 'outcomes' means"),
    "unknown_csn": (('csn: "5100000001"', "csn: 1"), "13: subscription 2: csn: unknown customer"),
    "unknown_offering": (
        ("offering: CAD, term: trial", "offering: CAM, term: trial"),
        "13: subscription 2: offering: ",
    ),
    "no_seats": (("seats: 2, ", ""), "12: subscription 1: seats: is missing"),
    "no_seat": (("seats: 2", "seats: 0"), "12: subscription 1: seats: must be 1 or more"),
    "bad_term": (("term: annual, seats", "term: weekly, seats"), "12: subscription 1: term: must be one of"),
    "no_start": (
        (", starts_on: 2025-06-10}\n  -", "}\n  -"),
        "12: subscription 1: starts_on (or at) is missing",
    ),
    "after_the_end": (
        ("seats: 2, starts_on: 2025-06-10", "seats: 2, starts_on: 2026-08-02"),
        "12: subscription 1: starts_on: lies after the end",
    ),
    "no_such_instant": (
        ("seats: 2, starts_on: 2025-06-10", "seats: 2, at: 2026-03-29T02:30:00"),
        "12: subscription 1: at: 2026-03-29T02:30:00 does not exist",
    ),
    "two_days": (
        ("seats: 2, starts_on: 2025-06-10", "seats: 2, starts_on: 2025-06-10, at: 2025-06-12T10:00:00"),
        "12: subscription 1: at: is not on starts_on",
    ),
    "bought_with_a_memo": (
        ("seats: 2", "seats: 2, payment: credit_memo"),
        "12: subscription 1: payment: nothing",
    ),
    "escape_sequence": (("title: A small story", 'title: "\\e[31mred"'), "1: title: must be one line"),
}


@pytest.mark.parametrize("name", HEAD_MISTAKES)
def test_a_mistake_above_the_steps(tmp_path, name):
    (old, new), message = HEAD_MISTAKES[name]
    assert old in HEAD
    assert mistake(tmp_path, "", HEAD.replace(old, new, 1)).startswith(f"story.yaml:{message}")


def test_an_unknown_key_at_the_top(tmp_path):
    found = mistakes(tmp_path, "", HEAD.replace("title:", "titel:"))
    assert found[0].startswith('story.yaml:1: titel: is not a known key; did you mean "title"?')
    assert found[1].startswith("story.yaml:1: title: is missing")


# ---------------------------------------------------------------- files that are none


@pytest.mark.parametrize(
    "content",
    [b"", b"# nothing\n", b"\xff\xfe\x00", b"title: \xe9\n", b"- a\n", b"a: [\n", b"a\n", b"[" * 5000, b"\0"],
)
def test_what_is_no_scenario(tmp_path, content):
    file = tmp_path / "story.yaml"
    file.write_bytes(content)
    with pytest.raises(ScenarioMistake, match=r"story\.yaml:[12]: "):
        read(file)


@pytest.mark.parametrize("name", [".", "missing.yaml", "nul\0byte"])
def test_what_is_no_file(tmp_path, name):
    with pytest.raises(ScenarioMistake, match="cannot be read"):
        read(f"{tmp_path}/{name}")


def test_a_file_without_end():
    with pytest.raises(ScenarioMistake, match="is larger than"):
        read("/dev/zero")
