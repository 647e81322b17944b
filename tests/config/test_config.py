"""Settings: what is shipped, what is laid over it, and one line for every mistake, without a password."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from app import config, yaml12
from app.config import (
    ConfigMistake,
    Daemon,
    Database,
    Defaults,
    load,
    masked,
    settings_for_scenario,
    shipped,
)
from app.domain.policy import DatedRate, LateStart, Policy
from app.domain.values import OfferingKind, Region, TermKind

ROOT = Path(config.__file__).parent.parent
SECRET = "hunter2"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """No test may find the repository's own config.yaml by accident."""
    monkeypatch.chdir(tmp_path)


def _file(text: str | bytes, name: str = "my.yaml") -> Path:
    path = Path(name)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def _loaded(text: str):
    return load(_file(text), {})


def _refused(text: str | bytes, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigMistake) as caught:
        load(_file(text), environ or {})
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


# ------------------------------------------------------------------ what is shipped


def test_the_file_says_what_the_rulebook_says():
    assert shipped().policy == Policy()
    assert shipped().database == Database()
    assert shipped().daemon == Daemon()
    assert shipped().defaults == Defaults()


def test_the_packaged_copy_is_the_file_at_the_root():
    assert (ROOT / "config.yaml").read_text() == (ROOT / "app" / "shipped.yaml").read_text(), (
        "copy config.yaml to app/shipped.yaml: scenarios start from the copy"
    )


def test_every_figure_stands_in_the_file_with_a_comment():
    text = (ROOT / "config.yaml").read_text()
    written = yaml12.load(text, "config.yaml")
    for section in fields(Policy):
        for key in fields(getattr(Policy(), section.name)):
            line = text.splitlines()[written.line((section.name, key.name)) - 1]
            assert key.name in line, f"{section.name}.{key.name} is not in config.yaml"
            assert "# " in line, f"{section.name}.{key.name} has no comment"


def test_the_catalogue_has_every_kind_and_price():
    offerings = shipped().catalogue.offerings
    assert {each.kind for each in offerings.values()} == set(OfferingKind)
    assert all(each.lapse_exempt == (each.kind is OfferingKind.CLOUD) for each in offerings.values())
    for each in offerings.values():
        assert len(each.prices) == 9
        assert {frozenset(terms) for terms in each.prices.values()} == {frozenset(each.prices["EUR"])}


def test_regions():
    catalogue = shipped().catalogue
    assert len(catalogue.regions[Region.EEA]) == 30
    assert [catalogue.region_of(each) for each in ("NO", "GB", "CH", "CA", "US")] == ["EEA", "UK", "CH", "CA", None]


def test_every_part_is_a_plain_frozen_dataclass():
    settings = shipped()
    for each in fields(settings):
        part = getattr(settings, each.name)
        assert isinstance(part, str) or (is_dataclass(part) and part.__dataclass_params__.frozen)


# ------------------------------------------------------------------ which file


def test_without_any_file_it_is_as_shipped():
    assert load(None, {}) == shipped()


def test_the_local_file_is_found():
    _file("bulk: {limit: 7}", "config.yaml")
    assert load(None, {}).policy.bulk.limit == 7
    assert load(None, {}).source == "config.yaml"
    assert shipped().policy.bulk.limit == 100


def test_a_named_file_goes_before_the_variable_and_that_before_the_local_one():
    _file("bulk: {limit: 1}", "config.yaml")
    _file("bulk: {limit: 2}", "variable.yaml")
    environ = {"PERENNIAL_CONFIG": "variable.yaml"}
    assert load(None, environ).policy.bulk.limit == 2
    assert load(_file("bulk: {limit: 3}"), environ).policy.bulk.limit == 3


@pytest.mark.parametrize("environ", [{}, {"PERENNIAL_CONFIG": "none.yaml"}])
def test_a_named_file_must_exist(environ):
    with pytest.raises(ConfigMistake, match=r"^none\.yaml: cannot be read: No such file or directory$"):
        load(None if environ else Path("none.yaml"), environ)


# ------------------------------------------------------------------ what a file may say


