"""The samples of each metric, from one look at the service."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from routing.incidents import IncidentKind
from service.metrics import Snapshot
from store import tallies
from store.procedures import ProcedureStatus
from web.metrics import families as metric
from web.metrics.families import Metric

SHORT = 12
"""Digits of a hash that are enough to tell two apart."""

PROGRAM = "work-in-france-routing"

_COUNTED = {
    tallies.Metric.DOSSIERS: metric.DOSSIERS,
    tallies.Metric.DELIVERIES: metric.DELIVERIES,
    tallies.Metric.ATTEMPTS: metric.ATTEMPTS,
    tallies.Metric.REQUESTS: metric.REQUESTS,
    tallies.Metric.FILED_TO_SEEN: metric.SEEN,
    tallies.Metric.FILED_TO_SENT: metric.SENT,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One value: of a metric, under the values of its labels.

    Attributes:
        metric: what it is a sample of.
        labels: in the order of the metric's own; not checked yet.
        value: a number, in the unit that the metric's name says.
        bucket: of a histogram: the upper bound, or `tallies.SUM`.
    """

    metric: Metric
    labels: tuple[str, ...]
    value: float
    bucket: str | None = None


def build() -> Iterator[Sample]:
    """What is known without the database."""
    yield Sample(metric.BUILD, (version(PROGRAM),), 1)


def samples(seen: Snapshot) -> Iterator[Sample]:
    """Everything that a look at the service tells."""
    yield from _rules(seen)
    yield from _tallied(seen)
    yield from _procedures(seen)
    yield from _waiting(seen)
    yield from _shared(seen)
    yield from _signs_of_life(seen)


def _rules(seen: Snapshot) -> Iterator[Sample]:
    if seen.activation is not None:
        yield Sample(metric.RULE_SET, (seen.activation.hash[:SHORT],), 1)
        yield Sample(metric.ACTIVATED, (), seen.activation.at.timestamp())


def _tallied(seen: Snapshot) -> Iterator[Sample]:
    for cell in seen.cells:
        counted = _COUNTED.get(tallies.Metric(cell.metric))
        if counted is None:
            continue
        is_latency = cell.metric in tallies.LATENCIES
        values = {
            metric.Label.PROCEDURE: str(cell.procedure),
            metric.Label.PERMIT_TYPE: cell.permit_type,
            metric.Label.DEPARTMENT: cell.department,
            metric.Label.CHANNEL: cell.channel,
            metric.Label.OUTCOME: cell.outcome,
            metric.Label.STATUS: cell.outcome,
        }
        labels = tuple(values[label] for label in counted.labels)
        yield Sample(counted, labels, cell.amount, cell.outcome if is_latency else None)


def _procedures(seen: Snapshot) -> Iterator[Sample]:
    for row in seen.procedures:
        number = str(row.number)
        yield Sample(metric.PROCEDURE, (number, row.status), 1)
        yield Sample(metric.FAILURES, (number,), row.failures)
        if row.polled_at is not None:
            yield Sample(metric.POLLED, (number,), row.polled_at.timestamp())
        if row.status == ProcedureStatus.ACTIVE:
            # One that was never polled waits since it is known.
            since = row.polled_at or row.next_scan_at
            yield Sample(metric.LAG, (number,), _age(since, seen.at))


def _waiting(seen: Snapshot) -> Iterator[Sample]:
    waits = {
        "unread": seen.waits.unread,
        "unsent": seen.waits.unsent,
        "unrouted": seen.waits.unrouted,
        "quarantined": seen.waits.quarantined,
    }
    for what, wait in waits.items():
        yield Sample(metric.WAITING, (what,), wait.count)
        yield Sample(metric.OLDEST, (what,), _age(wait.since, seen.at))
    for cause, wait in seen.waits.dead.items():
        yield Sample(metric.DEAD, (cause,), wait.count)
    yield Sample(metric.UNSEALED, (), _age(seen.seals.unsealed_since, seen.at))
    if seen.seals.sealed_at is not None:
        yield Sample(metric.SEALED, (), seen.seals.sealed_at.timestamp())


def _shared(seen: Snapshot) -> Iterator[Sample]:
    for kind in IncidentKind:
        yield Sample(metric.INCIDENTS, (kind.value,), seen.incidents.get(kind.value, 0))
    for breaker, count in (seen.breakers or {}).items():
        yield Sample(metric.BREAKERS, (breaker.value,), count)
    if seen.limit_used is not None:
        yield Sample(metric.LIMIT, (), seen.limit_used)


def _signs_of_life(seen: Snapshot) -> Iterator[Sample]:
    for pulse in seen.pulses:
        yield Sample(metric.PARTS, (pulse.name,), pulse.seen_at.timestamp())
    heard: dict[int, float] = {}
    for source in seen.sources:
        at = source.heard_at.timestamp()
        heard[source.procedure] = max(at, heard.get(source.procedure, 0.0))
    for procedure, at in heard.items():
        yield Sample(metric.HEARD, (str(procedure),), at)


def _age(since: datetime | None, now: datetime) -> float:
    """In seconds; 0 where nothing waits, and where a clock says that it will."""
    return max(0.0, (now - since).total_seconds()) if since else 0.0
