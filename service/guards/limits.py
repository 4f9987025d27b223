"""Time limits, in one place and in order: budget + one call < soft < hard < lease < visibility.

A task must end before its lease expires, and its lease before the broker redelivers its message.
"""

from datetime import timedelta
from itertools import pairwise

WORK_BUDGET = timedelta(seconds=60)
"""A task starts no new call after this; the next task goes on."""

TPS_ANSWER = timedelta(seconds=60)
"""The whole of one answer, however slowly it comes."""

TPS_CONNECT = timedelta(seconds=20)
"""The most that may be set for connecting to TPS: it is not part of the answer."""

SMTP_CONVERSATION = timedelta(seconds=80)
"""One attempt with one message: 30 s until the server waits for it, 45 s until it accepts it."""

LONGEST_CALL = max(TPS_ANSWER + TPS_CONNECT, SMTP_CONVERSATION)
"""What may begin in the last moment of the budget."""

SOFT_TIME_LIMIT = timedelta(seconds=150)
"""Longer than the budget and the longest call: a task that runs into it is stuck."""

HARD_TIME_LIMIT = timedelta(seconds=180)

LEASE = timedelta(seconds=240)
"""Longer than the hard limit: the holder of a lease is alive, or was killed."""

VISIBILITY_TIMEOUT = timedelta(seconds=300)
"""After this the broker redelivers a message that was not acknowledged."""

SOFT_SHUTDOWN = timedelta(seconds=30)
"""How long a worker that was told to stop may go on with its tasks."""

FINISH_WITHIN = timedelta(seconds=20)
"""After this a slow call of a worker that was told to stop is cut off; the rest of the soft
shutdown is for storing what was done and giving back what was not."""

TIME_SLICE = timedelta(milliseconds=300)
"""How long a task takes batch after batch before it yields to other kinds of work."""

ROUTE_BATCH = 50
"""Dossiers read and settled in one commit."""

DELIVER_BATCH = 50
"""Deliveries claimed at once and sent through one connection."""

DELIVER_SHARE = 5
"""Deliveries claimed at once for one address, where each address has a server of its own."""

FINISH_EVERY = 10
"""Messages sent between two commits: at most so many copies when a process is killed."""

STOPPED_PROBE_INTERVAL = timedelta(hours=1)
"""A procedure that TPS refuses is tried again by itself this often: tokens get renewed."""

NEW_ACCESS_INTERVAL = timedelta(minutes=5)
"""A procedure that TPS refuses is tried with another token or address at most this often: two
workers may have two, for as long as a file is replaced on one of them only."""

NEW_ACCESS_EARLY = STOPPED_PROBE_INTERVAL - NEW_ACCESS_INTERVAL
"""How long before the next trial by itself that is."""

_PLACE = "service/guards/limits.py"


class LimitsOutOfOrder(Exception):
    """Two limits contradict each other, so that two workers could hold the same claim."""


def check() -> None:
    """Whether the limits are in order; cheap, and done whenever Celery starts.

    Raises:
        LimitsOutOfOrder: they are not; the text names the two.
    """
    ordered = {
        "WORK_BUDGET + LONGEST_CALL": WORK_BUDGET + LONGEST_CALL,
        "SOFT_TIME_LIMIT": SOFT_TIME_LIMIT,
        "HARD_TIME_LIMIT": HARD_TIME_LIMIT,
        "LEASE": LEASE,
        "VISIBILITY_TIMEOUT": VISIBILITY_TIMEOUT,
    }
    if not FINISH_WITHIN < SOFT_SHUTDOWN < HARD_TIME_LIMIT:
        raise LimitsOutOfOrder(
            "service/guards/limits.py: FINISH_WITHIN must be below SOFT_SHUTDOWN"
        )
    for (lower, less), (upper, more) in pairwise(ordered.items()):
        if less >= more:
            raise LimitsOutOfOrder(f"{_PLACE}: {lower} must be below {upper}")
