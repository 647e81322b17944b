"""Mail as files: what it says, that it comes once, and that no stored text can do harm in it."""

import email
import os
from datetime import date
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.deadlines import next_event
from app.domain.mail import Mail
from app.domain.policy import Policy
from app.domain.states import State
from app.domain.subscription import Subscription, Term
from app.domain.values import Due, Method, NoticeKind, Reason, TermKind
from app.effects import mail_files, mail_texts
from app.effects.mail_files import MailFiles, file_name
from app.services import delivery
from app.store.engine import open_engine
from tests import factories
from tests.factories import subscription

POLICY = Policy()
EXPIRED = {"state": State.EXPIRED, "reason": Reason.NON_RENEWAL, "lapse_on": date(2026, 6, 9), "auto_renew": False}
ALLOWED = {
    "Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted",
    "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
}  # fmt: skip


def mail(*subs: Subscription, kind: NoticeKind = NoticeKind.EXPIRED, **known: Any) -> Mail:
    """A mail as the outbox makes it: by document, or by subscription, term, kind and day."""
    subs = subs or (subscription(**EXPIRED),)
    values: dict[str, Any] = {
        "recipient": subs[0].purchaser,
        "language": "en",
        "due_on": date(2026, 6, 10),
        "cause": "",
    }
    values |= known
    own = f"{subs[0].ref}/{subs[0].term_number}/{kind}/{values['due_on']}/{values['cause']}"
    values.setdefault("key", f"{kind}/{values['cause']}" if len(subs) > 1 else own)
    return Mail(kind=kind, subscriptions=subs, **values)


def read(written: Mail) -> EmailMessage:
    """The mail as a mail program reads it."""
    return email.message_from_bytes(MailFiles("unused", POLICY).message(written).as_bytes(), policy=default)


def text(written: Mail) -> str:
    return str(read(written).get_content()).replace("\r\n", "\n")


# ---------------------------------------------------------------- the file


def test_one_file(tmp_path: Path) -> None:
    MailFiles(tmp_path / "new" / "outbox", POLICY).send([mail()])
    (file,) = (tmp_path / "new" / "outbox").iterdir()
    assert file.name.startswith("2026-06-10-expired-S1-")
    assert file.suffix == ".eml"
    read_back = email.message_from_bytes(file.read_bytes(), policy=default)
    assert read_back["Subject"] == "S1 has expired"
    assert read_back["From"] == "Perennial <no-reply@perennial.example>"
    assert read_back["To"] == "buyer@noord.example"
    assert read_back["Date"].datetime.isoformat() == "2026-06-10T00:00:00+02:00"
    assert read_back["Auto-Submitted"] == "auto-generated"
    assert set(read_back.keys()) == ALLOWED


def test_the_whole_text() -> None:
    assert text(mail()) == (
        "Hello,\n"
        "\n"
        "You can still work with it for some days, without upgrades and support.\n"
        "\n"
        "S1: Reedmark Drawing, 2 seats, annual\n"
        "- State: expired.\n"
        "- Expired on 9 June 2026.\n"
        "- On 25 June 2026 it is suspended: nobody can work with it from then on.\n"
        "- Renew it, and it works as before.\n"
        "\n"
        "This message was written by a machine; nobody reads answers to it.\n"
    )


def test_a_repeated_mail_is_recognised(tmp_path: Path) -> None:
    outbox = MailFiles(tmp_path, POLICY)
    outbox.send([mail()])
    (first,) = tmp_path.iterdir()
    outbox.send([mail(subscription(**EXPIRED | {"seats": 1}))])
    assert list(tmp_path.iterdir()) == [first]
    assert "1 seat," in first.read_text("utf-8")
    assert read(mail())["Message-ID"] == read(mail(subscription(seats=1)))["Message-ID"]


def test_a_document_keeps_its_file_when_it_lists_less() -> None:
    both = mail(subscription(), subscription(ref="S2"), kind=NoticeKind.QUOTE, cause="quote:12")
    second = mail(subscription(ref="S2"), kind=NoticeKind.QUOTE, cause="quote:12", key=both.key)
    assert file_name(both) == file_name(second)
    assert "-quote-quote-12-" in file_name(both)


