"""Which incidents there are now, derived from how long things wait. Pure."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta

from config.settings import Settings
from config.smime import EXPIRES_SOON, expires_at
from routing.incidents import IncidentKind, PresentIncident
from store.disabled_addresses import Disabled
from store.overview import Wait, Waits

WATCHED = frozenset(IncidentKind) - {IncidentKind.RULES_REFUSED, IncidentKind.WEBHOOK_OFF}
"""The kinds that are derived here; publishing rules and asking TPS for its webhooks open and
close the others."""

COUNTED = WATCHED - {IncidentKind.CHANNEL_DISABLED, IncidentKind.CERTIFICATE, IncidentKind.UNSERVED}
"""The kinds that `present_incidents` derives from what waits."""

CLOSES_BELOW = 0.5
"""An incident of age is over when the age is below half of what opened it: else one that
stays around the limit would open and close with every look."""


def present_incidents(
    waiting: Waits,
    settings: Settings,
    now: datetime,
    known: Collection[tuple[IncidentKind, str]] = (),
) -> Iterator[PresentIncident]:
    """The incidents that there are now.

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
        limit = timedelta(seconds=seconds) * (CLOSES_BELOW if (kind, "") in known else 1)
        if wait.since is not None and now - wait.since >= limit:
            yield PresentIncident(kind=kind, count=wait.count, since=wait.since)
    for cause, wait in waiting.dead.items():
        yield PresentIncident(
            kind=IncidentKind.DEAD_LETTERS, subject=cause, count=wait.count, since=wait.since
        )
    for cause, numbers in waiting.stopped.items():
        yield PresentIncident(kind=IncidentKind.STOPPED, subject=cause, count=len(numbers))
    for number in waiting.paused:
        yield PresentIncident(kind=IncidentKind.DRIFT, subject=str(number), count=1)


def disabled_addresses(disabled: Iterable[Disabled]) -> Iterator[PresentIncident]:
    """An incident for each address that wants nothing more."""
    for each in disabled:
        yield PresentIncident(
            kind=IncidentKind.CHANNEL_DISABLED,
            subject=f"{each.channel}.{each.unit}",
            count=1,
            since=each.disabled_at,
        )


def expiring_certificate(settings: Settings, now: datetime) -> Iterator[PresentIncident]:
    """An incident when the certificate that mails are signed with ends soon, or has ended."""
    if settings.smime_certificate and expires_at(settings.smime_certificate) - now < EXPIRES_SOON:
        yield PresentIncident(kind=IncidentKind.CERTIFICATE, count=1)


def _lag(waiting: Waits, settings: Settings, now: datetime) -> Wait:
    """Since when the procedure that waits longest was not polled, and how many wait too long."""
    limit = timedelta(seconds=settings.alarm_poll_lag_after)
    late = sum(now - at >= limit for at in waiting.polled.values())
    return Wait(late, min(waiting.polled.values(), default=None))
