"""What an office receives."""

import re
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given

from connectors.mail.content import write
from connectors.mail.message import begin, compose
from connectors.mail.sanitise import one_line
from connectors.notice import Notice
from routing.assignment import Event
from routing.facts import Reason
from routing.failures import Cause, Failure
from tests.connectors.mail.samples import (
    AT,
    FILED,
    OTHER_OFFICE,
    RECIPIENT,
    SENDER,
    Words,
    any_notice,
    any_text,
    body,
    mail,
    notice,
    parsed,
)

GOLDEN = Path(__file__).parent / "golden"
HEADERS = [
    *("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"),
    *("X-WIF-Unit", "X-WIF-Event", "X-WIF-Dossier", "X-WIF-Permit-Type", "X-WIF-Department"),
    *("List-Id", "References"),
    *("Auto-Submitted", "X-Auto-Response-Suppress", "Content-Language"),
]


def test_the_subject_names_dossier_permit_type_and_department() -> None:
    assert parsed(mail())["Subject"] == (
        "[WIF] Nouveau dossier n° 1234567 – Contrat d’apprentissage – 75 – Paris"
    )


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_both_parts_say_why_when_and_where(kind: str) -> None:
    text = " ".join(body(mail(), kind).split())

    assert "1234567" in text
    assert "UD075" in text
    assert "Le département du titre de séjour désigne l’unité compétente (R5221-15)." in text
    assert "n’est pas celui du formulaire utilisé" in text
    assert "1er septembre 2018 à 14 h 03 (heure de Paris)" in text
    assert "https://tps.example/procedures/3272/dossiers/1234567" in text


def test_a_winter_date_is_told_in_winter_time() -> None:
    text = body(mail(filed_at=datetime(2018, 12, 31, 23, 30, tzinfo=UTC)), "plain")

    assert "1er janvier 2019 à 00\u00a0h\u00a030 (heure de Paris)" in text


@pytest.mark.parametrize(
    ("event", "introduced"),
    [(Event.REASSIGNED_TO, "Service précédent"), (Event.REASSIGNED_FROM, "Nouveau service")],
)
@pytest.mark.parametrize("kind", ["plain", "html"])
def test_a_reassignment_names_the_other_office(event: Event, introduced: str, kind: str) -> None:
    text = body(mail(event=event, counterpart=OTHER_OFFICE), kind)

    assert introduced in text
    assert "UD093 – Unité départementale de Seine-Saint-Denis" in text


def test_the_fallback_unit_reads_that_nobody_was_found() -> None:
    message = mail(routed=False, department=None, department_name=None, rule_why=None)

    assert str(parsed(message)["Subject"]).startswith("[WIF] Dossier à orienter n° 1234567")
    assert "Aucun service compétent n’a pu être déterminé" in body(message, "plain")
    assert "Département non déterminé" in body(message, "html")


@pytest.mark.parametrize("event", Event)
def test_every_event_has_a_subject_of_its_own(event: Event) -> None:
    others = {parsed(mail(event=other))["Subject"] for other in Event if other is not event}

    assert parsed(mail(event=event))["Subject"] not in others


def test_no_reasons_and_no_rule_leave_no_empty_heading() -> None:
    message = mail(rule_why=None, reasons=())

    assert "Pourquoi" not in body(message, "plain")
    assert "Pourquoi" not in body(message, "html")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "javascript:alert(1)",
        "//tps.example/1",
        "https://user:secret@tps.example/1",
        "https://[tps.example/1",
        "https:///1",
        "https://tps.example/" + "a" * 1000,
    ],
)
def test_an_address_that_is_no_web_address_is_left_out(address: str) -> None:
    message = mail(dossier_url=address)

    assert not Words(body(message, "html")).links
    assert "Ouvrir le dossier" not in body(message, "plain")


def test_the_message_asks_for_no_automatic_answer_but_failure_reports() -> None:
    message = parsed(mail())

    assert message["Auto-Submitted"] == "auto-generated"
    assert "NDR" not in message["X-Auto-Response-Suppress"]
    assert message["Precedence"] is None


def test_the_message_id_depends_on_the_key_and_on_nothing_else() -> None:
    again = mail(number=7, unit_name="Autre", event=Event.LATE)
    other = mail(key="3272/1234567/filed/UD075/email/1")

    assert mail().message_id == again.message_id != other.message_id
    assert re.fullmatch(r"<wif\.[0-9a-f]{40}@wif\.example>", mail().message_id)
    assert parsed(mail())["Message-ID"] == mail().message_id


