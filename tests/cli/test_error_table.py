"""One table of errors for code and documentation; every answer and every silence has its place."""

import smtplib
import socket
import ssl
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.error_table import ACTIONS, TARGETS, THRESHOLDS, page
from config.settings import Settings
from connectors.alarm.meanings import MEANINGS
from connectors.mail.failure import MailFailure, Stage, of_error, of_reply
from connectors.tps.http_status import cause_of
from routing.failures import TABLE, Action, Cause
from routing.incidents import IncidentKind
from service.guards.breakers import POLICIES, Kind

PAGE = Path(__file__).resolve().parents[2] / "docs" / "errors.md"


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text() == page(), "run: python -m cli.error_table > docs/errors.md"


def test_every_table_is_total() -> None:
    assert set(TABLE) == set(Cause)
    assert set(ACTIONS) == set(Action)
    assert set(TARGETS) == set(POLICIES) == set(Kind)
    assert set(MEANINGS) == set(IncidentKind)
    assert set(THRESHOLDS.values()) <= set(Settings.model_fields)


def test_no_cause_is_done() -> None:
    assert Action.DONE not in {verdict.action for verdict in TABLE.values()}


def test_every_http_status_has_its_action() -> None:
    causes = {status: cause_of(status) for status in range(100, 600)}
    actions = {
        status: TABLE[cause].action if cause else Action.DONE for status, cause in causes.items()
    }
    retried = {status for status, action in actions.items() if action is Action.RETRY}
    assert retried == {408, 425, *range(500, 600)}
    assert actions[429] is Action.THROTTLED


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("text", [b"", b"4.7.1 x", b"5.7.1 x", b"5.1.1 x", b"\xff\x00"])
def test_every_smtp_reply_at_every_stage_has_its_action(stage: Stage, text: bytes) -> None:
    for status in range(600):
        failure = of_reply(stage, status, text)
        assert failure.stage is stage
        temporary = not 500 <= status < 600
        if temporary:
            assert failure.action in {Action.RETRY, Action.THROTTLED}, (stage, status)
        else:
            assert failure.action in {Action.RETRY, Action.PERMANENT}, (stage, status)


@pytest.mark.parametrize("stage", list(Stage))
def test_a_refusal_is_final_only_where_the_server_knows_the_message_or_the_mailbox(
    stage: Stage,
) -> None:
    final = of_reply(stage, 550, b"5.1.1 no").action is Action.PERMANENT
    assert final == (stage in {Stage.RCPT, Stage.DATA, Stage.ACCEPTANCE})


SILENCES: list[OSError] = [
    TimeoutError(),
    ConnectionResetError(),
    ConnectionRefusedError(),
    BrokenPipeError(),
    socket.gaierror(socket.EAI_NONAME, "x"),
    ssl.SSLError(1, "x"),
    ssl.SSLCertVerificationError(1, "x"),
    OSError(113, "x"),
    smtplib.SMTPServerDisconnected("x"),
    smtplib.SMTPResponseException(-1, "x"),
    smtplib.SMTPNotSupportedError("x"),
    smtplib.SMTPAuthenticationError(535, b"x"),
    smtplib.SMTPAuthenticationError(454, b"x"),
    smtplib.SMTPException("x"),
]


@pytest.mark.parametrize("stage", list(Stage))
def test_every_silence_at_every_stage_is_retried(stage: Stage) -> None:
    for error in SILENCES:
        failure = of_error(stage, error)
        assert isinstance(failure, MailFailure), error
        if not isinstance(error, smtplib.SMTPAuthenticationError):
            assert failure.action is Action.RETRY, error


@given(stage=st.sampled_from(Stage), status=st.integers(-1, 99_999), text=st.binary(max_size=40))
def test_whatever_a_server_says_has_a_cause(stage: Stage, status: int, text: bytes) -> None:
    assert of_reply(stage, status, text).cause in TABLE
