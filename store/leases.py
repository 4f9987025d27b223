"""Leases: who may work on a row, until when. Then any worker may claim it."""

import secrets
from datetime import datetime, timedelta

LEASE_EXPIRED = "lease-expired"
"""The reason of an attempt whose worker never came back: what became of it is not known."""


def new_token() -> str:
    """A fencing token: finishing is refused to a worker whose lease has ended."""
    return secrets.token_hex(16)


class Lease:
    """A claim by one worker: its token and its end."""

    __slots__ = ("token", "until")

    def __init__(self, now: datetime, duration: timedelta) -> None:
        self.token = new_token()
        self.until = now + duration
