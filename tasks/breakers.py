"""Circuit breakers: what fails again and again is left alone for a while, then tried once.

One for each target, its state shared by all workers: a mailbox, a procedure or a server
that is down neither takes time from the others nor uses up anybody's attempts.
"""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import pybreaker

from config import logs
from tasks.clock import Clock
from tasks.shared import Board, Shared

log = logs.get_logger("tasks")


class Kind(StrEnum):
    """What a breaker stands before."""

    TPS = "tps"
    """TPS as a whole; counts procedures that stopped answering and polls that failed."""
    PROCEDURE = "procedure"
    """Reading the dossiers of one procedure."""
    MAIL_SERVER = "mail-server"
    MAILBOX = "mailbox"
    """The mailbox of one unit."""


class Permit(StrEnum):
    """What a breaker lets through."""

    ALL = "all"
    PROBE = "probe"
    NONE = "none"


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
    # More than a mailbox: two that fail one after the other must not look like the server.
    Kind.MAIL_SERVER: Policy(7, timedelta(seconds=30)),
    Kind.MAILBOX: Policy(3, timedelta(seconds=60)),
}


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that can fail: `name` is a procedure's id or a unit's code."""

    kind: Kind
    name: str = ""


TPS = Target(Kind.TPS)
MAIL_SERVER = Target(Kind.MAIL_SERVER)


def procedure(number: int) -> Target:
    """Reading the dossiers of a procedure."""
    return Target(Kind.PROCEDURE, str(number))


def mailbox(unit: str) -> Target:
    """The mailbox of a unit."""
    return Target(Kind.MAILBOX, unit)


class Breakers:
    """The breakers of all targets, made when they are asked for.

    Args:
        shared: where the workers share their state.
        clock: the present instant.
    """

    def __init__(self, shared: Shared, clock: Clock) -> None:
        self._board = Board(shared, "breakers")
        self._clock = clock
        self._made: dict[Target, pybreaker.CircuitBreaker] = {}

    def refresh(self) -> None:
        """Learn what other workers met; once for each batch."""
        self._board.refresh()

    def permit(self, target: Target) -> Permit:
        """What may be done now. A breaker whose rest is over asks for one probe."""
        breaker = self._breaker(target)
        if breaker.current_state == pybreaker.STATE_CLOSED:
            return Permit.ALL
        if breaker.current_state == pybreaker.STATE_HALF_OPEN:
            return Permit.PROBE
        if self._rests(breaker):
            return Permit.NONE
        breaker.half_open()
        return Permit.PROBE

    def resting(self, targets: Collection[Target]) -> frozenset[Target]:
        """Those of `targets` that are to be left alone now."""
        return frozenset(each for each in targets if self.permit(each) is Permit.NONE)

    def succeeded(self, target: Target) -> bool:
        """Tell that a call went well; True when that closes the breaker."""
        breaker = self._breaker(target)
        closed = breaker.current_state == pybreaker.STATE_CLOSED
        if (closed and not breaker.fail_counter) or breaker.current_state == pybreaker.STATE_OPEN:
            return False
        breaker.call(_well)
        return not closed

    def failed(self, target: Target) -> bool:
        """Tell that a call failed; True when the breaker is open now."""
        breaker = self._breaker(target)
        if breaker.current_state != pybreaker.STATE_OPEN:
            with suppress(_Missed):
                breaker.call(_missed)
        return breaker.current_state == pybreaker.STATE_OPEN

    def _breaker(self, target: Target) -> pybreaker.CircuitBreaker:
        if target not in self._made:
            policy = POLICIES[target.kind]
            self._made[target] = pybreaker.CircuitBreaker(
                fail_max=policy.failures,
                reset_timeout=policy.rest.total_seconds(),
                state_storage=_Storage(self._board, target, self._clock),
                listeners=[_Logging(target)],
                throw_new_error_on_trip=False,
            )
        return self._made[target]

    def _rests(self, breaker: pybreaker.CircuitBreaker) -> bool:
        opened_at = breaker._state_storage.opened_at  # noqa: SLF001 - it has no public face
        if opened_at is None:
            return False
        rested = self._clock() - opened_at
        # A clock that was set back must not lengthen the rest.
        return timedelta(0) <= rested < timedelta(seconds=breaker.reset_timeout)


class _Missed(Exception):
    """A call that failed, in the words of the library."""


def _well() -> None:
    """A call that went well."""


def _missed() -> None:
    raise _Missed


class _Storage(pybreaker.CircuitBreakerStorage):
    """The state of one breaker on the board.

    The library's own storage for Redis takes a breaker for closed while Redis is away,
    logs a traceback for each look, and cannot be made while Redis is away.
    """

    def __init__(self, board: Board, target: Target, clock: Clock) -> None:
        super().__init__("board")
        self._board = board
        self._clock = clock
        self._prefix = f"{target.kind}:{target.name}:"
        self._successes = 0

    @property
    def state(self) -> str:
        return self._board.get(f"{self._prefix}state") or pybreaker.STATE_CLOSED

    @state.setter
    def state(self, state: str) -> None:
        if state == pybreaker.STATE_CLOSED:
            self._board.drop(f"{self._prefix}state")
            self._board.drop(f"{self._prefix}opened")
        else:
            self._board.put(f"{self._prefix}state", state)

    @property
    def counter(self) -> int:
        return int(self._board.get(f"{self._prefix}failures") or 0)

    def increment_counter(self) -> None:
        self._board.add(f"{self._prefix}failures")

    def reset_counter(self) -> None:
        self._board.drop(f"{self._prefix}failures")

    @property
    def success_counter(self) -> int:
        return self._successes

    def increment_success_counter(self) -> None:
        self._successes += 1

    def reset_success_counter(self) -> None:
        self._successes = 0

    @property
    def opened_at(self) -> datetime | None:
        written = self._board.get(f"{self._prefix}opened")
        return datetime.fromtimestamp(float(written), UTC) if written else None

    @opened_at.setter
    def opened_at(self, _now: datetime) -> None:
        # By our clock, which is the one that says when the rest is over.
        self._board.put(f"{self._prefix}opened", str(self._clock().timestamp()))


class _Logging(pybreaker.CircuitBreakerListener):
    """One line when a breaker opens and one when it closes, in each process that sees it."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def state_change(
        self,
        cb: pybreaker.CircuitBreaker,
        old_state: pybreaker.CircuitBreakerState | None,
        new_state: pybreaker.CircuitBreakerState,
    ) -> None:
        kind, name = self._target.kind, self._target.name
        unit = name if kind is Kind.MAILBOX else None
        number = int(name) if kind is Kind.PROCEDURE else None
        if new_state.name == pybreaker.STATE_OPEN:
            log.warning("breaker-opened", state=kind.value, procedure=number, unit=unit)
        elif new_state.name == pybreaker.STATE_CLOSED:
            log.info("breaker-closed", state=kind.value, procedure=number, unit=unit)
