"""Settings: the shipped figures, then the operator's `config.yaml`, the environment and the command line.

Everything is validated here, once, into plain frozen dataclasses; what lies below never sees YAML. Every
mistake is a `ConfigMistake` of one line each, with the place, the key and what is allowed, and no password.
"""

from __future__ import annotations

import json
import pathlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import cache
from typing import Any, ClassVar, Literal

from pydantic import TypeAdapter, ValidationError

from app import yaml12
from app.config_checks import check
from app.config_layers import CONFIG, ConfigMistake, Layer, Layers, environment
from app.domain.catalogue import Catalogue, Offering, Promotion
from app.domain.policy import (
    AutoRenew,
    Billing,
    Bulk,
    Count,
    Lapse,
    Notices,
    Orders,
    Policy,
    Proration,
    Quotes,
    Returns,
    Tax,
    Trials,
    Window,
)
from app.domain.values import Region
from app.explain import Origin, Path, Problem, holds, json_schema, problems

__all__ = [
    "ConfigMistake",
    "Daemon",
    "Database",
    "Defaults",
    "Settings",
    "load",
    "masked",
    "settings_for_scenario",
    "shipped",
]

SHIPPED = pathlib.Path(__file__).parent / "shipped.yaml"
"""Our own copy of `config.yaml`: what an operator changes there must not change where a scenario starts."""
LOCAL = pathlib.Path("config.yaml")
_STRICT: dict[str, Any] = {"extra": "forbid"}


def masked(url: str) -> str:
    """A database address as it may be shown: `***` for the password before the host or in a parameter."""
    url = re.sub(r"(://[^:/@]*:).*@", r"\1***@", url, flags=re.DOTALL)
    return re.sub(r"([?&][^=&]*(?:pass|secret|token|key)[^=&]*=)[^&]*", r"\1***", url, flags=re.IGNORECASE)


@dataclass(frozen=True, slots=True, repr=False)
class Database:
    """Where everything is kept. A relative path of SQLite is relative to the current directory."""

    __pydantic_config__: ClassVar = _STRICT
    url: str = "sqlite:///var/perennial.db"

    def __repr__(self) -> str:
        return f"Database(url={masked(self.url)!r})"


@dataclass(frozen=True, slots=True)
class Daemon:
    """How the work is done: rows in a page, seconds between heartbeats and deliveries, minutes until a row
    that was set aside is tried again (J5), and the folder of mail that is written instead of sent."""

    __pydantic_config__: ClassVar = _STRICT
    page_size: Count = 1000
    heartbeat_seconds: Count = 30
    deliver_seconds: Count = 60
    retry_stuck_minutes: Count = 15
    outbox_folder: str = "var/outbox"


@dataclass(frozen=True, slots=True)
class Defaults:
    """For customers that name none of their own: time zone (D1), currency and language (W5)."""

    __pydantic_config__: ClassVar = _STRICT
    timezone: str = "UTC"
    currency: str = "EUR"
    language: Literal["en", "nl", "nb", "de"] = "en"


@dataclass(frozen=True, slots=True)
class Settings:
    """All that can be set. `source` says in a word where it comes from."""

    policy: Policy = field(default_factory=Policy)
    catalogue: Catalogue = field(default_factory=Catalogue)
    database: Database = field(default_factory=Database)
    daemon: Daemon = field(default_factory=Daemon)
    defaults: Defaults = field(default_factory=Defaults)
    source: str = "built-in defaults"


@dataclass(frozen=True, slots=True)
class _File:
    """The keys at the top of `config.yaml`."""

    __pydantic_config__: ClassVar = _STRICT
    database: Database
    daemon: Daemon
    defaults: Defaults
    window: Window
    lapse: Lapse
    notices: Notices
    auto_renew: AutoRenew
    bulk: Bulk
    quotes: Quotes
    proration: Proration
    billing: Billing
    returns: Returns
    trials: Trials
    orders: Orders
    tax: Tax
    regions: dict[Region, list[str]]
    offerings: dict[str, Offering]
    promotions: list[Promotion]

    def part(self, kind: type[Any]) -> dict[str, Any]:
        """The keys that `kind` holds."""
        return {each.name: getattr(self, each.name) for each in fields(kind) if hasattr(self, each.name)}


_FILE = TypeAdapter(_File)


@cache
def _schema() -> dict[str, Any]:
    return json_schema(_FILE)


# ------------------------------------------------------------------ loading


def load(path: pathlib.Path | None, environ: Mapping[str, str], overlay: dict[str, Any] | None = None) -> Settings:
    """The settings of this installation; `overlay` is what the command line says, under the same keys.

    `path`, else the variable PERENNIAL_CONFIG, names the file and it must exist; without a name
    `./config.yaml` is read if there is one. What a file leaves out is as shipped, but its `offerings` are the
    whole catalogue. Raises ConfigMistake.
    """
    layers = [_layer(SHIPPED)]
    file = _operators_file(path, environ)
    if file:
        own = _layer(file)
        layers = [_without_catalogue(layers[0], own.data), own]
    layers += environment(environ, Layers(layers).data, _schema())
    if overlay:
        layers.append(Layer(overlay, lambda _: "command line"))
    return _settings(Layers(layers), str(file) if file else "shipped defaults")


