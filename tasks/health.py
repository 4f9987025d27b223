"""Health: once a minute it is looked how long things wait; what waits too long is an incident.

People are told once when it begins and once when it is over.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from config import logs
from config.settings import Settings
from connectors.mail.alarm import Alarm, compose_alarm
from connectors.mail.sender import Sender
from routing.failures import Failure
from routing.incidents import IncidentKind, Trouble
from store import incidents
from store.audit import Line, Step
from store.incidents import StoredIncident
from store.leases import Lease
from store.overview import Wait, Waits, waits
from tasks import heartbeat
from tasks.breakers import MAIL_SERVER, Permit
from tasks.limits import LEASE
from tasks.runtime import Runtime

WATCHED = frozenset(IncidentKind) - {IncidentKind.RULES_REFUSED}
"""The kinds that are looked for here; whoever reads the rules opens and closes the other."""

CALM = 0.5
"""An incident of age is over when the age is below half of what opened it: else one that
stays around the limit would open and close with every look."""

log = logs.get_logger("tasks")


@dataclass(slots=True)
class HealthReport:
    """What one look found; `told` counts mails."""

    opened: int = 0
    closed: int = 0
    lasting: int = 0
    told: int = 0


def check(runtime: Runtime) -> HealthReport:
    """Look, open and close incidents, beat, and tell those who run the service."""
    report = HealthReport()
    _look(runtime, report)
    heartbeat.beat(runtime.settings)
    if runtime.settings.ops_mailbox:
        _tell(runtime, runtime.settings.ops_mailbox, report)
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


def troubles(
    waiting: Waits,
    settings: Settings,
    now: datetime,
    known: Collection[tuple[IncidentKind, str]] = (),
) -> Iterator[Trouble]:
    """What is wrong now.

    Args:
        waiting: what waits.
        settings: with the ages from which on it is wrong.
        now: the present instant.
        known: kind and subject of the incidents that last.
    """
    aged = (
        (IncidentKind.UNREAD, waiting.unread, settings.alarm_unread_after),
        (IncidentKind.UNSENT, waiting.unsent, settings.alarm_unsent_after),
        (IncidentKind.QUARANTINED, waiting.quarantined, settings.alarm_quarantined_after),
        (IncidentKind.UNROUTED, waiting.unrouted, settings.alarm_unrouted_after),
        (IncidentKind.POLL_LAG, _lag(waiting, settings, now), settings.alarm_poll_lag_after),
    )
    for kind, wait, seconds in aged:
        limit = timedelta(seconds=seconds) * (CALM if (kind, "") in known else 1)
        if wait.since is not None and now - wait.since >= limit:
            yield Trouble(kind=kind, count=wait.count, since=wait.since)
    for cause, wait in waiting.dead.items():
        yield Trouble(
            kind=IncidentKind.DEAD_LETTERS, subject=cause, count=wait.count, since=wait.since
        )
    for cause, numbers in waiting.stopped.items():
        yield Trouble(kind=IncidentKind.STOPPED, subject=cause, count=len(numbers))
    for number in waiting.paused:
        yield Trouble(kind=IncidentKind.DRIFT, subject=str(number), count=1)


def _lag(waiting: Waits, settings: Settings, now: datetime) -> Wait:
    """Since when the procedure that waits longest was not polled, and how many wait too long."""
    limit = timedelta(seconds=settings.alarm_poll_lag_after)
    late = sum(now - at >= limit for at in waiting.polled.values())
    return Wait(late, min(waiting.polled.values(), default=None))


def _line(step: Step, kind: IncidentKind, subject: str) -> Line:
    about_procedure = kind is IncidentKind.DRIFT
    return Line(
        step=step,
        event=kind.value,
        procedure=int(subject) if about_procedure else None,
        reason=None if about_procedure else subject or None,
    )


def _tell(runtime: Runtime, mailbox: str, report: HealthReport) -> None:
    """Tell of what nobody was told of yet; what cannot be told now is told at a later look."""
    runtime.breakers.refresh()
    if runtime.breakers.permit(MAIL_SERVER) is Permit.NONE:
        return
    lease = Lease(runtime.clock(), LEASE)
    with runtime.database.begin() as connection:
        untold = incidents.claim_untold(connection, lease, runtime.clock())
    if not untold:
        return
    try:
        with runtime.sender() as sender:
            for incident in untold:
                _tell_of(runtime, sender, mailbox, incident, lease, report)
    except Failure as failure:
        log.warning("alarm-not-told", cause=failure.cause.value, status=failure.status)
    finally:
        with runtime.database.begin() as connection:
            incidents.give_back(connection, lease)


def _tell_of(
    runtime: Runtime,
    sender: Sender,
    mailbox: str,
    incident: StoredIncident,
    lease: Lease,
    report: HealthReport,
) -> None:
    news = [(False, incident.opening_untold), (True, incident.closing_untold)]
    for over in (over for over, untold in news if untold):
        mail = compose_alarm(
            _alarm(incident, over=over),
            sender=runtime.settings.mail_from,
            recipient=mailbox,
            at=runtime.clock(),
        )
        sender.send(mail)
        with runtime.database.begin() as connection:
            told = incidents.told(connection, incident, lease, runtime.clock(), over=over)
        report.told += told


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
