"""One poll → route → deliver pass in this process, without a broker."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

from sqlalchemy.exc import InterfaceError, OperationalError

from config import logs
from config.settings import SettingsError
from routing.failures import Cause
from service.deliver import DeliverReport, deliver
from service.digests import make_digests
from service.guards.throttle import MINUTE_SECONDS, SHELF_LIFE_SECONDS
from service.poll import PageFacts, PollOutcome, PollReport, poll
from service.register import register_procedures
from service.reminders import queue_reminders
from service.request_count import add_requests
from service.route import RouteReport, route
from service.runtime import Runtime

log = logs.get_logger("service")

Progress = Callable[[str, int], None]
"""Told of each stage and of how much it just did."""


@dataclass(slots=True)
class PassReport:
    """What one pass did; `failures` counts what did not go as it should."""

    polls: dict[int, PollReport] = field(default_factory=dict)
    routing: RouteReport = field(default_factory=RouteReport)
    delivery: DeliverReport = field(default_factory=DeliverReport)

    @property
    def failures(self) -> int:
        """Polls that failed, dossiers set aside, held or not read, deliveries not made."""
        unwell = {PollOutcome.FAILED, PollOutcome.RESTING}
        polls = sum(
            report.outcome in unwell or report.malformed > 0 for report in self.polls.values()
        )
        routing = self.routing.quarantined + self.routing.held + self.routing.given_back
        return polls + routing + self.delivery.retried + self.delivery.dead


def run_once(runtime: Runtime, *, progress: Progress = lambda _stage, _done: None) -> PassReport:
    """Poll every procedure in full, read what is due, send what is due.

    Args:
        runtime: of this process.
        progress: told of each stage (`poll`, `route`, `deliver`) and how much it did.
    """
    report = PassReport()
    # Nothing else waits for this process: it may wait for its turn with TPS.
    for throttle in runtime.throttles.values():
        throttle.patience = float(MINUTE_SECONDS + SHELF_LIFE_SECONDS)
    runtime.single_pass = True
    for number in register_procedures(runtime):
        try:
            report.polls[number] = polled = _poll_to_the_end(runtime, number)
            progress("poll", 1)
            report.routing += _of_pages(polled.settled, progress)
            report.routing += _route_all(runtime, number, progress)
        except (SettingsError, OperationalError, InterfaceError):
            # Settings and database are every procedure's.
            raise
        except Exception:
            cause = Cause.INTERNAL.value
            log.exception("procedure-failed", procedure=number, cause=cause)
            report.polls[number] = PollReport(PollOutcome.FAILED, cause=cause)
    queue_reminders(runtime)
    make_digests(runtime)
    report.delivery = _deliver_all(runtime, progress)
    add_requests(runtime, now=True)
    return report


def _poll_to_the_end(runtime: Runtime, number: int) -> PollReport:
    settled = PageFacts()
    while True:
        result = poll(runtime, number, full=True)
        settled += result.settled
        if result.outcome is not PollOutcome.UNFINISHED:
            return replace(result, settled=settled)


def _of_pages(settled: PageFacts, progress: Progress) -> RouteReport:
    """What was routed by the facts that came with pages."""
    if settled.claimed:
        progress("route", settled.claimed - settled.given_back)
    return RouteReport(**asdict(settled))


def _route_all(runtime: Runtime, number: int, progress: Progress) -> RouteReport:
    total = RouteReport(more=True)
    while total.more:
        batch = route(runtime, number)
        total += batch
        progress("route", batch.claimed - batch.given_back)
    return total


def _deliver_all(runtime: Runtime, progress: Progress) -> DeliverReport:
    total = DeliverReport(more=True)
    while total.more:
        batch = deliver(runtime)
        total += batch
        progress("deliver", batch.sent)
    return total
