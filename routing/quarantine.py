"""Dossiers that cannot be read: when each is tried again, and when it is gone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from routing.failures import Cause, Failure
from routing.retries import QUARANTINE_LONGEST_DELAY, delay

ABSENCES_BEFORE_ASKING = 3
"""Full scans that must miss a dossier before it is asked for by number: lists omit rows."""

LOSSES_BEFORE_ALONE = 2
"""A dossier that so many workers were lost with is read in a batch of its own."""

LOSSES_BEFORE_ASIDE = 3
"""A dossier that so many workers were lost with is quarantined without being read."""


class Unread(Protocol):
    """What is known of a dossier that could not be read.

    Attributes:
        attempts: failures in a row so far.
        absences: full scans in a row that missed it.
    """

    @property
    def attempts(self) -> int: ...
    @property
    def absences(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PutAside:
    """The outcome for a dossier that could not be read.

    Attributes:
        cause: why it could not.
        attempts: failures in a row, this one included.
        wait: until it is tried again; None: it is gone.
        worker_losses: lost workers that it is still charged with.
    """

    cause: Cause
    attempts: int
    wait: timedelta | None
    worker_losses: int

    @property
    def gone(self) -> bool:
        """Whether it is not tried again: TPS no longer has it."""
        return self.wait is None


def put_aside(dossier: Unread, failure: Failure, jitter: Callable[[], float]) -> PutAside:
    """Quarantine a dossier for longer after each failure, or find that it is gone.

    It is gone when several full scans missed it and TPS answers that it has none of its number.

    Args:
        dossier: what is known of it.
        failure: why it could not be read.
        jitter: gives a number in [0, 1).
    """
    attempts = dossier.attempts + 1
    absent = dossier.absences >= ABSENCES_BEFORE_ASKING
    gone = absent and failure.cause is Cause.TPS_NOT_FOUND
    return PutAside(
        cause=failure.cause,
        attempts=attempts,
        wait=None if gone else _wait(attempts, failure, jitter),
        worker_losses=LOSSES_BEFORE_ALONE if failure.cause is Cause.READER_LOST else 0,
    )


def _wait(attempts: int, failure: Failure, jitter: Callable[[], float]) -> timedelta:
    return delay(attempts, jitter, longest=QUARANTINE_LONGEST_DELAY, at_least=failure.retry_after)
