"""What the HTTP libraries raise, as causes of the taxonomy."""

import pytest
import requests
import urllib3

from connectors.deadline import TooManyBytes
from connectors.tps.causes import cause_before_answer, cause_within_answer
from routing.failures import Cause

SILENT = urllib3.exceptions.ReadTimeoutError(urllib3.HTTPConnectionPool("tps.example"), "/", "")


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (requests.exceptions.SSLError(), Cause.TPS_TLS),
        (OSError("no such file of authorities"), Cause.TPS_TLS),
        (requests.ConnectTimeout(), Cause.TPS_TIMEOUT),
        (
            requests.ConnectionError(SILENT),
            Cause.TPS_TIMEOUT,
        ),
        (requests.ConnectionError(urllib3.exceptions.ProtocolError("cut")), Cause.TPS_RESET),
        (ConnectionResetError(), Cause.TPS_RESET),
        (requests.ConnectionError("refused"), Cause.TPS_UNREACHABLE),
        (requests.RequestException(), Cause.TPS_UNREACHABLE),
    ],
)
def test_before_an_answer_began(error: Exception, cause: Cause) -> None:
    assert cause_before_answer(error) is cause


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (requests.ReadTimeout(), Cause.TPS_TIMEOUT),
        (requests.ConnectionError(TimeoutError()), Cause.TPS_TIMEOUT),
        (TooManyBytes(), Cause.TPS_OVERSIZED),
        (requests.exceptions.ContentDecodingError(), Cause.TPS_NOT_JSON),
        (requests.exceptions.ChunkedEncodingError(), Cause.TPS_TRUNCATED),
    ],
)
def test_within_an_answer(error: Exception, cause: Cause) -> None:
    assert cause_within_answer(error) is cause
