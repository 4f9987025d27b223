"""Requests to TPS, counted by each process and added to the tallies every ten seconds."""

import time

from sqlalchemy.exc import SQLAlchemyError

from connectors.tps.request_count import REQUESTS
from service.connections import Connections
from store import tallies

EVERY_SECONDS = 10.0
"""How often a process adds its count: metrics are read a few times a minute."""


class _Last:
    """When this process last added its count, on the monotonic clock."""

    at = float("-inf")


def add_requests(runtime: Connections, *, now: bool = False) -> None:
    """Add what this process counted, unless it did so a moment ago.

    A database that is away is no error here: the count is added later.

    Args:
        runtime: of this process.
        now: add it in any case, because the process ends.
    """
    if not now and time.monotonic() - _Last.at < EVERY_SECONDS:
        return
    counted = REQUESTS.take()
    if not counted:
        return
    _Last.at = time.monotonic()
    try:
        with runtime.database.begin() as connection:
            tallies.add_requests(connection, counted)
    except SQLAlchemyError:
        for outcome, amount in counted.items():
            REQUESTS.add(outcome, amount)
