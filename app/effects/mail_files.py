"""Mail for people who have no mail server: each one a file that every mail program opens."""

from __future__ import annotations

import gettext
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.domain.calendar import ONE_DAY, day_start, zone
from app.domain.deadlines import next_event
from app.domain.mail import Mail
from app.domain.policy import Policy
from app.domain.states import FINAL, LIVE
from app.domain.subscription import Subscription
from app.domain.values import NoticeKind
from app.effects import mail_texts

SENDER = Address("Perennial", "no-reply", "perennial.example")
_HERE = Path(__file__).parent
_USABLE = re.compile(r"(?P<local>[\w!#$%&'*+/^`{|}~-]+(\.[\w!#$%&'*+/^`{|}~-]+)*)@(?P<domain>[\w-]+(\.[\w-]+)+)")
"""No `=` and `?`: the library would decode an encoded word, a line break in it included."""
_UNSAFE = re.compile(r"[^A-Za-z0-9]+")


class MailFiles:
    """Writes each mail as an `.eml` file into a folder. A mail that comes again replaces its own file (J4)."""

    def __init__(self, folder: str | Path, policy: Policy, sender: Address = SENDER) -> None:
        self._folder = Path(folder)
        self._policy = policy
        self._sender = sender

    def send(self, mails: Sequence[Mail]) -> None:
        """All are written out before the first file is, so that a fault in one leaves nothing behind."""
        if not mails:
            return
        files = [(file_name(mail), self.message(mail).as_bytes()) for mail in mails]
        self._folder.mkdir(parents=True, exist_ok=True)
        for name, content in files:
            self._write(name, content)

    def message(self, mail: Mail) -> EmailMessage:
        """The mail as it goes out. Nothing stored can add a header, a recipient or a line of its own to it."""
        recipient = _address(mail.recipient)
        message = EmailMessage(SMTP if recipient.addr_spec.isascii() else SMTPUTF8)
        page = _Page(mail, self._policy)
        message["Subject"] = page.subject()
        message["From"] = self._sender
        message["To"] = recipient
        message["Date"] = _midnight(mail)
        message["Message-ID"] = f"<{_identity(mail)}@{self._sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(page.text())
        return message

    def _write(self, name: str, content: bytes) -> None:
        """Whole or not at all, whenever the machine stops."""
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".", suffix=".tmp", delete=False) as file:
            try:
                file.write(content)
                file.flush()
                os.replace(file.name, self._folder / name)
            except BaseException:
                os.unlink(file.name)
                raise


def file_name(mail: Mail) -> str:
    """`2026-06-10-expired-S1-0123456789ab.eml`: one for each mail and recipient, ever.

    A mail about a document is named after it: which subscriptions it lists may change until it is sent.
    """
    ref = mail.subscriptions[0].ref
    about = ref if mail.key.startswith(f"{ref}/") else mail.cause
    shown = _UNSAFE.sub("-", about)[:40].strip("-") or "mail"
    return f"{mail.due_on}-{mail.kind}-{shown}-{_identity(mail)[:12]}.eml"


def _identity(mail: Mail) -> str:
    """The same for the same mail to the same recipient, so that a repeated one is recognised."""
    return hashlib.sha256(f"{mail.key}\0{mail.recipient}".encode(errors="backslashreplace")).hexdigest()[:32]


def _midnight(mail: Mail) -> datetime:
    """When the day it was due on began, as the clocks of the subscription's zone show it."""
    name = mail.subscriptions[0].zone
    return day_start(mail.due_on, name).astimezone(zone(name))


def _address(written: str) -> Address:
    """Exactly one address, whatever is written; one that is none, or a strange one, is shown where no mail goes."""
    usable = _USABLE.fullmatch(written.strip())
    if usable is None or len(written) > 254 or len(usable["local"]) > 64:
        return Address(username=_UNSAFE.sub("-", written)[:60].strip("-") or "nobody", domain="unusable.invalid")
    return Address(username=usable["local"], domain=usable["domain"])


def _one_line(text: str, limit: int = 80) -> str:
    """Stored text as one line of printable characters, without words that a mail program would decode."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    line = " ".join(printable.replace("=?", "= ?").split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


# ---------------------------------------------------------------- what it says


class _Shown(NamedTuple):
    """A subscription as a mail shows it."""

    ref: str
    offering: str
    seats: int
    term: str
    facts: list[str]


class _Page:
    """Subject and text of one mail in its recipient's language."""

    def __init__(self, mail: Mail, policy: Policy) -> None:
        self._mail = mail
        self._policy = policy
        self._language = _language(mail.language)
        self._say = self._language.gettext

    def subject(self) -> str:
        return self._about(mail_texts.TEXTS[self._mail.kind].subject)

    def text(self) -> str:
        body = self._about(mail_texts.TEXTS[self._mail.kind].body)
        subscriptions = [self._shown(sub) for sub in self._mail.subscriptions]
        template = _environment(self._mail.language).get_template("mail.txt")
        return template.render(body=body, subscriptions=subscriptions)

    def _about(self, text: str) -> str:
        """A text with the name of the subscription, or of the first of several."""
        first, *others = self._mail.subscriptions
        about = _one_line(first.ref, 40)
        if others:
            more = self._language.ngettext("%(first)s and %(count)d more", "%(first)s and %(count)d more", len(others))
            about = more % {"first": about, "count": len(others)}
        return self._say(text) % {"about": about}

    def _shown(self, sub: Subscription) -> _Shown:
        term = self._say(mail_texts.TERMS[sub.kind])
        is_theirs = self._mail.kind is not NoticeKind.USER_REMOVED
        facts = list(self._facts(sub)) if is_theirs else []
        return _Shown(_one_line(sub.ref), _one_line(sub.offering.name), sub.seats, term, facts)

    def _facts(self, sub: Subscription) -> Iterator[str]:
        yield self._say("State: %(state)s.") % {"state": self._say(mail_texts.STATES[sub.state])}
        if sub.state not in FINAL:
            yield self._end(sub)
        ahead = next_event(sub, self._policy)
        if ahead is not None:
            yield self._say(mail_texts.NEXT[ahead.due]) % {"day": self._day(ahead.on)}
        way = mail_texts.way(sub)
        if way is not None:
            yield self._say(way)

    def _end(self, sub: Subscription) -> str:
        """R of the last term bought where it renews by itself, E where it does not (D2)."""
        last = sub.scheduled.ends_on if sub.scheduled else sub.ends_on
        if sub.auto_renew and sub.state in LIVE:
            return self._say("Renews on %(day)s.") % {"day": self._day(last + ONE_DAY)}
        is_over = last < self._mail.due_on
        return self._say("Expired on %(day)s." if is_over else "Expires on %(day)s.") % {"day": self._day(last)}

    def _day(self, day: date) -> str:
        """`9 June 2026`. The month is a message of its own."""
        return f"{day.day} {self._say(mail_texts.MONTHS[day.month - 1])} {day.year}"


@lru_cache(maxsize=16)
def _language(code: str) -> gettext.NullTranslations:
    """What is translated into a language; nothing where there is no catalogue of it."""
    is_code = re.fullmatch(r"[a-z]{2,3}", code)
    return gettext.translation("mail", _HERE / "locale", [code] if is_code else [], fallback=True)


@lru_cache(maxsize=16)
def _environment(code: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        extensions=["jinja2.ext.i18n"],
        autoescape=False,  # plain text
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.install_gettext_translations(_language(code), newstyle=True)  # type: ignore[attr-defined]
    return environment
