"""Purging: dossiers that ended before the retention horizon are removed, in small commits."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.runtime import Runtime
from service.statistics.count import keep_counts
from store import digests, procedures, restored_sends, retention
from store.audit.log import AuditEntry, Step
from store.retention import Overdue, Removed

BATCH = 500


@dataclass(slots=True)
class PurgeReport:
    """What was removed, or would be.

    Attributes:
        horizon: what ended before this instant.
        dossiers: how many.
        deliveries: how many went with them.
        complete: False when time ran out; the next run goes on.
    """

    horizon: datetime
    dossiers: int = 0
    deliveries: int = 0
    complete: bool = True

    def add(self, removed: Removed) -> None:
        """Count a batch in."""
        self.dossiers += len(removed.numbers)
        self.deliveries += removed.deliveries


def purge(
    runtime: Runtime,
    *,
    dry_run: bool = False,
    within: timedelta | None = None,
    progress: Callable[[int], None] = lambda _dossiers: None,
    batch: int = BATCH,
) -> PurgeReport:
    """Remove every dossier that ended longer ago than `WIF_RETENTION_DAYS`, with its deliveries.

    A dossier ends when its office decides it, or when TPS deletes it. Each leaves one audit
    line, so that its trace has an end.

    Args:
        runtime: of this process.
        dry_run: only count.
        within: how long to go on; to the end when None.
        progress: told how many dossiers are removed, or counted, so far.
        batch: dossiers removed in one commit.
    """
    started_at = runtime.clock()
    report = PurgeReport(started_at - timedelta(days=runtime.settings.retention_days))
    if not dry_run:
        with runtime.database.begin() as connection:
            restored_sends.forget(connection, before=report.horizon)
    for overdue in _overdue(runtime, report.horizon):
        if dry_run:
            with runtime.database.read() as connection:
                report.add(retention.count(connection, overdue))
            progress(report.dossiers)
            continue
        while (removed := _remove(runtime, overdue, batch)).numbers:
            report.add(removed)
            progress(report.dossiers)
            if within is not None and runtime.clock() - started_at > within:
                report.complete = False
                return report
    if not dry_run:
        with runtime.database.begin() as connection:
            digests.remove_empty(connection, report.horizon)
    return report


def _overdue(runtime: Runtime, horizon: datetime) -> Iterator[Overdue]:
    """What may be removed, by procedure."""
    configured = runtime.rules().forms
    with runtime.database.read() as connection:
        known = [row.number for row in procedures.listing(connection)]
    for number in known:
        yield Overdue(procedure=number, horizon=horizon, dropped=number not in configured)


def _remove(runtime: Runtime, overdue: Overdue, batch: int) -> Removed:
    now = runtime.clock()
    with runtime.database.begin() as connection:
        removed = retention.remove(connection, overdue, limit=batch)
        keep_counts(connection, removed.counted)
        runtime.audit.append(
            connection,
            now,
            [
                AuditEntry(step=Step.PURGED, procedure=overdue.procedure, number=number)
                for number in removed.numbers
            ],
        )
    return removed