@pytest.mark.parametrize(
    "other",
    [
        mail(recipient="other@noord.example"),
        mail(due_on=date(2026, 6, 11)),
        mail(cause="invoice:1"),
        mail(kind=NoticeKind.SUSPENDED),
        mail(subscription(ref="S2")),
    ],
)
def test_another_mail_is_another_file(other: Mail) -> None:
    assert file_name(other) != file_name(mail())
    assert read(other)["Message-ID"] != read(mail())["Message-ID"]


def test_nothing_to_send_makes_no_folder(tmp_path: Path) -> None:
    MailFiles(tmp_path / "outbox", POLICY).send([])
    assert not (tmp_path / "outbox").exists()


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space left"):
        MailFiles(tmp_path, POLICY).send([mail()])
    assert list(tmp_path.iterdir()) == []


def test_a_fault_in_one_leaves_nothing_behind(tmp_path: Path) -> None:
    faulty = mail(kind="no_such_kind")  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        MailFiles(tmp_path, POLICY).send([mail(), faulty])
    assert list(tmp_path.iterdir()) == []


def test_the_sender_can_be_chosen(tmp_path: Path) -> None:
    message = MailFiles(tmp_path, POLICY, Address("Förlag", "post", "vendor.example")).message(mail())
    assert message["From"] == "Förlag <post@vendor.example>"
    assert message["Message-ID"].endswith("@vendor.example>")


def test_it_is_what_the_outbox_hands_over(tmp_path: Path, sqlite_book_url: str) -> None:
    engine = open_engine(sqlite_book_url)
    ctx = factories.make_context(engine)
    factories.buy(ctx, "S1")
    assert delivery.deliver(ctx, MailFiles(tmp_path, ctx.policy)).sent == 1
    assert delivery.deliver(ctx, MailFiles(tmp_path, ctx.policy)).sent == 0
    (file,) = tmp_path.glob("*.eml")
    assert file.name.startswith("2025-06-10-order_confirmation-S1-")
    engine.dispose()


# ---------------------------------------------------------------- what it says


@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("state", [state for state in State if state is not State.NEW])
def test_every_kind_has_a_text_in_every_state(kind: NoticeKind, state: State) -> None:
    reason = Reason.NON_RENEWAL if state in (State.EXPIRED, State.SUSPENDED, State.CANCELED) else None
    term = TermKind.TRIAL if state in (State.TRIAL, State.TRIAL_ENDED) else TermKind.ANNUAL
    sub = subscription(state=state, reason=reason, kind=term)
    message = read(mail(sub, kind=kind))
    assert "S1" in message["Subject"]
    assert "S1: Reedmark Drawing, 2 seats" in message.get_content()
    assert "%(" not in message["Subject"] + message.get_content()


def test_every_vocabulary_is_whole() -> None:
    assert mail_texts.TEXTS.keys() == set(NoticeKind)
    assert mail_texts.STATES.keys() == set(State)
    assert mail_texts.TERMS.keys() == set(TermKind)
    assert mail_texts.NEXT.keys() == set(Due) - {Due.OVERDUE_NOTICE, Due.REMIND}


def test_dates_are_shown_as_d2_says() -> None:
    renewing, expiring = subscription(), subscription(auto_renew=False)
    assert "Renews on 10 June 2026." in text(mail(renewing, due_on=date(2026, 5, 10)))
    assert "Expires on 9 June 2026." in text(mail(expiring, due_on=date(2026, 5, 10)))


def test_the_next_term_counts_once_it_is_bought() -> None:
    term = Term(2, TermKind.ANNUAL, date(2026, 6, 10), date(2027, 6, 9), 2, "REED")
    said = text(mail(subscription(scheduled=term), kind=NoticeKind.RENEWED, due_on=date(2026, 5, 10)))
    assert "Renews on 10 June 2027." in said
    assert "On 10 June 2026 the next term begins; it is already bought." in said
    assert "Nothing has to be done" in said


