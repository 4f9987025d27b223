"""Tells of incidents without mail: `WIF_ALARM_URL` is a webhook or a syslog.

A webhook gets JSON by POST. Chat tools show its `text` (`content` for those that read that
name); paging services tell incidents apart by `incident` and `state`. It counts as told when
the answer is 2xx. A syslog over UDP never answers: it counts as told when it was sent.
"""

import logging
import socket
from logging.handlers import SysLogHandler
from urllib.parse import urlsplit

import requests

from connectors import deadline
from connectors.addresses import look_up
from connectors.alarm.notice import Alarm
from connectors.http import request_once
from routing.failures import Cause, Failure

SECONDS = 5.0
"""For the whole of one exchange, to the last byte of the headers, however slowly they come."""

MOST_BYTES = 65_536
SYSLOG_PORT = 514


def post_alarm(url: str, alarm: Alarm, *, seconds: float = SECONDS) -> None:
    """Tell of `alarm` at `url`.

    Args:
        url: `http(s)://…`, `syslog://HOST[:PORT]` (UDP) or `syslog:///dev/log`. It is often a
            secret, so that no error repeats it.
        alarm: what is told.
        seconds: for the whole exchange.

    Raises:
        Failure: `ALARM_NOT_TAKEN`, with the HTTP status where there was one.
    """
    if urlsplit(url).scheme == "syslog":
        _log(url, alarm, seconds)
    else:
        _post(url, alarm, seconds)


def _post(url: str, alarm: Alarm, seconds: float) -> None:
    said = f"{alarm.title}\n\n{alarm.text}"
    try:
        answer = request_once(
            "POST",
            url,
            seconds=seconds,
            most_bytes=MOST_BYTES,
            json={"text": said, "content": said, **alarm.record()},
            headers={"Idempotency-Key": alarm.key},
        )
    except (requests.RequestException, OSError, ValueError):
        raise Failure(Cause.ALARM_NOT_TAKEN) from None
    if answer.status_code // 100 != 2:  # noqa: PLR2004 - the class of a status
        raise Failure(Cause.ALARM_NOT_TAKEN, status=answer.status_code)


class _Strict(SysLogHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        raise Failure(Cause.ALARM_NOT_TAKEN)


def _log(url: str, alarm: Alarm, seconds: float) -> None:
    parts = urlsplit(url)
    record = alarm.record()
    facts = " ".join(f"{name}={record[name]}" for name in record if name != "advice")
    level = logging.INFO if alarm.closed_at else logging.CRITICAL
    try:
        address = _syslog(parts.hostname, parts.port, seconds) if parts.hostname else parts.path
        handler = _Strict(address, socktype=socket.SOCK_DGRAM)
    except OSError:
        raise Failure(Cause.ALARM_NOT_TAKEN) from None
    handler.ident = "wif: "
    try:
        message = f"{alarm.title} {facts}"
        handler.emit(logging.LogRecord("wif", level, "", 0, message, None, None))
    finally:
        handler.close()


def _syslog(host: str, port: int | None, seconds: float) -> tuple[str, int]:
    """The IP address of a syslog: the handler would look its name up for as long as it takes.

    Raises:
        OSError: it has none, or none was found in time.
    """
    with deadline.within(seconds):
        found = look_up(host, port or SYSLOG_PORT)
    if not found:
        raise ConnectionError
    _, (address, number, *_) = found[0]
    return address, number