def shipped() -> Settings:
    """What scenarios start from: no environment, no operator's file."""
    return _settings(Layers([_layer(SHIPPED)]), "shipped defaults")


def settings_for_scenario(
    base: Settings,
    settings: dict[str, Any] | None = None,
    offerings: dict[str, Any] | None = None,
    promotions: list[Any] | None = None,
    document: yaml12.Document | None = None,
) -> Settings:
    """`base` with a scenario's `settings`, `offerings` and `promotions` (its own data, not validated yet).

    Maps are merged by key and lists replaced; `offerings` replace the catalogue and, with it, its promotions.
    Raises ConfigMistake: its problems carry paths from the top of the scenario (`settings`, `window`, …), its
    text the scenario's lines when its `document` is given.
    """
    own = {"offerings": offerings, "promotions": promotions}
    over = (settings or {}) | {key: value for key, value in own.items() if value is not None}
    try:
        if "database" in over:
            refused = Problem(("database",), "a scenario is played on a database of its own")
            raise ConfigMistake([], [refused])
        below = _without_catalogue(Layer(_dumped(base), lambda _: base.source), over)
        return _settings(Layers([below, Layer(over, lambda _: "scenario")]), base.source)
    except ConfigMistake as mistake:
        raise _in_scenario(mistake, own, document) from None


def _in_scenario(mistake: ConfigMistake, own: dict[str, Any], document: yaml12.Document | None) -> ConfigMistake:
    """The same mistake, with the paths and lines of the scenario."""
    found = [
        each if own.get(str(each.path[0])) is not None else replace(each, path=("settings", *each.path))
        for each in mistake.problems
    ]
    return _mistake(found, document.where if document else lambda _: "scenario")


def _mistake(found: list[Problem], where: Callable[[Path], str]) -> ConfigMistake:
    return ConfigMistake([each.line(where(each.path)) for each in found], found)


def _operators_file(path: pathlib.Path | None, environ: Mapping[str, str]) -> pathlib.Path | None:
    named = path or environ.get(CONFIG)
    if named:
        return pathlib.Path(named)
    return LOCAL if LOCAL.exists() else None


def _layer(file: pathlib.Path) -> Layer:
    try:
        document = yaml12.read(file)
    except yaml12.YamlMistake as mistake:
        raise ConfigMistake([str(mistake)]) from None
    return Layer(document.data, document.where)


def _without_catalogue(below: Layer, over: Any) -> Layer:
    """The layer below one that brings a catalogue of its own: the two are not mixed."""
    if not holds(over, "offerings"):
        return below
    return Layer(below.data | {"offerings": {}, "promotions": []}, below.where)


# ------------------------------------------------------------------ validating


def _settings(origin: Origin, source: str) -> Settings:
    """Validated settings. JSON in strict mode takes "19" for a decimal and a day, but true for no number."""
    text = json.dumps(_long_form(origin.data), default=str)
    try:
        file = _FILE.validate_json(text, strict=True)
    except ValidationError as error:
        raise _mistake(problems(error, origin.data, _FILE), origin.where) from None
    settings = Settings(
        policy=_sorted(Policy(**file.part(Policy))),
        catalogue=Catalogue(**file.part(Catalogue)),
        source=source,
        **file.part(Settings),
    )
    if found := check(settings.policy, settings.catalogue, settings.database.url, settings.defaults):
        raise _mistake(found, origin.where)
    return settings


def _dumped(settings: Settings) -> dict[str, Any]:
    """Settings as the data they could have been read from."""
    parts = (settings, settings.policy, settings.catalogue)
    values = {each.name: getattr(part, each.name) for part in parts for each in fields(part)}
    file = _File(**{each.name: values[each.name] for each in fields(_File)})
    return dict(_FILE.dump_python(file, mode="json", by_alias=True))


def _long_form(data: Any) -> Any:
    """Data without short forms: null takes an entry away (maps are merged), and one rate holds for ever."""
    for path in (("lapse", "cut_over"), ("quotes", "method_limit"), ("tax", "rates")):
        data = _changed(data, path, lambda entries: {k: v for k, v in entries.items() if v is not None})
    return _changed(data, ("tax", "rates"), lambda rates: {k: _dated(v) for k, v in rates.items()})


def _changed(data: Any, path: tuple[str, ...], change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """Data with the map at a path changed; what is no map is left to the validation."""
    if not path:
        return change(data) if isinstance(data, dict) else data
    key, *rest = path
    return data | {key: _changed(data[key], tuple(rest), change)} if holds(data, key) else data


def _dated(rate: Any) -> Any:
    is_single = isinstance(rate, str | int) and not isinstance(rate, bool)
    return [{"from": date.min.isoformat(), "rate": rate}] if is_single else rate


def _sorted(policy: Policy) -> Policy:
    """Days and rates in the order in which they come, however they were written."""
    rates = policy.tax.rates.items()
    by_start = {country: sorted(dated, key=lambda rate: rate.start) for country, dated in rates}
    reminders = sorted(policy.notices.reminder_days, reverse=True)
    return replace(
        policy,
        notices=replace(policy.notices, reminder_days=reminders),
        auto_renew=replace(policy.auto_renew, retry_days=sorted(policy.auto_renew.retry_days)),
        tax=replace(policy.tax, rates=by_start),
    )