def test_maps_are_merged_and_lists_replaced():
    settings = _loaded("lapse: {suspended_days: {annual: 7}}\nauto_renew: {retry_days: [1]}\n")
    lapse = settings.policy.lapse
    assert lapse.suspended_days == {TermKind.MONTHLY: 15, TermKind.ANNUAL: 7, TermKind.THREE_YEAR: 30}
    assert lapse.expired_days == 15
    assert settings.policy.auto_renew.retry_days == [1]


def test_every_partial_map_keeps_the_rest():
    policy = _loaded(
        "proration: {standard_days: {annual: 360}}\nlapse: {late_renewal_starts: {annual: payment_date}}"
    ).policy
    assert policy.proration.standard_days == {"monthly": 30, "annual": 360, "three_year": 1095}
    assert policy.lapse.late_renewal_starts["annual"] is LateStart.PAYMENT_DATE
    assert policy.lapse.late_renewal_starts["monthly"] is LateStart.ORIGINAL_END


def test_null_takes_an_entry_away():
    policy = _loaded("lapse: {cut_over: {CA: null}}\nquotes: {method_limit: {USD: null}}").policy
    assert set(policy.lapse.cut_over) == {"EEA", "UK", "CH"}
    assert set(policy.quotes.method_limit) == {"EUR"}


def test_own_offerings_are_the_whole_catalogue():
    catalogue = _loaded('offerings: {MINE: {name: Mine, prices: {EUR: {annual: "1.00"}}}}').catalogue
    assert list(catalogue.offerings) == ["MINE"]
    assert catalogue.promotions == []
    assert catalogue.region_of("DE") == "EEA"


def test_days_and_rates_come_in_order():
    policy = _loaded(
        "notices: {reminder_days: [4, 60, 30]}\nauto_renew: {retry_days: [9, 2]}\n"
        'tax: {rates: {EE: [{from: 2025-07-01, rate: "24"}, {from: 2024-01-01, rate: 22}], DE: 19, FR: "20.0"}}'
    ).policy
    assert policy.notices.reminder_days == [60, 30, 4]
    assert policy.auto_renew.retry_days == [2, 9]
    assert policy.tax.rates["EE"] == [
        DatedRate(date(2024, 1, 1), Decimal(22)),
        DatedRate(date(2025, 7, 1), Decimal(24)),
    ]
    assert policy.tax.rates["DE"] == [DatedRate(date.min, Decimal(19))]
    assert policy.tax.rates["FR"] == [DatedRate(date.min, Decimal("20.0"))]


def test_amounts_are_exact():
    price = _loaded("offerings: {A: {name: A, prices: {EUR: {annual: 0.10}}}}").catalogue.offerings["A"].prices
    assert price["EUR"][TermKind.ANNUAL] == Decimal("0.10")
    assert str(price["EUR"][TermKind.ANNUAL]) == "0.10"


def test_a_promotion():
    [promotion] = _loaded(
        "promotions:\n"
        "- {code: P, percent: 10, offerings: [CANOPY], terms: [annual], from: 2026-01-01, until: 2026-01-31}"
    ).catalogue.promotions
    assert (promotion.start, promotion.until) == (date(2026, 1, 1), date(2026, 1, 31))
    assert promotion.percent == Decimal(10)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///var/x.db",
        "sqlite:////var/x.db",
        "postgresql+psycopg://u:p@h:5432/db",
        "postgresql+psycopg:///db",
    ],
)
def test_databases(url):
    assert _loaded(f'database: {{url: "{url}"}}').database.url == url


# ------------------------------------------------------------------ mistakes in the file

_OFFERING = "offerings:\n  A:\n    name: A\n    kind: {kind}\n    prices:\n      {prices}\n"
_PROMOTION = (
    "promotions:\n- code: P\n  percent: {percent}\n  offerings: [{offering}]\n  terms: [{term}]\n"
    "  from: 2026-02-01\n  until: {until}\n"
)


def _offering(prices: str, kind: str = "subscription") -> str:
    return _OFFERING.format(kind=kind, prices=prices)


def _promotion(percent="10", offering="CANOPY", term="annual", until="2026-03-01") -> str:
    return _PROMOTION.format(percent=percent, offering=offering, term=term, until=until)


