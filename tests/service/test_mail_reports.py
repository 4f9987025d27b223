"""Monthly reports by mail: on the first working day, to each unit its own, once."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import openpyxl
import pytest

from service.mail_reports import mail_reports
from simulator import Server
from store.audit.log import Step
from tests.fixtures.harness import Harness, make_harness
from tests.fixtures.smtp import SmtpServer
from tests.fixtures.smtp_faults import At, Fault

OCTOBER = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 2, 7, 0, tzinfo=UTC)
"""A Monday, eight o'clock in Paris; the first of November is a holiday and a Sunday."""


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


@pytest.fixture
def harness(database_url: str, tps: Server, tmp_path: Path) -> Iterator[Harness]:
    made = make_harness(database_url, tps, tmp_path, monthly_reports=True)
    made.now = OCTOBER
    for department in ("75", "75", "93"):
        made.file(department=department)
    made.run()
    made.now = MORNING
    yield made
    made.runtime.close()


def reports(harness: Harness) -> list[EmailMessage]:
    return [mail for mail in harness.mails() if "Rapport d" in str(mail["Subject"])]


def attached(mail: EmailMessage) -> tuple[str, bytes]:
    (part,) = mail.iter_attachments()
    return str(part.get_filename()), part.get_content()


def test_each_unit_gets_its_own_and_the_national_office_the_masked_one(harness: Harness) -> None:
    mail_reports(harness.runtime)
    sent = {str(mail["X-WIF-Unit"]): mail for mail in reports(harness)}
    assert set(sent) == {"UD075", "UD093", "NATIONAL"}
    name, content = attached(sent["UD075"])
    assert name == "rapport-2026-10-UD075.xlsx"
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    assert "octobre 2026" in str(sheet["A1"].value)
    assert attached(sent["NATIONAL"])[0] == "rapport-2026-10-national.xlsx"
    units = {unit.code: unit for unit in harness.runtime.rules().units.values()}
    assert units["UD075"].channels[0].address in str(sent["UD075"]["To"])


@pytest.mark.parametrize(
    ("instant", "count"),
    [
        (MORNING - timedelta(minutes=1), 0),
        (MORNING, 3),
        (MORNING + timedelta(days=20), 3),
        (datetime(2026, 11, 1, 12, 0, tzinfo=UTC), 0),
    ],
)
def test_nothing_is_mailed_before_the_hour_and_what_was_missed_is_made_up_for(
    harness: Harness, instant: datetime, count: int
) -> None:
    harness.now = instant
    mail_reports(harness.runtime)
    assert len(reports(harness)) == count


def test_each_is_mailed_once(harness: Harness) -> None:
    for _ in range(3):
        mail_reports(harness.runtime)
        harness.wait(minutes=30)
    assert len(reports(harness)) == 3
    steps = harness.steps()
    assert steps.count(Step.SENT.value) == 3 + 3  # the notices of October, and the reports


def test_the_national_one_waits_until_the_month_is_public(harness: Harness) -> None:
    for _ in range(6):
        harness.file(filed_at=OCTOBER)
    harness.now = OCTOBER
    harness.run()
    harness.now = MORNING
    mail_reports(harness.runtime)
    assert {str(mail["X-WIF-Unit"]) for mail in reports(harness)} == {"UD075", "UD093"}
    harness.run()
    harness.wait(minutes=30)
    assert mail_reports(harness.runtime).queued == 1
    (national,) = [mail for mail in reports(harness) if mail["X-WIF-Unit"] == "NATIONAL"]
    _, content = attached(national)
    sheet = openpyxl.load_workbook(io.BytesIO(content))["France"]
    assert ("Dépôts", 9) in [row[:2] for row in sheet.iter_rows(values_only=True)]


def test_where_it_is_not_wanted_nothing_is_mailed(
    database_url: str, tps: Server, tmp_path: Path
) -> None:
    harness = make_harness(database_url, tps, tmp_path)
    harness.now = MORNING
    mail_reports(harness.runtime)
    assert reports(harness) == []
    harness.runtime.close()


def test_a_report_that_a_server_refuses_for_now_is_tried_again_as_the_same_message(
    database_url: str, tps: Server, tmp_path: Path, smtp: SmtpServer
) -> None:
    harness = make_harness(database_url, tps, tmp_path, monthly_reports=True, smtp_url=smtp.url)
    harness.now = MORNING
    smtp.play(Fault(at=At.CONTENT, drop=True, accept=True, times=1))
    assert mail_reports(harness.runtime).failed == 1
    assert mail_reports(harness.runtime).sent == 0
    harness.wait(minutes=2)
    assert mail_reports(harness.runtime).sent == 1
    ids = {str(each.message["Message-ID"]) for each in smtp.messages}
    contents = {attached(each.message)[1] for each in smtp.messages}
    assert (len(smtp.messages), len(ids), len(contents)) == (2, 1, 1)
    harness.runtime.close()
