"""Retries: jittered exponential delays, as pure functions.

The first retry comes within a minute, the last more than 48 hours after the
first attempt; after that a delivery is dead and waits for a person.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from routing.failures import Action, Failure

FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=4)
MAX_ATTEMPTS = 21
"""Attempts of a delivery before it is dead: 20 delays, more than 48 h in all without any jitter."""

QUARANTINE_LONGEST_DELAY = timedelta(hours=12)
"""Longest delay of a quarantined dossier, which is retried for ever."""

THROTTLED_DELAY = timedelta(seconds=60)
"""Wait after a throttled call when the peer does not say how long: TPS as any other."""

_JITTER = 0.3


def delay(
    attempts: int,
    jitter: Callable[[], float],
    *,
    longest: timedelta = LONGEST_DELAY,
    at_least: float | None = None,
) -> timedelta:
    """How long to wait after `attempts` failures (1 or more).

    Args:
        attempts: failures so far.
        jitter: gives a number in [0, 1), such as `random.random`.
        longest: where the growth ends.
        at_least: seconds that the peer asked to wait, None when it did not say.
    """
    doublings = min(max(attempts, 1) - 1, 30)
    plain = min(FIRST_DELAY.total_seconds() * 2.0**doublings, longest.total_seconds())
    return timedelta(seconds=max(plain * (1 + _JITTER * jitter()), at_least or 0))


@dataclass(frozen=True, slots=True)
class NextTry:
    """What follows a failed attempt.

    Attributes:
        attempts: how many were made so far.
        at: when it is tried again, None for never: it is dead.
    """

    attempts: int
    at: datetime | None


def after_failure(
    failure: Failure, *, attempts: int, now: datetime, jitter: Callable[[], float]
) -> NextTry:
    """What follows an attempt that failed.

    Args:
        failure: why.
        attempts: how many there were, this one included.
        now: the present instant.
        jitter: gives a number in [0, 1), such as `random.random`.
    """
    throttled = failure.action is Action.THROTTLED
    # Waiting because a peer asks for it is no attempt.
    attempts -= throttled
    if failure.action is Action.PERMANENT or attempts >= MAX_ATTEMPTS:
        return NextTry(attempts, None)
    if throttled:
        asked = timedelta(seconds=failure.retry_after or 0)
        return NextTry(attempts, now + max(THROTTLED_DELAY, asked))
    return NextTry(attempts, now + delay(attempts, jitter, at_least=failure.retry_after))
