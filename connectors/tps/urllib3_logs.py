"""What urllib3 logs of calls to TPS, without what it must not hold."""

import logging


class _Redaction(logging.Filter):
    """Lets urllib3 log neither a query, which can hold the token, nor what a peer sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info:
            record.msg, record.args, record.exc_info = "headers that cannot be parsed", (), None
        elif isinstance(record.args, tuple):
            record.args = tuple(
                arg.split("?", 1)[0] if isinstance(arg, str) else arg for arg in record.args
            )
        return True


_REDACTION = _Redaction()


def redact_urllib3_logs() -> None:
    """Keep queries and what peers sent out of urllib3's log records; may be called again."""
    for name in ("urllib3.connection", "urllib3.connectionpool"):
        logging.getLogger(name).addFilter(_REDACTION)