@pytest.mark.parametrize(
    ("text", "line", "key", "says"),
    [
        ("windw: {}", 1, "windw", 'did you mean "window"? Allowed here: database, daemon'),
        ("\nwindow:\n  open_days: 3", 3, "window.open_days", "Allowed here: opens_days_before"),
        ("window:\n  opens_days_before: ninety", 2, "window.opens_days_before", "a whole number"),
        ('window:\n  opens_days_before: "90"', 2, "window.opens_days_before", "without quotes"),
        ("window:\n  opens_days_before: true", 2, "window.opens_days_before", "a whole number"),
        ("window:\n  opens_days_before: 12.5", 2, "window.opens_days_before", "a whole number"),
        ("window:\n  opens_days_before: -1", 2, "window.opens_days_before", "must be 0 or more"),
        ("window:\n  opens_days_before:", 2, "window.opens_days_before", "not null"),
        ("window: 90", 1, "window", "must be a map"),
        ("bulk: {limit: 0}", 1, "bulk.limit", "must be 1 or more"),
        ("lapse:\n  cut_over:\n    EEA: 16.9.2024", 3, "lapse.cut_over.EEA", "a day such as 2026-12-31"),
        ("lapse:\n  cut_over:\n    XX: 2024-01-01", 3, "lapse.cut_over.XX", "one of EEA, UK, CH, CA"),
        ("lapse: {suspended_days: {weekly: 1}}", 1, "lapse.suspended_days.weekly", "one of monthly"),
        ("lapse: {suspended_days: {trial: 1}}", 1, "lapse.suspended_days.trial", "monthly, annual, three_year"),
        ("lapse: {late_renewal_starts: {annual: now}}", 1, "lapse.late_renewal_starts.annual", "payment_date"),
        ("notices: {reminder_days: [4, 30, 4]}", 1, "notices.reminder_days", "names 4 more than once"),
        ("notices: {reminder_days: 30}", 1, "notices.reminder_days", "must be a list"),
        ("auto_renew:\n  retry_days: [3, 3]", 2, "auto_renew.retry_days", "names 3 more than once"),
        ("quotes: {automatic_terms: [trial]}", 1, "quotes.automatic_terms[0]", "must be one of monthly"),
        ("quotes: {method_limit: {USD: x}}", 1, "quotes.method_limit.USD", "a decimal number"),
        ("quotes: {method_limit: {DOL: 1}}", 1, "quotes.method_limit.DOL", "ISO 4217"),
        ("quotes: {method_limit: {JPY: 0.5}}", 1, "quotes.method_limit.JPY", "more decimals than JPY has (0)"),
        ("returns: {days: {weekly: 3}}", 1, "returns.days.weekly", "monthly, annual, three_year, flex"),
        ("tax: {rates: {DE: 101}}", 1, "tax.rates.DE", "must be 100 or less"),
        ("tax: {rates: {DE: much}}", 1, "tax.rates.DE", 'a decimal number such as "12.50", not "much"'),
        ("tax:\n  rates:\n    DE:\n    - rate: 1", 4, "tax.rates.DE[0].from", "is missing"),
        (
            "tax: {rates: {DE: [{from: 2024-01-01, start: 2024-01-01, rate: 1}]}}",
            1,
            "tax.rates.DE[0].start",
            "from, rate",
        ),
        ("tax: {rates: {Germany: 19}}", 1, "tax.rates.Germany", "two capitals"),
        ("tax: {seller_country: UK}", 1, "tax.seller_country", "the United Kingdom is GB"),
        ("regions: {CH: [CH, GB]}", 1, "regions.CH[1]", "in two regions"),
        ("defaults: {timezone: Europe/Amsterdm}", 1, "defaults.timezone", 'did you mean "Europe/Amsterdam"'),
        ("defaults: {timezone: ../etc/passwd}", 1, "defaults.timezone", "is not an IANA time zone"),
        ("defaults: {currency: eur}", 1, "defaults.currency", 'did you mean "EUR"'),
        ("defaults: {currency: XAU}", 1, "defaults.currency", "ISO 4217"),
        ("defaults: {language: nn}", 1, "defaults.language", "one of en, nl, nb, de"),
        ("daemon: {page_size: 0}", 1, "daemon.page_size", "must be 1 or more"),
        (_offering("EUR: {annual: 1.005}"), 6, "offerings.A.prices.EUR.annual", "than EUR has (2)"),
        (_offering("JPY: {annual: 1.5}"), 6, "offerings.A.prices.JPY.annual", "than JPY has (0)"),
        (_offering("KWD: {annual: 1.0005}"), 6, "offerings.A.prices.KWD.annual", "than KWD has (3)"),
        (_offering("EUR: {annual: -1}"), 6, "offerings.A.prices.EUR.annual", "must be 0 or more"),
        (_offering("EUR: {annual: .nan}"), 6, "offerings.A.prices.EUR.annual", "a decimal number"),
        (_offering("EUR: {annual: 1e99}"), 6, "offerings.A.prices.EUR.annual", "or less"),
        (_offering("EUR: {trial: 1}"), 6, "offerings.A.prices.EUR.trial", "monthly, annual, three_year"),
        (_offering("EUR: {monthly: 1}", "flex"), 6, "offerings.A.prices.EUR.monthly", "annual only, I3"),
        (_offering("EUR: {monthly: 1}", "flux"), 4, "offerings.A.kind", 'did you mean "flex"?'),
        (_offering("EURO: {annual: 1}"), 6, "offerings.A.prices.EURO", "ISO 4217"),
        ("offerings: {A: {name: A}}", 1, "offerings.A.prices", "is missing"),
        ("offerings: {A: {name: 7, prices: {}}}", 1, "offerings.A.name", "must be text"),
        ("offerings: {A: {name: A, prices: {}, returnable: True}}", 1, "offerings.A.returnable", "true or false"),
        ("offerings: {A: {name: A, prices: {}, prices_from: {x: {}}}}", 1, "offerings.A.prices_from.x", "a day"),
        (_promotion(percent="110"), 3, "promotions[0].percent", "must be 100 or less"),
        (_promotion(offering="CANOPI"), 4, "promotions[0].offerings[0]", 'did you mean "CANOPY"?'),
        (_promotion(term="trial"), 5, "promotions[0].terms[0]", "must be one of"),
        (_promotion(until="2026-01-31"), 7, "promotions[0].until", "must not lie before from"),
        (_promotion() + _promotion()[12:], 1, "promotions", "names P more than once"),
        ("database: {url: mysql://h/x}", 1, "database.url", "must be sqlite:///path"),
        ("database: {url: 5}", 1, "database.url", "must be text"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(text, line, key, says):
    message = _refused(text)
    assert message.startswith(f"my.yaml:{line}: {key}: ")
    assert says in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [("", 1), ("- a", 1), ("a: [", 1), ("bulk: 1\nbulk: 2", 2), (b"\xff\x00", 1), ("a: &a [*a]", 1)],
)
def test_what_is_no_yaml_is_one_line(text, line):
    message = _refused(text)
    assert message.startswith(f"my.yaml:{line}: ")
    assert len(message.splitlines()) == 1


def test_every_mistake_is_told_at_once():
    assert len(_refused("bulk: {limit: x}\ntrials: {days: y}\nfoo: 1").splitlines()) == 3
    assert len(_refused("defaults: {timezone: x, currency: y}").splitlines()) == 2


# ------------------------------------------------------------------ the environment


def test_variables_are_laid_over_the_file():
    environ = {
        "PERENNIAL_BULK__LIMIT": "12",
        "PERENNIAL_LAPSE__SUSPENDED_DAYS": "{monthly: 1}",
        "PERENNIAL_LAPSE__SUSPENDED_DAYS__MONTHLY": "2",
        "PERENNIAL_LAPSE__CUT_OVER__EEA": "2025-01-01",
        "PERENNIAL_NOTICES__REMINDER_DAYS": "[10]",
        "PERENNIAL_QUOTES__METHOD_LIMIT__GBP": "20000.50",
        "PERENNIAL_TAX__RATES__DE": "19",
        "PERENNIAL_TAX__SELLER_COUNTRY": "NO",
        "PERENNIAL_DATABASE__URL": "sqlite://",
        "PERENNIAL_DEFAULTS__TIMEZONE": "Europe/Oslo",
        "PERENNIAL_LOG_LEVEL": "debug",
        "HOME": "/root",
    }
    settings = load(_file("bulk: {limit: 5}\nbilling: {net_days: 14}"), environ)
    policy = settings.policy
    assert (policy.bulk.limit, policy.billing.net_days) == (12, 14)
    assert policy.lapse.suspended_days["monthly"] == 2
    assert policy.lapse.suspended_days["annual"] == 30
    assert policy.lapse.cut_over["EEA"] == date(2025, 1, 1)
    assert policy.notices.reminder_days == [10]
    assert policy.quotes.method_limit["GBP"] == Decimal("20000.50")
    assert policy.tax.rates["DE"][0].rate == 19
    assert policy.tax.seller_country == "NO"
    assert settings.database.url == "sqlite://"
    assert settings.defaults.timezone == "Europe/Oslo"


def test_the_command_line_wins():
    settings = load(None, {"PERENNIAL_DATABASE__URL": "sqlite:///a.db"}, {"database": {"url": "sqlite://"}})
    assert settings.database.url == "sqlite://"
    with pytest.raises(ConfigMistake, match=r"^command line: database\.url: must be sqlite"):
        load(None, {}, {"database": {"url": "nonsense"}})


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PERENNIAL_BULK__LIMT", "1", "names no setting; did you mean"),
        ("PERENNIAL_BULK_LIMIT", "1", '"PERENNIAL_BULK__LIMIT"'),
        ("PERENNIAL_DATABASE_URL", f"postgresql+psycopg://u:{SECRET}@h/db", '"PERENNIAL_DATABASE__URL"'),
        ("PERENNIAL_", "1", "names no setting"),
        ("PERENNIAL_BULK__LIMIT__MORE", "1", "names no setting"),
        ("PERENNIAL_BULK__LIMIT", "many", "bulk.limit: must be a whole number"),
        ("PERENNIAL_BULK__LIMIT", "[1", "flow sequence"),
        ("PERENNIAL_BULK__LIMIT", "", "bulk.limit: must be a whole number"),
        ("PERENNIAL_BULK", "7", "bulk: must be a map"),
        ("PERENNIAL_LAPSE__CUT_OVER__XX", "2024-01-01", "one of EEA, UK, CH, CA"),
        ("PERENNIAL_BULK__LIMIT_FILE", "/nowhere/x", "/nowhere/x cannot be read: No such file"),
    ],
)
def test_a_wrong_variable_is_named(name, value, says):
    message = _refused("bulk: {limit: 5}", {name: value})
    assert message.startswith(f"environment variable {name}: ")
    assert says in message
    assert SECRET not in message
    assert len(message.splitlines()) == 1


