"""Time slices: a task works batch after batch for a moment, what was just filed first.

A message for every batch would cost more than the batch's own bookkeeping. A slice is
short, so that no kind of work waits long for a process while another has a backlog.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TypeVar

from config import logs
from connectors.channels import DEFAULT_CHANNEL
from service.deliver import DeliverReport, deliver
from service.guards.limits import TIME_SLICE
from service.route import RouteReport, route
from service.runtime import Runtime
from store import dossier_claims

log = logs.get_logger("tasks")


Report = TypeVar("Report", RouteReport, DeliverReport)


def route_slice(runtime: Runtime, procedure: int, *, lasts: timedelta = TIME_SLICE) -> RouteReport:
    """Route dossiers of `procedure`, and before each batch those that were just filed anywhere.

    `more` of the report tells whether there is more of `procedure` to do at once.
    """
    in_time = _deadline(lasts)
    work = partial(_route_fresh_first, runtime, procedure, in_time)
    return _while_more(work, RouteReport(more=True), in_time)


def deliver_slice(
    runtime: Runtime, channel: str = DEFAULT_CHANNEL, *, lasts: timedelta = TIME_SLICE
) -> DeliverReport:
    """Make deliveries on one channel, those of dossiers that were just filed first.

    `more` of the report tells whether there is more to do at once.
    """
    in_time = _deadline(lasts)
    work = partial(deliver, runtime, channels=(channel,))
    return _while_more(work, DeliverReport(more=True), in_time)


def _while_more(work: Callable[[], Report], total: Report, in_time: Callable[[], bool]) -> Report:
    """Do batches until there is no more to do at once or the time slice is over."""
    while total.more and in_time():
        total += work()
    return total


def _route_fresh_first(
    runtime: Runtime, procedure: int, in_time: Callable[[], bool]
) -> RouteReport:
    total = RouteReport()
    for number in _fresh(runtime, besides=procedure):
        if in_time():
            total += _route(runtime, number)
    # A batch begins within the time slice or not at all: it has time limits of its own.
    return total + _route(runtime, procedure) if in_time() else replace(total, more=True)


def _route(runtime: Runtime, procedure: int) -> RouteReport:
    with logs.bound(procedure=procedure):
        report = route(runtime, procedure)
        if report.claimed:
            done = report.routed + report.unrouted
            log.info(
                "dossiers-routed",
                count=done,
                recorded=report.recorded,
                quarantined=report.quarantined,
            )
    return report


def _fresh(runtime: Runtime, *, besides: int) -> Iterator[int]:
    """The procedures with dossiers that were just filed, longest due first."""
    with runtime.database.autocommit_read() as connection:
        found = dossier_claims.procedures_with_fresh(connection, runtime.clock())
    return (number for number in found if number != besides)


def _deadline(lasts: timedelta) -> Callable[[], bool]:
    """Whether the time slice that begins now still lasts."""
    until = time.monotonic() + lasts.total_seconds()
    return lambda: time.monotonic() < until
