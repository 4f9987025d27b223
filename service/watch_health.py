"""Health: once a minute it is looked how long things wait; what waits too long is an incident.

People are told once when it begins and once when it is over.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from config import logs
from connectors.alarm.mail import compose_alarm
from connectors.alarm.notice import Alarm
from connectors.alarm.post import post_alarm
from routing.failures import Failure
from routing.incidents import IncidentKind
from service import heartbeat
from service.guards.breakers import MAIL_SERVER, BreakerState
from service.guards.limits import LEASE
from service.incidents import WATCHED, troubles
from service.runtime import Runtime
from store import heartbeats, incidents, procedures
from store.audit.log import AuditEntry, Step
from store.incidents import StoredIncident, Way
from store.leases import Lease
from store.overview import waits

log = logs.get_logger("tasks")


@dataclass(slots=True)
class HealthReport:
    """What one look found; `told` counts messages."""

    opened: int = 0
    closed: int = 0
    lasting: int = 0
    told: int = 0


def check(runtime: Runtime, *, alive: Collection[str] = ()) -> HealthReport:
    """Look, open and close incidents, tell those who run the service, and beat.

    The heart does not beat while something is wrong of which nobody could be told: then its
    silence is the alarm.

    Args:
        runtime: of this process.
        alive: parts of the service that were just seen alive.
    """
    with runtime.database.begin() as connection:
        heartbeats.note(connection, alive, runtime.clock())
    report = HealthReport()
    _look(runtime, report)
    _tell(runtime, report)
    with runtime.database.read() as connection:
        silent = incidents.known_to_nobody(connection)
    if silent:
        log.warning("heartbeat-withheld", count=report.lasting)
    else:
        heartbeat.beat(runtime.settings)
    return report


def _look(runtime: Runtime, report: HealthReport) -> None:
    now = runtime.clock()
    polled = runtime.polled_procedures()
    with runtime.database.begin() as connection:
        known = [each for each in incidents.lasting(connection) if each.kind in WATCHED]
        open_ = {(each.kind, each.subject) for each in known}
        found = {
            (trouble.kind, trouble.subject): trouble
            for trouble in troubles(waits(connection, polled), runtime.settings, now, open_)
        }
        opened = [
            _line(Step.INCIDENT_OPENED, trouble.kind, trouble.subject)
            for trouble in found.values()
            if incidents.note(connection, trouble, now)
        ]
        closed = [
            _line(Step.INCIDENT_CLOSED, incident.kind, incident.subject)
            for incident in known
            if (incident.kind, incident.subject) not in found
            and incidents.close(connection, incident, now)
        ]
        runtime.audit.append(connection, now, [*opened, *closed])
    report.opened, report.closed, report.lasting = len(opened), len(closed), len(found)
    failing = {
        trouble.subject: trouble.count
        for trouble in found.values()
        if trouble.kind is IncidentKind.STOPPED
    }
    with runtime.database.read() as connection:
        failing |= procedures.failing(connection, polled)
    for cause, count in failing.items():
        log.warning("polls-failing", cause=cause, count=count)


def _line(step: Step, kind: IncidentKind, subject: str) -> AuditEntry:
    about_procedure = kind is IncidentKind.DRIFT
    return AuditEntry(
        step=step,
        event=kind.value,
        procedure=int(subject) if about_procedure else None,
        reason=None if about_procedure else subject or None,
    )


def _tell(runtime: Runtime, report: HealthReport) -> None:
    """Tell of what was not told yet, in each way there is; what fails is told at a later look.

    What needs no mail comes first: it is the only one that can tell of a mail server's end.
    """
    ways = _ways(runtime)
    if not ways:
        return
    lease = Lease(runtime.clock(), LEASE)
    with runtime.database.begin() as connection:
        untold = incidents.claim_untold(connection, ways, lease, runtime.clock())
    if not untold:
        return
    try:
        for way, opened in ways.items():
            _tell_in_one_way(runtime, untold, way, opened, lease, report)
    finally:
        with runtime.database.begin() as connection:
            incidents.give_back(connection, lease)


Tell = Callable[[Alarm], None]


def _ways(runtime: Runtime) -> dict[Way, Callable[[], AbstractContextManager[Tell]]]:
    """How somebody can be told now, in the order in which it is tried."""
    ways: dict[Way, Callable[[], AbstractContextManager[Tell]]] = {}
    if runtime.settings.alarm_url:
        ways[Way.POST] = lambda: _by_post(runtime)
    if runtime.settings.ops_mailbox:
        runtime.breakers.refresh()
        if runtime.breakers.state(MAIL_SERVER) is not BreakerState.OPEN:
            ways[Way.MAIL] = lambda: _by_mail(runtime)
    return ways


@contextmanager
def _by_post(runtime: Runtime) -> Iterator[Tell]:
    url = runtime.settings.alarm_url
    assert url is not None  # noqa: S101 - else there is no such way
    yield lambda alarm: post_alarm(url.get_secret_value(), alarm)


@contextmanager
def _by_mail(runtime: Runtime) -> Iterator[Tell]:
    settings = runtime.settings
    with runtime.sender() as sender:
        yield lambda alarm: sender.send(
            compose_alarm(
                alarm,
                sender=settings.mail_from,
                recipient=settings.ops_mailbox or "",
                at=runtime.clock(),
            )
        )


def _tell_in_one_way(
    runtime: Runtime,
    untold: list[StoredIncident],
    way: Way,
    opened: Callable[[], AbstractContextManager[Tell]],
    lease: Lease,
    report: HealthReport,
) -> None:
    try:
        with opened() as tell:
            for incident in untold:
                for over in incident.untold(way):
                    tell(_alarm(incident, over=over))
                    with runtime.database.begin() as connection:
                        now = runtime.clock()
                        done = incidents.told(connection, incident, way, lease, now, over=over)
                    report.told += done
    except Failure as failure:
        log.warning("alarm-not-told", cause=failure.cause.value, status=failure.status)


def _alarm(incident: StoredIncident, *, over: bool) -> Alarm:
    began = f"{incident.kind.value}.{incident.subject}.{incident.opened_at.isoformat()}"
    return Alarm(
        key=f"{began}.{'over' if over else 'begun'}",
        kind=incident.kind,
        subject=incident.subject,
        count=incident.count,
        since=None if over else incident.since,
        opened_at=incident.opened_at,
        closed_at=incident.closed_at if over else None,
    )