def test_a_secret_comes_from_a_file(tmp_path):
    url = f"postgresql+psycopg://u:{SECRET}: #x@h/db"
    secret = tmp_path / "secret"
    secret.write_text(url.replace("#", "%23") + "\n")
    settings = load(None, {"PERENNIAL_DATABASE__URL_FILE": str(secret)})
    assert settings.database.url == url.replace("#", "%23")
    both = {"PERENNIAL_DATABASE__URL_FILE": str(secret), "PERENNIAL_DATABASE__URL": "sqlite://"}
    assert "says the same as PERENNIAL_DATABASE__URL" in _refused("bulk: {}", both)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe\x00", None])
def test_a_secret_file_that_is_unusable(tmp_path, content):
    secret = tmp_path / "secret"
    if content is not None:
        secret.write_bytes(content)
    message = _refused("bulk: {}", {"PERENNIAL_DATABASE__URL_FILE": str(secret)})
    assert message.startswith(f"environment variable PERENNIAL_DATABASE__URL_FILE: the file {secret} ")


# ------------------------------------------------------------------ secrets

_LEAKY = f"postgresql://admin:{SECRET}@db.example/app"


@pytest.mark.parametrize(
    "text",
    [
        f"database: {{url: '{_LEAKY}'}}",
        f"database: '{_LEAKY}'",
        f"database: ['{_LEAKY}']",
        f"database: {{url: ['{_LEAKY}']}}",
        f"database: {{url: '{_LEAKY}', x: {SECRET}}}",
        f"database: {{password: {SECRET}}}",
        f"database: {{url: postgresql+psycopg://u:{SECRET}@[h/db}}",
        f"database: {{url: 'postgresql+psycopg://u:{SECRET}@h:port/db'}}",
        f"database:\n  url: u:{SECRET}: x",
        f"database:\n  url: '{_LEAKY}\n",
        f"database:\n  url: @{SECRET}",
        f"databse: {{url: '{_LEAKY}'}}",
        f"daemon: {{page_size: {{url: '{_LEAKY}'}}}}",
    ],
)
def test_a_password_is_never_repeated(text):
    message = _refused(text)
    assert SECRET not in message
    assert message.startswith("my.yaml:")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///var/x.db", "sqlite:///var/x.db"),
        (f"postgresql+psycopg://u:{SECRET}@h:5432/db", "postgresql+psycopg://u:***@h:5432/db"),
        (f"postgresql+psycopg://u:{SECRET}@/:{SECRET}@h/db", "postgresql+psycopg://u:***@h/db"),
        ("postgresql+psycopg://u@h:5432/db", "postgresql+psycopg://u@h:5432/db"),
        (f"postgresql+psycopg:///db?user=u&password={SECRET}&x=1", "postgresql+psycopg:///db?user=u&password=***&x=1"),
    ],
)
def test_an_address_is_shown_masked(url, shown):
    assert masked(url) == shown
    assert repr(Database(url)) == f"Database(url='{shown}')"
    settings = load(None, {}, {"database": {"url": url}})
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)


