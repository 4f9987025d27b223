"""What waits too long is an incident: told once, over once, and never in the way of the work."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import insert, select

from routing.incidents import IncidentKind
from service import watch_health
from service.poll import poll
from service.resume import resume
from simulator import Server
from store import incidents, procedures, refusals
from store.models import AuditLine, Incident
from tests.fixtures.harness import PARIS_FORM, Harness, make_harness
from tests.fixtures.smtp import SmtpServer
from tests.fixtures.smtp_faults import At, Fault

OPS = "exploitation@wif.example"
BAD = "moe.ud075@direccte.example"


@pytest.fixture
def watched(database_url: str, tps: Server, smtp: SmtpServer, tmp_path: Path) -> Iterator[Harness]:
    """A harness with an SMTP server and people to tell."""
    harness = make_harness(database_url, tps, tmp_path, smtp_url=smtp.url, ops_mailbox=OPS)
    harness.run()
    yield harness
    harness.runtime.close()


def alarms(smtp: SmtpServer) -> list[str]:
    """Subjects of the mails to those who run the service."""
    return [str(each.message["Subject"]) for each in smtp.messages if each.recipient == OPS]


def lasting(harness: Harness) -> list[tuple[str, str]]:
    with harness.runtime.database.read() as connection:
        return [(each.kind.value, each.subject) for each in incidents.lasting(connection)]


def audited(harness: Harness) -> list[tuple[Any, ...]]:
    query = (
        select(AuditLine.step, AuditLine.event, AuditLine.procedure, AuditLine.reason)
        .where(AuditLine.step.in_(["incident-opened", "incident-closed"]))
        .order_by(AuditLine.id)
    )
    with harness.runtime.database.read() as connection:
        return [tuple(row) for row in connection.execute(query)]


def look_for(harness: Harness, **duration: float) -> None:
    """A look a minute, every five where it is long, with the polls that go on meanwhile."""
    until = harness.now + timedelta(**duration)
    while harness.now < until:
        rest = (until - harness.now) / timedelta(minutes=1)
        harness.wait(minutes=5 if rest > 9 else 1)
        poll(harness.runtime, PARIS_FORM)
        poll(harness.runtime, 12828)
        watch_health.check(harness.runtime)


def test_a_service_that_is_well_has_no_incident(watched: Harness, smtp: SmtpServer) -> None:
    watched.file()
    watched.run()
    look_for(watched, minutes=40)
    assert (lasting(watched), alarms(smtp)) == ([], [])


def test_an_incident_of_a_later_version_is_left_to_it(watched: Harness, smtp: SmtpServer) -> None:
    with watched.runtime.database.begin() as connection:
        connection.execute(insert(Incident).values(kind="of-a-later-one", opened_at=watched.now))
    look_for(watched, minutes=2)
    assert (lasting(watched), alarms(smtp)) == ([], [])
    with watched.runtime.database.read() as connection:
        assert not incidents.known_to_nobody(connection)
        assert incidents.listing(connection) == []
        query = select(Incident.closed_at, Incident.opening_told_at)
        assert connection.execute(query).all() == [(None, None)]


def test_deliveries_that_wait_too_long_are_told_of_once_and_once_when_sent(
    watched: Harness, smtp: SmtpServer
) -> None:
    smtp.play(Fault(at=At.RCPT, reply="451 later", recipient=BAD))
    watched.file()
    watched.run()
    look_for(watched, minutes=29)
    assert alarms(smtp) == []
    look_for(watched, minutes=30)
    assert lasting(watched) == [("unsent-deliveries", "")]
    assert alarms(smtp) == ["[Work In France] Alarm: deliveries wait to be sent"]

    smtp.behave()
    watched.run()
    look_for(watched, minutes=10)
    assert lasting(watched) == []
    assert alarms(smtp)[1:] == ["[Work In France] Over: deliveries wait to be sent"]
    assert audited(watched) == [
        ("incident-opened", "unsent-deliveries", None, None),
        ("incident-closed", "unsent-deliveries", None, None),
    ]


def test_dossiers_that_nobody_reads(watched: Harness, smtp: SmtpServer) -> None:
    watched.file()
    look_for(watched, minutes=37)
    assert lasting(watched) == [("unread-dossiers", "")]
    watched.run()
    look_for(watched, minutes=1)
    assert lasting(watched) == []


def test_procedures_that_are_not_polled(watched: Harness) -> None:
    watched.wait(minutes=14)
    watch_health.check(watched.runtime)
    assert lasting(watched) == []
    watched.wait(minutes=1)
    watch_health.check(watched.runtime)
    assert lasting(watched) == [("poll-lag", "")]
    look_for(watched, minutes=1)
    assert lasting(watched) == []


def test_a_procedure_that_left_the_configuration_does_not_lag(watched: Harness) -> None:
    with watched.runtime.database.begin() as connection:
        procedures.register(connection, [99_999], watched.now - timedelta(days=30))
    look_for(watched, minutes=20)
    assert lasting(watched) == []


def test_dead_letters_are_told_of_by_cause_until_they_are_replayed(
    watched: Harness, smtp: SmtpServer
) -> None:
    smtp.play(Fault(at=At.RCPT, reply="550 5.1.1 unknown", recipient=BAD))
    for _ in range(3):
        watched.file()
    watched.run()
    look_for(watched, minutes=3)
    assert lasting(watched) == [("dead-letters", "mail-recipient-refused")]
    assert len(alarms(smtp)) == 1
    assert ("incident-opened", "dead-letters", None, "mail-recipient-refused") in audited(watched)


def test_a_refused_token_is_one_incident_however_many_procedures(
    watched: Harness, smtp: SmtpServer
) -> None:
    watched.tps.fail_all(401)
    look_for(watched, minutes=3)
    assert lasting(watched) == [("procedures-stopped", "tps-unauthorized")]
    assert alarms(smtp) == ["[Work In France] Alarm: TPS refuses procedures (tps-unauthorized)"]
    watched.tps.heal()
    watched.wait(hours=1)
    look_for(watched, minutes=3)
    assert lasting(watched) == []
    assert len(alarms(smtp)) == 2


def test_a_paused_procedure_is_told_of_by_its_number(watched: Harness, smtp: SmtpServer) -> None:
    for _ in range(60):
        watched.file()
    watched.run()
    for _ in range(5):
        watched.file(permit_department=None)
    watched.run()
    look_for(watched, minutes=2)
    assert lasting(watched) == [("schema-drift", str(PARIS_FORM))]
    resume(watched.runtime, [PARIS_FORM])
    watched.run()
    look_for(watched, minutes=1)
    assert lasting(watched) == []
    assert audited(watched) == [
        ("incident-opened", "schema-drift", PARIS_FORM, None),
        ("incident-closed", "schema-drift", PARIS_FORM, None),
    ]
    assert len(alarms(smtp)) == 2


def test_dossiers_that_stay_with_the_fallback_unit_or_in_quarantine(watched: Harness) -> None:
    unrouted = watched.file(permit_department="99 - Étranger", department=None)
    watched.tps.change(unrouted, permit_department="99 - Étranger")
    poison = watched.file()
    watched.tps.fail_detail(poison, 500)
    watched.run()
    look_for(watched, minutes=5)
    assert lasting(watched) == []
    watched.wait(hours=6)
    look_for(watched, minutes=1)
    assert lasting(watched) == [("quarantined-dossiers", "")]
    watched.wait(hours=18)
    look_for(watched, minutes=1)
    assert lasting(watched) == [("quarantined-dossiers", ""), ("unrouted-dossiers", "")]


def test_an_age_around_the_limit_does_not_flutter(watched: Harness, smtp: SmtpServer) -> None:
    watched.wait(minutes=15)
    watch_health.check(watched.runtime)
    for _ in range(6):
        poll(watched.runtime, PARIS_FORM)
        poll(watched.runtime, 12828)
        watched.wait(minutes=10)
        watch_health.check(watched.runtime)
    assert len(alarms(smtp)) == 1
    assert lasting(watched) == [("poll-lag", "")]


def test_while_the_mail_server_is_away_the_news_waits_and_nothing_else(
    watched: Harness, smtp: SmtpServer
) -> None:
    smtp.stop()
    watched.tps.fail_all(401)
    look_for(watched, minutes=3)
    watched.tps.heal()
    watched.wait(hours=1)
    look_for(watched, minutes=3)
    assert lasting(watched) == []
    smtp.start()
    look_for(watched, minutes=2)
    assert [subject.split(":")[0] for subject in alarms(smtp)] == [
        "[Work In France] Alarm",
        "[Work In France] Over",
    ]


def test_looks_at_the_same_time_open_one_incident_and_tell_of_it_once(
    database_url: str, tps: Server, smtp: SmtpServer, tmp_path: Path
) -> None:
    harnesses = [
        make_harness(database_url, tps, tmp_path, smtp_url=smtp.url, ops_mailbox=OPS)
        for _ in range(4)
    ]
    harnesses[0].run()
    for harness in harnesses:
        harness.wait(hours=1)
    barrier = threading.Barrier(len(harnesses))

    def look(harness: Harness) -> None:
        barrier.wait()
        watch_health.check(harness.runtime)

    threads = [threading.Thread(target=look, args=[harness]) for harness in harnesses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lasting(harnesses[0]) == [("poll-lag", "")]
    assert len(alarms(smtp)) == 1
    assert len(audited(harnesses[0])) == 1
    for harness in harnesses:
        harness.runtime.close()


def test_without_a_mailbox_nobody_is_told_but_it_is_shown(
    harness: Harness,
) -> None:
    harness.run()
    harness.wait(hours=1)
    watch_health.check(harness.runtime)
    assert lasting(harness) == [("poll-lag", "")]
    assert harness.mails() == []


def test_old_news_is_not_told_when_a_mailbox_is_set_later(
    harness: Harness, database_url: str, tps: Server, smtp: SmtpServer, tmp_path: Path
) -> None:
    harness.run()
    harness.wait(hours=1)
    watch_health.check(harness.runtime)
    harness.run()
    watch_health.check(harness.runtime)
    later = make_harness(database_url, tps, tmp_path, smtp_url=smtp.url, ops_mailbox=OPS)
    later.now = harness.now + timedelta(days=2)
    later.run()
    watch_health.check(later.runtime)
    assert alarms(smtp) == []
    later.runtime.close()


def test_an_open_incident_is_unique_in_the_database(harness: Harness) -> None:
    harness.run()
    harness.wait(hours=1)
    for _ in range(3):
        watch_health.check(harness.runtime)
    with harness.runtime.database.read() as connection:
        assert len(connection.execute(select(Incident.id)).all()) == 1


def test_rules_that_are_refused_are_told_of_but_closed_by_those_who_read_them(
    watched: Harness, smtp: SmtpServer
) -> None:
    with watched.runtime.database.begin() as connection:
        refusals.refuse(connection, "abc123", mistakes=2, at=watched.now)
    look_for(watched, minutes=2)
    assert lasting(watched) == [(IncidentKind.RULES_REFUSED.value, "abc123")]
    assert len(alarms(smtp)) == 1


# --- a second way -------------------------------------------------------------------------------


def test_when_mail_is_down_the_alarm_goes_another_way_and_by_mail_later(
    database_url: str, tps: Server, smtp: SmtpServer, tmp_path: Path, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook").respond_with_data("ok")
    harness = make_harness(
        database_url,
        tps,
        tmp_path,
        smtp_url=smtp.url,
        ops_mailbox=OPS,
        alarm_url=httpserver.url_for("/hook"),
        heartbeat_file=tmp_path / "heartbeat",
    )
    harness.run()
    smtp.stop()
    harness.file()
    harness.run()
    look_for(harness, minutes=35)
    said = [request.get_json()["kind"] for request, _ in httpserver.log]
    assert said == ["unsent-deliveries"]
    assert (tmp_path / "heartbeat").exists()
    smtp.start()
    look_for(harness, minutes=2)
    assert alarms(smtp) == ["[Work In France] Alarm: deliveries wait to be sent"]
    harness.run()
    look_for(harness, minutes=2)
    assert [request.get_json()["state"] for request, _ in httpserver.log] == ["open", "over"]
    assert len(alarms(smtp)) == 2
    harness.runtime.close()
