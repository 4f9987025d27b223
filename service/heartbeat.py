"""The heartbeat, which a dead-man switch outside watches: its absence is the alarm.

It is sent by a task, so that beat, broker, worker and database must work.
"""

from pathlib import Path

import requests

from config import logs
from config.settings import Settings
from connectors.http import request_once

SECONDS = 5.0
"""For the whole exchange, to the last byte of the headers, however slowly they come."""

MOST_BYTES = 65_536

log = logs.get_logger("tasks")


def beat(settings: Settings, *, seconds: float = SECONDS) -> None:
    """Touch the file and call the URL of the settings, where they are set. Never raises.

    Args:
        settings: of this process.
        seconds: for the call.
    """
    if settings.heartbeat_file is not None:
        _touch(settings.heartbeat_file)
    if settings.heartbeat_url is not None:
        _ask(settings.heartbeat_url, seconds)


def _touch(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except OSError:
        log.warning("heartbeat-missed", setting="WIF_HEARTBEAT_FILE")


def _ask(url: str, seconds: float) -> None:
    # The address is often a secret: neither it nor an error that holds it is logged.
    try:
        heard = request_once("GET", url, seconds=seconds, most_bytes=MOST_BYTES).ok
    except (requests.RequestException, OSError, ValueError):
        heard = False
    if not heard:
        log.warning("heartbeat-missed", setting="WIF_HEARTBEAT_URL")
