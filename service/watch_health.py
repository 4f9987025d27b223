"""Health: what waits too long is an incident; an alarm tells of its beginning and of its end."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from config import logs
from connectors.alarm.mail import compose_alarm
from connectors.alarm.notice import Alarm
from connectors.alarm.post import post_alarm
from routing.failures import Failure
from routing.incidents import IncidentKind
from routing.units import MAIL_CHANNEL
from service import heartbeat
from service.consumers import unserved_queues
from service.disabled import disabled_now
from service.guards import breakers
from service.guards.breakers import BreakerState
from service.guards.limits import LEASE
from service.incidents import (
    WATCHED,
    disabled_addresses,
    expiring_certificate,
    present_incidents,
)
from service.mail import mail_sender
from service.register import polled_procedures
from service.report import Totals
from service.runtime import Runtime
from store import heartbeats, incidents, procedures
from store.audit.log import AuditEntry, Step
from store.incidents import StoredIncident, Way
from store.leases import Lease
from store.overview import waits

log = logs.get_logger("tasks")


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport(Totals):
    """What one check found.

    Attributes:
        opened: incidents that began.
        closed: incidents that are over.
        lasting: incidents that there are now.
        told: messages sent about them.
    """

    opened: int = 0
    closed: int = 0
    lasting: int = 0
    told: int = 0


def check(runtime: Runtime, *, alive: Collection[str] = ()) -> HealthReport:
    """Open and close incidents, alarm those who run the service, and send the heartbeat.

    The heartbeat is withheld while there is an incident of which no alarm could be sent: its
    absence is then the alarm.

    Args:
        runtime: of this process.
        alive: parts of the service that were just seen alive.
    """
    with runtime.database.begin() as connection:
        heartbeats.note(connection, alive, runtime.clock())
    report = _record(runtime) + HealthReport(told=_tell(runtime))
    with runtime.database.read() as connection:
        silent = incidents.known_to_nobody(connection)
    if silent:
        log.warning("heartbeat-withheld", count=report.lasting)
    else:
        heartbeat.beat(runtime.settings)
    return report


def _record(runtime: Runtime) -> HealthReport:
    """Store which incidents began and which are over."""
    now = runtime.clock()
    polled, rules = polled_procedures(runtime), runtime.rules()
    with runtime.database.begin() as connection:
        known = [each for each in incidents.lasting(connection) if each.kind in WATCHED]
        open_ = {(each.kind, each.subject) for each in known}
        waiting = waits(connection, polled)
        disabled = disabled_now(runtime, connection, rules)
        found = {
            (present.kind, present.subject): present
            for present in (
                *present_incidents(waiting, runtime.settings, now, open_),
                *disabled_addresses(disabled.values()),
                *expiring_certificate(runtime.settings, now),
                *unserved_queues(connection, polled, now, open_),
            )
        }
        opened = [
            _entry(Step.INCIDENT_OPENED, present.kind, present.subject)
            for present in found.values()
            if incidents.note(connection, present, now)
        ]
        closed = [
            _entry(Step.INCIDENT_CLOSED, incident.kind, incident.subject)
            for incident in known
            if (incident.kind, incident.subject) not in found
            and incidents.close(connection, incident, now)
        ]
        runtime.audit.append(connection, now, [*opened, *closed])
        failing = procedures.failing(connection, polled)
    stopped = {cause: len(numbers) for cause, numbers in waiting.stopped.items()}
    for cause, count in (stopped | failing).items():
        log.warning("polls-failing", cause=cause, count=count)
    return HealthReport(opened=len(opened), closed=len(closed), lasting=len(found))


def _entry(step: Step, kind: IncidentKind, subject: str) -> AuditEntry:
    about_procedure = kind is IncidentKind.DRIFT
    return AuditEntry(
        step=step,
        event=kind.value,
        procedure=int(subject) if about_procedure else None,
        reason=None if about_procedure else subject or None,
    )


def _tell(runtime: Runtime) -> int:
    """Send the alarms that were not sent yet, in each way there is; how many were sent.

    An alarm that fails is sent at a later check. What needs no mail comes first: it is the
    only way to tell that the mail server fails.
    """
    ways = _ways(runtime)
    if not ways:
        return 0
    lease = Lease(runtime.clock(), LEASE)
    with runtime.database.begin() as connection:
        untold = incidents.claim_untold(connection, ways, lease, runtime.clock())
    if not untold:
        return 0
    try:
        return sum(_tell_by(runtime, untold, way, opened, lease) for way, opened in ways.items())
    finally:
        with runtime.database.begin() as connection:
            incidents.give_back(connection, lease)


Tell = Callable[[Alarm], None]


def _ways(runtime: Runtime) -> dict[Way, Callable[[], AbstractContextManager[Tell]]]:
    """The ways in which an alarm can be sent now, in the order in which they are tried."""
    ways: dict[Way, Callable[[], AbstractContextManager[Tell]]] = {}
    if runtime.settings.alarm_url:
        ways[Way.POST] = lambda: _by_post(runtime)
    if runtime.settings.ops_mailbox:
        runtime.breakers.refresh()
        if runtime.breakers.state(breakers.way(MAIL_CHANNEL)) is not BreakerState.OPEN:
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
    with mail_sender(settings) as sender:
        yield lambda alarm: sender.send(
            compose_alarm(
                alarm,
                sender=settings.mail_from,
                recipient=settings.ops_mailbox or "",
                at=runtime.clock(),
            )
        )


def _tell_by(
    runtime: Runtime,
    untold: Sequence[StoredIncident],
    way: Way,
    opened: Callable[[], AbstractContextManager[Tell]],
    lease: Lease,
) -> int:
    """Send alarms in one way until one fails; how many were sent."""
    sent = 0
    try:
        with opened() as tell:
            for incident in untold:
                for over in incident.untold(way):
                    tell(_alarm(incident, over=over))
                    with runtime.database.begin() as connection:
                        now = runtime.clock()
                        sent += incidents.told(connection, incident, way, lease, now, over=over)
    except Failure as failure:
        log.warning("alarm-not-told", cause=failure.cause.value, status=failure.status)
    return sent


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
