"""The sweep: wakes workers for due work whose wake-up was lost."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from config import logs
from connectors.channels import CHANNELS
from service import hints
from service.digests import make_digests
from service.guards.limits import LEASE, NEW_ACCESS_EARLY
from service.register import register_procedures
from service.runtime import Runtime
from service.scan_interval import longest_scan_interval
from service.waker import Waker
from store import clock_repair, deliveries, dossier_claims, procedures, tallies

log = logs.get_logger("tasks")


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What a sweep found due."""

    procedures: int
    deliveries: bool


def wake_due_polls(runtime: Runtime, waker: Waker | None = None) -> int:
    """Wake a poll for each procedure whose time has come; returns how many.

    Args:
        runtime: of this process.
        waker: how workers are woken, when not by the runtime's.
    """
    waker = waker or runtime.waker
    polled = register_procedures(runtime)
    with runtime.database.read() as connection:
        # Read after registering: a new procedure is due now, not at the next tick.
        numbers = procedures.due(connection, polled, runtime.clock(), early=NEW_ACCESS_EARLY)
    for number in numbers:
        waker.poll(number)
    return len(numbers)


def sweep(runtime: Runtime, waker: Waker | None = None) -> SweepReport:
    """Wake workers for all that is due and unclaimed: messages are only wake-ups.

    It starts nothing itself, so that sweeping twice does no harm: a claim is taken once.

    Args:
        runtime: of this process.
        waker: how workers are woken, when not by the runtime's.
    """
    waker = waker or runtime.waker
    now = runtime.clock()
    _put_clocks_right(runtime, now)
    hints.follow(runtime, now)
    runtime.database.run(tallies.sum_up)
    make_digests(runtime, waker)
    # Also when one is noted to wait: it may be lost with the worker that had taken it.
    wake_due_polls(runtime, waker)
    with runtime.database.read() as connection:
        numbers = dossier_claims.procedures_with_work(connection, now)
        due = deliveries.channels_due(connection, CHANNELS, now)
    for number in numbers:
        waker.route(number)
    for channel in due:
        waker.deliver(channel)
    return SweepReport(len(numbers), bool(due))


def _put_clocks_right(runtime: Runtime, now: datetime) -> None:
    """Make due what a clock that was wrong has put off for too long."""
    settings = runtime.settings
    with runtime.database.begin() as connection:
        changed = clock_repair.put_right(
            connection,
            now,
            lease=LEASE,
            poll_interval=timedelta(seconds=settings.poll_interval),
            scan_interval=longest_scan_interval(connection, settings),
        )
    if changed:
        log.warning("clock-was-wrong", count=changed)
