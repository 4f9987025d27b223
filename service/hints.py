"""Hints of TPS: looked at now instead of at the next poll, and otherwise not believed."""

from collections.abc import Sequence
from datetime import datetime

from service.runtime import Runtime
from service.waker import Waker
from store import hints
from store.hints import Due, Tip


def take(runtime: Runtime, tips: Sequence[Tip]) -> Due:
    """Store hints in one commit; what they make due is for the caller to wake."""
    now = runtime.clock()
    return runtime.database.run(lambda connection: hints.note(connection, tips, now))


def follow(runtime: Runtime, now: datetime) -> Due:
    """Make due what earlier hints asked for and could not have at once."""
    return runtime.database.run(lambda connection: hints.follow(connection, now))


def wake(waker: Waker, due: Due) -> None:
    """Wake workers for what became due."""
    for procedure in sorted(due.polls):
        waker.poll(procedure)
    for procedure in sorted(due.routes):
        waker.route(procedure)