def test_what_happens_next_is_what_the_jobs_will_do() -> None:
    sub = subscription(auto_renew=False)
    ahead = next_event(sub, POLICY)
    assert ahead is not None
    assert (ahead.due, ahead.on) == (Due.OPEN_WINDOW, date(2026, 3, 11))
    assert "From 11 March 2026 on it can be renewed." in text(mail(sub, kind=NoticeKind.ORDER_CONFIRMATION))


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (EXPIRED, "Renew it, and it works as before."),
        (EXPIRED | {"reason": Reason.PAYMENT_FAILED}, "Change the payment method"),
        (EXPIRED | {"reason": Reason.NON_PAYMENT}, "Pay the invoices that are past due"),
        ({"state": State.CANCELED, "reason": Reason.NON_RENEWAL}, "buy a new subscription"),
        ({"state": State.RETURNED}, "buy a new subscription"),
        ({"state": State.TRIAL, "kind": TermKind.TRIAL}, "with the same e-mail address"),
        ({"state": State.RENEWABLE, "auto_renew": False}, "Renew it now, or switch automatic renewal on."),
        ({"state": State.RENEWABLE, "auto_renew": False, "method": Method.KONBINI}, "Renew it now."),
        ({"state": State.ACTIVE, "auto_renew": False}, "Renew it once that is possible."),
        ({"state": State.RENEWABLE}, "Automatic renewal can be switched off"),
    ],
)
def test_what_the_customer_can_do(known: dict[str, Any], said: str) -> None:
    assert said in " ".join(text(mail(subscription(**known))).split())


def test_a_converted_trial_asks_for_nothing() -> None:
    sub = subscription(state=State.TRIAL_ENDED, kind=TermKind.TRIAL, converted=True)
    assert "Buy it" not in text(mail(sub, kind=NoticeKind.TRIAL_ENDED))


def test_a_user_is_told_nothing_of_the_contract() -> None:
    said = text(mail(subscription(), kind=NoticeKind.USER_REMOVED, recipient="user@noord.example"))
    assert "Renews" not in said
    assert "State" not in said


def test_several_subscriptions_are_one_mail() -> None:
    subs = [subscription(ref=f"S{n}") for n in (1, 2, 3)]
    message = read(mail(*subs, kind=NoticeKind.INVOICE, cause="invoice:7"))
    assert message["Subject"] == "Invoice for S1 and 2 more"
    assert [line[:3] for line in message.get_content().splitlines() if "Reedmark" in line] == ["S1:", "S2:", "S3:"]


@pytest.mark.parametrize("language", ["nl", "nb", "de", "xx", "../en", ""])
def test_what_is_not_translated_is_english(language: str) -> None:
    assert read(mail(language=language))["Subject"] == "S1 has expired"


def test_a_catalogue_is_a_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`locale/nl/LC_MESSAGES/mail.mo` is all that a language needs."""
    said = {
        "%(about)s has expired": "%(about)s is verlopen",
        "June": "juni",
        "Expired on %(day)s.": "Verlopen op %(day)s.",
    }
    folder = tmp_path / "locale" / "nl" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "mail.mo").write_bytes(_compiled(said))
    templates = mail_files._HERE / "templates"
    (tmp_path / "templates").symlink_to(templates)
    monkeypatch.setattr(mail_files, "_HERE", tmp_path)
    mail_files._language.cache_clear()
    mail_files._environment.cache_clear()
    try:
        message = read(mail(language="nl"))
    finally:
        mail_files._language.cache_clear()
        mail_files._environment.cache_clear()
    assert message["Subject"] == "S1 is verlopen"
    assert "- Verlopen op 9 juni 2026." in message.get_content()
    assert "Hello," in message.get_content()


def _compiled(messages: dict[str, str]) -> bytes:
    """A catalogue in the form of GNU gettext's .mo files."""
    import struct

    pairs = sorted({"": "Content-Type: text/plain; charset=UTF-8\n", **messages}.items())
    start = 28 + 16 * len(pairs)
    tables, texts = [b"", b""], b""
    for side in (0, 1):
        for pair in pairs:
            raw = pair[side].encode()
            tables[side] += struct.pack("<II", len(raw), start + len(texts))
            texts += raw + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    return head + tables[0] + tables[1] + texts