@pytest.mark.parametrize("domain", ["wif.example", "workinfrance.example", f"{'x' * 40}.example"])
def test_the_message_id_stands_on_one_line_whatever_the_domain(domain: str) -> None:
    sender = f"Work In France <ne-pas-repondre@{domain}>"
    content = compose(notice(), sender=sender, recipient=RECIPIENT, at=AT).content

    assert re.search(rb"\r\nMessage-ID: <wif\.[0-9a-f]{40}@%b>\r\n" % domain.encode(), content)


@given(any_text, any_text)
def test_two_keys_have_one_message_id_only_when_they_are_the_same(one: str, two: str) -> None:
    ids = [
        compose(notice(key=key), sender=SENDER, recipient=RECIPIENT, at=AT) for key in (one, two)
    ]

    assert (ids[0].message_id == ids[1].message_id) == (one == two)


def test_all_mails_about_one_dossier_to_a_unit_are_one_conversation() -> None:
    def conversation(told: Notice) -> str | None:
        message = compose(told, sender=SENDER, recipient=RECIPIENT, at=AT).message
        return str(message["References"]) if "References" in message else None

    late, other = notice(event=Event.LATE), notice(event=Event.LATE, number=7654321)
    first = conversation(FILED)

    assert first is not None
    assert conversation(notice(event=Event.REASSIGNED_FROM, key="another")) == first
    assert conversation(replace(late, procedure=0, number=0, carried=(late,))) == first
    assert conversation(replace(late, procedure=0, number=0, carried=(late, other))) is None
    assert conversation(other) != first
    assert conversation(notice(unit="UD093")) != first


def test_a_repeated_attempt_differs_in_its_date_only() -> None:
    def attempt(at: datetime) -> bytes:
        return compose(FILED, sender=SENDER, recipient=RECIPIENT, at=at).content

    first, second = (attempt(at).split(b"\r\n") for at in (AT, AT + timedelta(hours=5)))

    assert [line for line in first if line not in second] == [
        b"Date: Mon, 03 Sep 2018 09:00:00 +0200"
    ]


@pytest.mark.parametrize(
    "wrong", ["", "moe", "a@x.example, b@x.example", "a@x\r\nBcc: b@y.example"]
)
def test_a_recipient_that_is_no_mailbox_is_a_permanent_failure(wrong: str) -> None:
    with pytest.raises(Failure) as caught:
        compose(FILED, sender=SENDER, recipient=wrong, at=AT)

    assert caught.value.cause is Cause.MAIL_RECIPIENT_REFUSED
    assert caught.value.__context__ is None


def test_a_sender_that_is_no_mailbox_is_a_failure_of_our_settings() -> None:
    with pytest.raises(Failure) as caught:
        compose(FILED, sender="Work In France", recipient=RECIPIENT, at=AT)

    assert caught.value.cause is Cause.MAIL_SENDER_REFUSED


def test_names_that_need_quotes_or_encoding_arrive_as_they_were_written() -> None:
    sender = '"Île-de-France, « MOE »" <wif@wif.example>'

    from_header = parsed(compose(FILED, sender=sender, recipient=RECIPIENT, at=AT))["From"]

    assert from_header.addresses[0].display_name == "Île-de-France, « MOE »"
    assert from_header.addresses[0].addr_spec == "wif@wif.example"


def test_an_address_beyond_ascii_is_written_in_utf8() -> None:
    message = compose(FILED, sender=SENDER, recipient="hôtel@ud75.example", at=AT)

    assert b"To: h\xc3\xb4tel@ud75.example\r\n" in message.content
    assert message.recipient == "hôtel@ud75.example"


@given(any_notice)
def test_no_configured_text_can_add_a_header_or_break_the_message(told: Notice) -> None:
    message = compose(told, sender=SENDER, recipient=RECIPIENT, at=AT)

    raw = message.content
    received = parsed(message)

    assert received.keys() == HEADERS
    assert not received.defects
    assert received["Subject"] == write(told).subject
    assert received["Message-ID"] == message.message_id
    assert received["To"].addresses[0].addr_spec == RECIPIENT
    assert received["X-WIF-Unit"] == (one_line(told.unit, longest=32) or "unknown")
    assert str(told.number) in received["Subject"]
    assert received["X-WIF-Dossier"] == f"{told.procedure}/{told.number}"
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert received.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in received.iter_parts()] == [
        "text/plain",
        "text/html",
    ]


