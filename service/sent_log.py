"""The log of sent messages, where the settings name one: written between acceptance and commit."""

from collections.abc import Sequence

from config import logs
from service.connections import Connections
from store.sent_log import SentDelivery, SentLog

log = logs.get_logger("service")


def note_sent(runtime: Connections, sent: Sequence[SentDelivery]) -> None:
    """Write down what a server accepted, before the database is told.

    A file that cannot be written stops nothing: it is needed after a restore only. It is an error
    in the log of the service, and `wif doctor` says so.
    """
    path = runtime.settings.sent_log
    if path is None or not sent:
        return
    try:
        SentLog(path, runtime.audit.keys[0]).append(sent, runtime.clock())
    except OSError:
        log.exception("sent-log-not-written", count=len(sent))
