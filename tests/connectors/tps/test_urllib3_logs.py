"""No query and nothing that a peer sent reaches a log record of urllib3."""

import logging

import pytest

from connectors.tps.urllib3_logs import redact_urllib3_logs

CANARY = "jeton-canari-8f2a"


def test_queries_and_exceptions_are_taken_out(caplog: pytest.LogCaptureFixture) -> None:
    redact_urllib3_logs()
    redact_urllib3_logs()
    log = logging.getLogger("urllib3.connectionpool")
    with caplog.at_level(logging.DEBUG):
        log.debug("GET %s %d", f"/api/v1/procedures?token={CANARY}", 200)
        log.warning("Failed to parse headers %s", CANARY, exc_info=ValueError(CANARY))
    assert len(caplog.records) == 2
    assert CANARY not in caplog.text
    assert "/api/v1/procedures" in caplog.text