# ------------------------------------------------------------------ scenarios

STORY = """\
title: x
settings:
  quotes: {validity_days: 10}
  lapse:
    suspended_days: {annual: SUSPENDED}
offerings:
  CAD:
    name: CAD
    prices: {EUR: {annual: "PRICE"}}
promotions:
  - {code: P, percent: "10", offerings: [OFFERING], terms: [annual], from: 2026-05-01, until: 2026-05-31}
"""


def _story(suspended="3", price="730.00", offering="CAD"):
    text = STORY.replace("SUSPENDED", suspended).replace("PRICE", price).replace("OFFERING", offering)
    document = yaml12.load(text, "story.yaml")
    own = {key: document.data[key] for key in ("settings", "offerings", "promotions")}
    return settings_for_scenario(shipped(), **own, document=document)


def test_a_scenario_is_laid_over_the_base():
    settings = _story()
    assert settings.policy.quotes.validity_days == 10
    assert settings.policy.quotes.recipient_limit == 4
    assert settings.policy.lapse.suspended_days == {"monthly": 15, "annual": 3, "three_year": 30}
    assert list(settings.catalogue.offerings) == ["CAD"]
    assert settings.catalogue.promotions[0].code == "P"
    assert settings.catalogue.region_of("CA") == "CA"


def test_a_scenario_that_says_nothing_is_the_base():
    base = load(
        _file('tax: {rates: {EE: [{from: 2024-01-01, rate: "22"}], DE: 19}}\nlapse: {cut_over: {CA: null}}'), {}
    )
    assert settings_for_scenario(base) == base


