"""Which parts of the service live, and queues whose work no worker takes."""

from collections.abc import Collection, Iterator
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from config.settings import Settings
from routing.incidents import IncidentKind, PresentIncident
from routing.ruleset import RuleSet
from routing.units import GROUP_CHANNEL
from service import queues
from service.write_back import followed_procedures
from store import heartbeats, overview
from store.heartbeats import GAP, Pulse
from store.overview import Wait


class Liveness(StrEnum):
    """What is known of a part of the service."""

    ALIVE = "alive"
    SILENT = "silent"
    UNKNOWN = "unknown"
    """The part that observes the others is silent."""


def observer(pulses: Collection[Pulse]) -> Pulse | None:
    """The part that notes who lives, None before it was ever seen: workers on `upkeep`."""
    return next((pulse for pulse in pulses if pulse.name == queues.UPKEEP), None)


def liveness(pulse: Pulse, pulses: Collection[Pulse], now: datetime) -> Liveness:
    """What is known of one of `pulses` now."""
    if pulse.is_alive(now):
        return Liveness.ALIVE
    observing = observer(pulses)
    known = pulse is observing or (observing is not None and observing.is_alive(now))
    return Liveness.SILENT if known else Liveness.UNKNOWN


def needed(settings: Settings, rules: RuleSet) -> tuple[str, ...]:
    """The queues that get work under these settings and rules."""
    kinds = {channel.kind for unit in rules.units.values() for channel in unit.channels}
    if not followed_procedures(settings, rules):
        # Units name their groups before anything is moved there.
        kinds.discard(GROUP_CHANNEL)
    used = {
        queues.POLL,
        queues.ROUTE,
        queues.DELIVER,
        queues.UPKEEP,
        *map(queues.of_channel, kinds),
    }
    return tuple(name for name in queues.ALL if name in used)


def unserved(pulses: Collection[Pulse], wanted: Collection[str], now: datetime) -> Iterator[str]:
    """Those of `wanted` that no worker takes; none while nobody could tell."""
    observing = observer(pulses)
    if observing is None or not observing.is_alive(now):
        return
    seen = {pulse.name: pulse.seen_at for pulse in pulses}
    for name in wanted:
        if now - max(seen.get(name, observing.since), observing.since) >= GAP:
            yield name


def unserved_queues(
    connection: Connection,
    polled: Collection[int],
    now: datetime,
    known: Collection[tuple[IncidentKind, str]] = (),
) -> Iterator[PresentIncident]:
    """An incident for each queue with work that waits for a worker in vain.

    One that lasts is over when a worker is seen or the work is done, not while nobody could tell.

    Args:
        connection: a transaction.
        polled: the procedures of the rule set in force.
        now: the present instant.
        known: kind and subject of the incidents that last.
    """
    pulses = heartbeats.listing(connection)
    alive = {pulse.name for pulse in pulses if pulse.is_alive(now)}
    lasting = {subject for kind, subject in known if kind is IncidentKind.UNSERVED}
    missed = {*unserved(pulses, queues.ALL, now), *(lasting - alive)}
    for name in filter(missed.__contains__, queues.ALL):
        work = _due(connection, name, polled, now)
        if work.since is not None and now - work.since >= GAP:
            yield PresentIncident(
                kind=IncidentKind.UNSERVED, subject=name, count=work.count, since=work.since
            )


def _due(connection: Connection, queue: str, polled: Collection[int], now: datetime) -> Wait:
    """The work of a queue that is due."""
    if queue == queues.POLL:
        return overview.due_polls(connection, polled, now)
    if queue == queues.ROUTE:
        return overview.due_dossiers(connection, polled, now)
    kind = queues.kind_of(queue)
    return Wait(0, None) if kind is None else overview.due_deliveries(connection, kind, now)
