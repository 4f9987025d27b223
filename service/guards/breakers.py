"""Circuit breakers: after repeated failures a target is not called for a while, then probed.

One for each target, its state shared by all workers: a mailbox, a procedure or a server
that is down neither takes time from the others nor uses up the attempts of deliveries.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from config import logs
from service.clock import Clock
from service.guards.redis_state import RedisState, SharedHash, parse_epoch

log = logs.get_logger("tasks")


class Kind(StrEnum):
    """What a breaker stands before."""

    TPS = "tps"
    """TPS as a whole; counts procedures that stopped answering and polls that failed."""
    PROCEDURE = "procedure"
    """Reading the dossiers of one procedure."""
    CHANNEL = "channel"
    """The way to all addresses of one channel: the mail server."""
    ADDRESS = "address"
    """The address of one unit on one channel: its mailbox."""


class BreakerState(StrEnum):
    """What a breaker lets through: everything, one probe, or nothing."""

    CLOSED = "closed"
    HALF_OPEN = "half-open"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Policy:
    """How soon a breaker opens, and how long it stays so.

    Attributes:
        failures: in a row, of all workers together.
        rest: until the next probe.
    """

    failures: int
    rest: timedelta


POLICIES = {
    Kind.TPS: Policy(3, timedelta(seconds=30)),
    Kind.PROCEDURE: Policy(5, timedelta(seconds=60)),
    # More than an address: two that fail one after the other must not look like the way to all.
    Kind.CHANNEL: Policy(7, timedelta(seconds=30)),
    Kind.ADDRESS: Policy(3, timedelta(seconds=60)),
}


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that can fail.

    Attributes:
        kind: of thing.
        procedure: its id.
        channel: kind of channel.
        unit: its code.
    """

    kind: Kind
    procedure: int | None = None
    channel: str | None = None
    unit: str | None = None

    @property
    def key(self) -> str:
        """Its name among the shared values; no two targets have the same."""
        names = (self.kind, self.procedure, self.channel, self.unit)
        return ":".join("" if name is None else str(name) for name in names)


TPS = Target(Kind.TPS)


def procedure(number: int) -> Target:
    """Reading the dossiers of a procedure."""
    return Target(Kind.PROCEDURE, procedure=number)


def way(channel: str) -> Target:
    """The way to all addresses of a channel."""
    return Target(Kind.CHANNEL, channel=channel)


def address(channel: str, unit: str) -> Target:
    """The address of a unit on a channel."""
    return Target(Kind.ADDRESS, channel=channel, unit=unit)


class Breakers:
    """The breakers of all targets: a count of failures, and since when each is open.

    Args:
        state: where the workers share them.
        clock: the present instant.
    """

    def __init__(self, state: RedisState, clock: Clock) -> None:
        self._hash = SharedHash(state, "breakers")
        self._clock = clock

    def refresh(self) -> None:
        """Read the state that all workers share; once for each batch."""
        self._hash.refresh()

    def state(self, target: Target) -> BreakerState:
        """What may be done now. A breaker whose rest is over asks for one probe."""
        opened_at = self._opened_at(target)
        if opened_at is None:
            return BreakerState.CLOSED
        rested = self._clock() - opened_at
        # A clock that was set back must not lengthen the rest.
        rests = timedelta(0) <= rested < POLICIES[target.kind].rest
        return BreakerState.OPEN if rests else BreakerState.HALF_OPEN

    def resting(self, targets: Collection[Target]) -> frozenset[Target]:
        """Those of `targets` whose breaker is open."""
        return frozenset(each for each in targets if self.state(each) is BreakerState.OPEN)

    def succeeded(self, target: Target) -> bool:
        """Count a success; True when that closes the breaker.

        A call that began before the breaker opened says nothing of what came after it.
        """
        state = self.state(target)
        if state is BreakerState.OPEN:
            return False
        self._hash.drop(_failures(target))
        if state is BreakerState.CLOSED:
            return False
        self._hash.drop(_opened(target))
        _log(target, opened=False)
        return True

    def failed(self, target: Target) -> bool:
        """Count a failure; True when the breaker is open now."""
        state = self.state(target)
        if state is BreakerState.OPEN:
            return True
        count = self._hash.add(_failures(target))
        if state is BreakerState.CLOSED and count < POLICIES[target.kind].failures:
            return False
        # By our clock, which is the one that says when the rest is over.
        self._hash.put(_opened(target), str(self._clock().timestamp()))
        _log(target, opened=True)
        return True

    def _opened_at(self, target: Target) -> datetime | None:
        """Since when it is open; None when it is not, and when Redis holds what we never wrote."""
        written = self._hash.get(_opened(target))
        return parse_epoch(written) if written else None


def _failures(target: Target) -> str:
    return f"{target.key}:failures"


def _opened(target: Target) -> str:
    return f"{target.key}:opened"


def _log(target: Target, *, opened: bool) -> None:
    """One line when a breaker opens and one when it closes."""
    state, procedure, channel = target.kind.value, target.procedure, target.channel
    if opened:
        log.warning(
            "breaker-opened", state=state, procedure=procedure, channel=channel, unit=target.unit
        )
    else:
        log.info(
            "breaker-closed", state=state, procedure=procedure, channel=channel, unit=target.unit
        )