def test_own_offerings_drop_the_promotions_of_the_base():
    base = load(_file(_promotion()), {})
    assert len(settings_for_scenario(base).catalogue.promotions) == 1
    own = {"A": {"name": "A", "prices": {}}}
    assert settings_for_scenario(base, offerings=own).catalogue.promotions == []


@pytest.mark.parametrize(
    ("change", "path", "line"),
    [
        ({"suspended": "x"}, ("settings", "lapse", "suspended_days", "annual"), 5),
        ({"price": "1.005"}, ("offerings", "CAD", "prices", "EUR", "annual"), 9),
        ({"offering": "CAT"}, ("promotions", 0, "offerings", 0), 11),
    ],
)
def test_a_scenarios_mistake_has_its_path_and_line(change, path, line):
    with pytest.raises(ConfigMistake) as caught:
        _story(**change)
    [problem] = caught.value.problems
    assert problem.path == path
    assert str(caught.value).startswith(f"story.yaml:{line}: {path[0]}")


def test_a_scenario_has_its_own_database():
    with pytest.raises(ConfigMistake, match=r"^scenario: settings\.database: "):
        settings_for_scenario(shipped(), {"database": {"url": "sqlite://"}})
    with pytest.raises(ConfigMistake, match=r"^scenario: settings\.foo: is not a known key"):
        settings_for_scenario(shipped(), {"foo": 1})


def test_time_zones_come_from_the_locked_package():
    import zoneinfo

    assert zoneinfo.TZPATH == ()
