"""Digests: what waits for the digest of its unit is put into one message when its time comes."""

from service.connections import Connections
from service.waker import Waker
from store import digests


def make_digests(runtime: Connections, waker: Waker | None = None) -> int:
    """Make the digests that are due, each in a transaction of its own; how many.

    Args:
        runtime: of this process.
        waker: how workers are woken, when not by the runtime's.
    """
    now = runtime.clock()
    with runtime.database.read() as connection:
        due = digests.due(connection, now)
    made = 0
    for each in due:
        with runtime.database.begin() as connection:
            if digests.make(connection, each, now):
                made += 1
    for channel in sorted({each.channel for each in due}):
        (waker or runtime.waker).deliver(channel)
    return made
