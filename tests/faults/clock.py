"""Clocks that a scenario moves, for all of its processes at once."""

import mmap
import struct
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

CLOCK = "clock"
"""File below `WIF_VAR_DIR` by which the clocks of a scenario's processes go together."""

MORNING = datetime(2026, 6, 15, 7, 0, tzinfo=UTC)
"""A Monday without anything special."""

_READING = timedelta(milliseconds=1)
_NUMBER = struct.Struct("d")


class _Cell:
    """One number that processes share through a file."""

    def __init__(self, path: Path) -> None:
        with path.open("ab+") as file:
            if file.seek(0, 2) == 0:
                file.write(_NUMBER.pack(0.0))
                file.flush()
            self._memory = mmap.mmap(file.fileno(), _NUMBER.size)

    @property
    def value(self) -> float:
        return float(_NUMBER.unpack_from(self._memory)[0])

    @value.setter
    def value(self, number: float) -> None:
        _NUMBER.pack_into(self._memory, 0, number)


class MovableClock(Protocol):
    """A clock that a scenario moves."""

    def __call__(self) -> datetime: ...

    def move(self, step: timedelta) -> None:
        """Let `step` go by, for every process; a negative one sets the clocks back."""


class SimulatedClock:
    """Stands still but for the millisecond that each look at it takes. For any thread.

    Args:
        path: file by which the clocks of several processes go together.
        start: where it stands; a later clock on the same file takes what was shown by then.
    """

    def __init__(self, path: Path, start: datetime = MORNING) -> None:
        self._moved = _Cell(path)
        self._now = start - timedelta(seconds=self._moved.value)
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        with self._lock:
            self._now += _READING
            return self._now + timedelta(seconds=self._moved.value)

    def move(self, step: timedelta) -> None:
        """Let `step` go by, for every process; a negative one sets the clocks back."""
        with self._lock:
            self._moved.value += step.total_seconds()


class ShiftedClock:
    """The machine's clock, moved by as much for all processes that share a file."""

    def __init__(self, path: Path) -> None:
        self._moved = _Cell(path)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._moved.value)

    def move(self, step: timedelta) -> None:
        """Move the clock of every process."""
        self._moved.value += step.total_seconds()
