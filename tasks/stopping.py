"""Stopping: a worker that was told to stop starts no new call and gives its claims back.

Celery's main process gets the signal and waits for its child processes, which do not get
it. A byte of shared memory tells them; a child in a slow call is interrupted by SIGUSR1,
the signal of the soft time limit.
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
    """A flag shared by a process and its forked children; once set it stays set."""

    def __init__(self) -> None:
        self._byte = mmap.mmap(-1, 1)

    def __call__(self) -> bool:
        """Whether it is set."""
        return self._byte[0] != 0

    def set(self) -> None:
        """Set it. Safe in a signal handler."""
        self._byte[0] = 1


def cut_off_later(
    stragglers: Callable[[], Iterable[int]], *, after: timedelta = limits.FINISH_WITHIN
) -> None:
    """Interrupt the processes that still work after a while.

    Args:
        stragglers: gives the ids of the processes that work at that moment.
        after: the delay.
    """
    timer = threading.Timer(after.total_seconds(), _cut_off, args=[stragglers])
    timer.daemon = True
    timer.start()


def raise_time_limit() -> None:
    """Make SIGUSR1 raise `TimeLimitReached`, which the use cases handle."""
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