@given(any_text)
def test_any_sender_is_one_sender_or_refused(sender: str) -> None:
    try:
        message = compose(FILED, sender=f"{sender} <wif@wif.example>", recipient=RECIPIENT, at=AT)
    except Failure:
        return

    received = parsed(message)
    assert received.keys() == HEADERS
    assert [found.addr_spec for found in received["From"].addresses] == ["wif@wif.example"]


def test_a_notice_has_no_field_for_anything_personal() -> None:
    """A new field has to be thought over: it reaches every mailbox and its backups."""
    assert [field.name for field in fields(Notice)] == [
        *("event", "procedure", "number", "unit", "unit_name", "permit_type", "permit_label"),
        *("department", "department_name", "filed_at", "rule_why", "reasons", "routed"),
        *("counterpart", "dossier_url", "key", "form_name", "moved_why", "contact", "prefix"),
        *("decided_at", "carried", "placement"),
    ]


def test_a_naive_date_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        notice(filed_at=datetime(2018, 9, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("filed", FILED),
        (
            "reassigned-to",
            notice(
                event=Event.REASSIGNED_TO,
                counterpart=OTHER_OFFICE,
                reasons=(Reason.PINNED, Reason.SUCCESSOR_UNIT),
                key="3272/1234567/reassigned-to/UD075/email/1",
            ),
        ),
        (
            "unrouted",
            notice(
                routed=False,
                permit_type=None,
                permit_label=None,
                department=None,
                department_name=None,
                rule_why=None,
                reasons=(Reason.DEPARTMENT_MISSING, Reason.PERMIT_TYPE_UNKNOWN),
            ),
        ),
    ],
)
def test_the_mail_is_the_one_on_record(name: str, told: Notice) -> None:
    """A change of wording or layout shows here, to be looked at and recorded anew."""
    composed = compose(told, sender=SENDER, recipient=RECIPIENT, at=AT).content

    assert composed == (GOLDEN / f"{name}.eml").read_bytes()


def test_a_long_subject_with_accents_and_double_blanks_survives() -> None:
    subject = "Dossier  n° 1 – Étudiant   préfecture  de la Réunion " * 4
    envelope = begin(sender=SENDER, recipient=RECIPIENT, subject=subject, key="k", label="x", at=AT)
    envelope.message.set_content("x")

    assert parsed(envelope)["Subject"] == subject
    assert max(map(len, envelope.content.split(b"\r\n"))) <= 78


@pytest.mark.parametrize("contact", [None, "Cellule nationale, 01 00 00 00 00"])
def test_the_fallback_unit_reads_what_to_do_and_whom_to_ask(contact: str | None) -> None:
    message = parsed(mail(routed=False, contact=contact))
    named = f" ({contact})" if contact else ""
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert body is not None
        said = " ".join(body.get_content().split())
        assert f"l’administrateur des règles d’aiguillage{named}, en donnant" in said
        assert "{whom}" not in said


def test_an_office_reads_the_form_s_name_why_it_was_moved_and_whom_to_ask() -> None:
    told = mail(
        event=Event.REASSIGNED_TO,
        counterpart=OTHER_OFFICE,
        form_name="Autorisation provisoire de travail",
        moved_why="déménagement",
        contact="Cellule nationale, 01 00 00 00 00",
        prefix="[Essai]",
    )
    message = parsed(told)
    assert str(message["Subject"]).startswith("[Essai] Dossier réaffecté")
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert body is not None
        said = body.get_content()
        assert "Autorisation provisoire de travail (n°\u00a03272)" in said
        assert "déménagement" in said
        assert "Contact : Cellule nationale" in said


def test_an_encoded_line_break_in_a_header_begins_no_line() -> None:
    envelope = begin(sender=SENDER, recipient=RECIPIENT, subject="s", key="k", label="x", at=AT)
    envelope.message["X-Note"] = "=?utf-8?q?a=0D=0ABcc:_x@wif.example?="
    envelope.message.set_content("x")

    assert parsed(envelope)["Bcc"] is None
