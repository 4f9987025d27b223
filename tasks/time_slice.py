"""A turn: one batch after the other for a moment, and in each what was just filed comes first.

A message for every batch would cost more than the batch's own bookkeeping. A turn is
short, so that no kind of work waits long for a process while another has a backlog.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

from config import logs
from connectors.channels import DEFAULT_CHANNEL
from service.deliver import DeliverReport, deliver
from service.guards.limits import TURN
from service.route import RouteReport, route
from service.runtime import Runtime
from store import dossier_claims

log = logs.get_logger("tasks")


def route_turn(runtime: Runtime, procedure: int, *, lasts: timedelta = TURN) -> RouteReport:
    """Route dossiers of `procedure`, and before each batch those that any form has just got.

    `more` of the report tells whether there is more of `procedure` to do at once.
    """
    total = RouteReport(more=True)
    in_time = _clock(lasts)
    while total.more and in_time():
        for number in _fresh(runtime, besides=procedure):
            if in_time():
                total = replace(total + _route(runtime, number), more=True)
        # A batch begins within the turn or not at all: it has time limits of its own.
        if in_time():
            total += _route(runtime, procedure)
    return total


def deliver_turn(
    runtime: Runtime, channel: str = DEFAULT_CHANNEL, *, lasts: timedelta = TURN
) -> DeliverReport:
    """Make deliveries on one channel, those of dossiers that were just filed first.

    `more` of the report tells whether there is more to do at once.
    """
    total = DeliverReport(more=True)
    in_time = _clock(lasts)
    while total.more and in_time():
        total += deliver(runtime, channels=(channel,))
    return total


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


def _clock(lasts: timedelta) -> Callable[[], bool]:
    """Whether it is still the turn that begins now."""
    until = time.monotonic() + lasts.total_seconds()
    return lambda: time.monotonic() < until