# ---------------------------------------------------------------- hostile data


HOSTILE = [
    "x@y.example\r\nBcc: thief@evil.example",
    "x@y.example\nSubject: other\n\nother text",
    "a@b.example, thief@evil.example",
    "thief@evil.example>, <x@y.example",
    '"x" <thief@evil.example>',
    "x@y.example\u2028Bcc: thief@evil.example",
    "x@y.example\x85Bcc: thief@evil.example",
    "\u202egro.live@feiht",
    "kjøper@nørd.example",
    "not an address",
    "@", "x@", "@y", "", "\0", "'; DROP TABLE notice; --",
    "=?utf-8?q?x=0D=0ABcc=3A_thief=40evil.example?=@y.example",
    "=?utf-8?q?x=0D=0ABcc=3A_thief=40evil.example?=",
    "=?utf-8?b?eA0KQmNjOiB0aGllZkBldmlsLmV4YW1wbGU=?=",
    "=" "=?utf-8?q??=" "?utf-8?q?x=0D=0ABcc=3A_thief=40evil.example?=",
    "group: a@b.example;",
    "..@y.example", "a..b@y.example", "a@y..example", "a@[127.0.0.1]", "a b@y.example", '"a b"@y.example',
    "a" * 5000 + "@y.example",
    "x@" + "y" * 5000,
    "\ud800@y.example",
    "../../etc/passwd",
    "{{ 7 * 7 }}%(about)s%s",
]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_address_is_one_address(hostile: str, tmp_path: Path) -> None:
    MailFiles(tmp_path, POLICY).send([mail(recipient=hostile)])
    _is_harmless(tmp_path)


@pytest.mark.parametrize("usual", ["o'neil+tag@mail.noord.example", "kjøper@nørd.example", "a_b-c.d@x-y.example"])
def test_a_usual_address_stays_as_it_is(usual: str) -> None:
    shown = read(mail(recipient=usual))["To"].addresses[0].addr_spec
    assert shown.encode(errors="surrogateescape").decode() == usual


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_reference_or_name_is_text(hostile: str, tmp_path: Path) -> None:
    sub = subscription(ref=hostile, **EXPIRED)
    MailFiles(tmp_path, POLICY).send([mail(sub)])
    message = _is_harmless(tmp_path)
    lines = message.get_content().splitlines()
    assert lines[2:4] == ["You can still work with it for some days, without upgrades and support.", ""]
    assert lines[-2:] == ["", "This message was written by a machine; nobody reads answers to it."]
    assert "49" not in message.get_content()


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=20))
def test_any_text_is_harmless(
    tmp_path_factory: pytest.TempPathFactory, recipient: str, ref: str, language: str
) -> None:
    folder = tmp_path_factory.mktemp("outbox")
    MailFiles(folder, POLICY).send([mail(subscription(ref=ref, **EXPIRED), recipient=recipient, language=language)])
    _is_harmless(folder)


def _is_harmless(folder: Path) -> EmailMessage:
    (file,) = folder.iterdir()
    assert file.name.isascii()
    assert set(file.name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    assert len(file.name) <= 120
    written = file.read_bytes()
    assert max(len(line) for line in written.split(b"\r\n")) <= 998
    assert b"\n" not in written.replace(b"\r\n", b"")
    message = email.message_from_bytes(written, policy=default)
    assert isinstance(message, EmailMessage)
    assert set(message.keys()) == ALLOWED
    assert len(message.keys()) == len(ALLOWED)
    assert len(message["To"].addresses) == 1
    assert message["To"].addresses[0].domain != "evil.example"
    assert not message.is_multipart()
    return message
