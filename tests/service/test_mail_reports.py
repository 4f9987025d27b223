"""Monthly reports by mail: on the first working day, to each unit its own, once."""

import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import openpyxl
import pytest

from service.mail_reports import first_working_day, mail_reports
from simulator import Server
from store.audit.log import Step
from tests.fixtures_smtp import At, Fault, SmtpServer
from tests.stage import Stage, make_stage

OCTOBER = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 2, 7, 0, tzinfo=UTC)
"""A Monday, eight o'clock in Paris; the first of November is a holiday and a Sunday."""


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


@pytest.fixture
def stage(database_url: str, tps: Server, tmp_path: Path) -> Iterator[Stage]:
    made = make_stage(database_url, tps, tmp_path, monthly_reports=True)
    made.now = OCTOBER
    for department in ("75", "75", "93"):
        made.file(department=department)
    made.run()
    made.now = MORNING
    yield made
    made.runtime.close()


def reports(stage: Stage) -> list[EmailMessage]:
    return [mail for mail in stage.mails() if "Rapport de" in str(mail["Subject"])]


def attached(mail: EmailMessage) -> tuple[str, bytes]:
    (part,) = mail.iter_attachments()
    return str(part.get_filename()), part.get_content()


@pytest.mark.parametrize(
    ("month", "first"),
    [
        (date(2026, 11, 15), date(2026, 11, 2)),
        (date(2026, 5, 1), date(2026, 5, 4)),  # Friday the 1st is a holiday
        (date(2027, 1, 1), date(2027, 1, 4)),
        (date(2026, 12, 31), date(2026, 12, 1)),
    ],
)
def test_the_first_working_day(month: date, first: date) -> None:
    assert first_working_day(month) == first


def test_each_unit_gets_its_own_and_the_national_office_the_masked_one(stage: Stage) -> None:
    mail_reports(stage.runtime)
    sent = {str(mail["X-WIF-Unit"]): mail for mail in reports(stage)}
    assert set(sent) == {"UD075", "UD093", "NATIONAL"}
    name, content = attached(sent["UD075"])
    assert name == "rapport-2026-10-UD075.xlsx"
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    assert "octobre 2026" in str(sheet["A1"].value)
    assert attached(sent["NATIONAL"])[0] == "rapport-2026-10-national.xlsx"
    units = {unit.code: unit for unit in stage.runtime.rules().units.values()}
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
    stage: Stage, instant: datetime, count: int
) -> None:
    stage.now = instant
    mail_reports(stage.runtime)
    assert len(reports(stage)) == count


def test_each_is_mailed_once(stage: Stage) -> None:
    for _ in range(3):
        mail_reports(stage.runtime)
        stage.wait(minutes=30)
    assert len(reports(stage)) == 3
    steps = stage.steps()
    assert steps.count(Step.SENT.value) == 3 + 3  # the notices of October, and the reports


def test_where_it_is_not_wanted_nothing_is_mailed(
    database_url: str, tps: Server, tmp_path: Path
) -> None:
    stage = make_stage(database_url, tps, tmp_path)
    stage.now = MORNING
    mail_reports(stage.runtime)
    assert reports(stage) == []
    stage.runtime.close()


def test_a_report_that_a_server_refuses_for_now_is_tried_again_as_the_same_message(
    database_url: str, tps: Server, tmp_path: Path, smtp: SmtpServer
) -> None:
    stage = make_stage(database_url, tps, tmp_path, monthly_reports=True, smtp_url=smtp.url)
    stage.now = MORNING
    smtp.play(Fault(at=At.CONTENT, drop=True, accept=True, times=1))
    assert mail_reports(stage.runtime).failed == 1
    assert mail_reports(stage.runtime).sent == 0
    stage.wait(minutes=2)
    assert mail_reports(stage.runtime).sent == 1
    ids = {str(each.message["Message-ID"]) for each in smtp.messages}
    contents = {attached(each.message)[1] for each in smtp.messages}
    assert (len(smtp.messages), len(ids), len(contents)) == (2, 1, 1)
    stage.runtime.close()
