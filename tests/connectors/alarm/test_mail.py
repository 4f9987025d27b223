"""The mail of an incident: what, since when, what to do; the same id at every attempt."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connectors.alarm.mail import compose_alarm
from connectors.alarm.meanings import MEANINGS
from connectors.alarm.notice import Alarm
from routing.failures import Cause, Failure
from routing.incidents import IncidentKind
from tests.connectors.mail.samples import parsed

NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
SENDER = "Work In France <ne-pas-repondre@wif.example>"
OPS = "exploitation@wif.example"
ALARM = Alarm(
    key="unsent.begun",
    kind=IncidentKind.UNSENT,
    subject="",
    count=42,
    since=datetime(2026, 11, 23, 7, 45, tzinfo=UTC),
    opened_at=datetime(2026, 11, 23, 8, 15, tzinfo=UTC),
)


def test_it_says_what_is_wrong_since_when_and_what_to_do() -> None:
    mail = compose_alarm(ALARM, sender=SENDER, recipient=OPS, at=NOW)
    message = parsed(mail)
    assert mail.recipient == OPS
    assert message["Subject"] == "[Work In France] Alarm: deliveries wait to be sent"
    assert message["Auto-Submitted"] == "auto-generated"
    text = message.get_content()
    assert "Count:     42" in text
    assert "Oldest:    2026-11-23 08:45 (Paris)" in text
    assert "wif deliveries list --state pending" in text


def test_its_end_says_so() -> None:
    over = replace(ALARM, key="unsent.over", closed_at=NOW, since=None)
    message = parsed(compose_alarm(over, sender=SENDER, recipient=OPS, at=NOW))
    assert message["Subject"] == "[Work In France] Over: deliveries wait to be sent"
    assert "Over:      2026-11-23 09:30 (Paris)" in message.get_content()
    assert message.get_content().startswith("It is over: deliveries wait to be sent.")


def test_every_attempt_carries_the_same_id_and_every_news_another() -> None:
    def message_id(alarm: Alarm, at: datetime) -> str:
        return compose_alarm(alarm, sender=SENDER, recipient=OPS, at=at).message_id

    later = datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert message_id(ALARM, NOW) == message_id(replace(ALARM, count=99), later)
    assert message_id(ALARM, NOW) != message_id(replace(ALARM, key="unsent.over"), NOW)


@pytest.mark.parametrize("kind", list(IncidentKind))
def test_every_kind_has_its_words(kind: IncidentKind) -> None:
    assert kind in MEANINGS
    mail = compose_alarm(
        replace(ALARM, kind=kind, subject="tps-unauthorized"), sender=SENDER, recipient=OPS, at=NOW
    )
    assert "(tps-unauthorized)" in parsed(mail)["Subject"]
    assert max(len(line) for line in mail.content.split(b"\r\n")) < 200


def test_a_mailbox_that_is_none_is_a_failure() -> None:
    with pytest.raises(Failure) as caught:
        compose_alarm(ALARM, sender=SENDER, recipient="nobody", at=NOW)
    assert caught.value.cause is Cause.MAIL_RECIPIENT_REFUSED
