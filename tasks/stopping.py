"""Stopping: a worker that was told to stop begins nothing new and lets go of what it holds.

Celery's main process gets the signal and waits for its children, which know nothing of
it. One byte of memory that they share tells them; whoever sits in a slow call after that
is woken by the signal that means « your time is up ».
"""

import mmap
import os
import signal
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from types import FrameType
from typing import NoReturn

from service.guards import limits
from service.guards.time_limit import TimeLimitReached


class StopFlag:
    """A flag that a process and the children it forks see alike. Raised once, for good."""

    def __init__(self) -> None:
        self._byte = mmap.mmap(-1, 1)

    def __call__(self) -> bool:
        """Whether it was raised."""
        return self._byte[0] != 0

    def set(self) -> None:
        """Raise it; nothing that a signal handler must not do."""
        self._byte[0] = 1


def cut_off_later(
    stragglers: Callable[[], Iterable[int]], *, after: timedelta = limits.FINISH_WITHIN
) -> None:
    """Let the processes that still work after a while know that their time is up.

    Args:
        stragglers: gives the ids of the processes that work at that moment.
        after: how long they are left alone.
    """
    timer = threading.Timer(after.total_seconds(), _cut_off, args=[stragglers])
    timer.daemon = True
    timer.start()


def raise_time_limit() -> None:
    """Let the signal for « your time is up » raise an exception that the use cases know."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGUSR1, _raise_time_limit)


def _raise_time_limit(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise TimeLimitReached


def _cut_off(stragglers: Callable[[], Iterable[int]]) -> None:
    for process in stragglers():
        try:
            os.kill(process, signal.SIGUSR1)
        except ProcessLookupError:
            continue
