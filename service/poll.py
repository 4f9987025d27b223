"""Polling a procedure: what is new is listed at every tick, everything now and then.

Each page is stored in one commit together with the cursor that passed it. A full scan
walks from the last page to the first: lists are sorted by deposit, so rows that are
deleted or added while it walks can make it read a row twice but not miss one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection

from config import logs
from connectors.tps.v1.listing import ListedDossier, ListPage
from routing.failures import Action, Cause, Failure
from routing.retries import delay
from service.guards import outages
from service.guards.breakers import TPS, BreakerState
from service.guards.limits import LEASE, NEWEST_PAGE_SIZE, STOPPED_PROBE_INTERVAL, WORK_BUDGET
from service.runtime import Runtime
from store import dossiers, procedures
from store.audit.log import AuditEntry, Step
from store.dossiers import BACKLOG, FRESH, Lane, Sighting, Sightings
from store.leases import Lease
from store.procedures import Cursor, ProcedureStatus, unless_paused

log = logs.get_logger("tasks")


class PollOutcome(StrEnum):
    """How a poll ended."""

    DONE = "done"
    UNFINISHED = "unfinished"
    BUSY = "busy"
    LOST = "lost"
    FAILED = "failed"
    RESTING = "resting"
    """TPS as a whole fails, and is left alone for a moment; the procedure stays due."""


@dataclass(frozen=True, slots=True)
class PollReport:
    """What a poll brought.

    `cause` is the code of the failure that ended it; `malformed` counts rows of lists
    without a readable number, which nobody can ask TPS for.
    """

    outcome: PollOutcome
    new: int = 0
    changed: int = 0
    cause: str | None = None
    malformed: int = 0


UNKNOWN_PROCEDURE = frozenset({Cause.TPS_NOT_FOUND, Cause.TPS_REJECTED})
"""Said of a list, these mean that the procedure is not ours to read: a person must look."""


MOST_JUMPS = 3
"""How often a scan follows a list that grew while it was read; what comes later is new at the next
tick, and a list that grows with every page is read all the same."""


class LeaseLost(Exception):
    """Somebody else polls this procedure now: nothing of ours may be written any more."""


def poll(
    runtime: Runtime, number: int, *, full: bool = False, only_due: bool = False
) -> PollReport:
    """List what is new in a procedure, and scan all of it when that is due or asked for.

    Args:
        runtime: of this process.
        number: id of the procedure.
        full: scan all of it.
        only_due: leave it alone when it was polled a moment ago (`BUSY`), as after a
            wake-up that came twice.
    """
    runtime.breakers.refresh()
    if runtime.breakers.state(TPS) is BreakerState.OPEN:
        return PollReport(PollOutcome.RESTING)
    now = runtime.clock()
    lease = Lease(now, LEASE)
    with runtime.database.begin() as connection:
        cursor = procedures.claim(connection, number, lease, now, only_due=only_due)
    if cursor is None:
        return PollReport(PollOutcome.BUSY)
    tick = _Tick(runtime, cursor, lease, started_at=now)
    try:
        finished = tick.run(full=full)
    except LeaseLost:
        return PollReport(PollOutcome.LOST, tick.new, tick.changed)
    except Failure as failure:
        tick.postpone(failure)
        return PollReport(PollOutcome.FAILED, tick.new, tick.changed, failure.cause.value)
    except BaseException:
        tick.give_back()
        raise
    outcome = PollOutcome.DONE if finished else PollOutcome.UNFINISHED
    return PollReport(outcome, tick.new, tick.changed, malformed=tick.malformed)


class _Tick:
    """One claimed poll of one procedure."""

    def __init__(
        self, runtime: Runtime, cursor: Cursor, lease: Lease, *, started_at: datetime
    ) -> None:
        self.runtime = runtime
        self.cursor = cursor
        self.lease = lease
        self.started_at = started_at
        self.new = 0
        self.changed = 0
        self.malformed = 0

    def run(self, *, full: bool) -> bool:
        """Whether everything that was due is done; what is left is due at the next tick."""
        cursor = self.cursor
        complete = cursor.scanned and self._newest()
        if full or cursor.scan_due or not complete:
            return self._scan()
        self._finish()
        return True

    def _newest(self) -> bool:
        """List from the newest on until a page ends with a known one; False: a scan must tell."""
        number = 1
        while self._in_time():
            page = self._list(number, size=NEWEST_PAGE_SIZE, newest_first=True)
            if page.pages > 1 and not _descending(page.rows):
                return False
            seen = self._store(page, FRESH)
            if number >= page.pages or not page.rows or page.rows[-1].number not in seen.new:
                return True
            number += 1
        return False

    def _in_time(self) -> bool:
        in_time = self.runtime.clock() - self.started_at <= WORK_BUDGET
        return in_time and not self.runtime.stopping()

    def _scan(self) -> bool:
        """Walk through all pages, from where the cursor stands; False when time ran out."""
        cursor = self.cursor
        started_at = cursor.scan_started_at or self.started_at
        number = cursor.scan_page if cursor.scan_started_at else cursor.scan_pages
        number, pages = number or 1, cursor.scan_pages
        jumps, end = 0, 0
        while number >= 1:
            if not self._in_time():
                self._interrupt(started_at, number)
                return False
            try:
                page = self._list(number, size=self.runtime.settings.tps_page_size)
            except Failure as failure:
                if failure.cause is not Cause.TPS_NOT_FOUND or number == 1:
                    raise
                # Some servers answer so for a page that the list no longer has.
                number = 1
                self.cursor = cursor = replace(cursor, scan_pages=1)
                continue
            lane = FRESH if cursor.scanned else BACKLOG
            if not page.rows and 1 < number <= page.pages:
                number = end = self._last_filled(number, lane, started_at)
                continue
            if number == cursor.scan_pages and page.pages > number and jumps < MOST_JUMPS:
                self._store(page, lane, scan_started_at=started_at, next_page=page.pages)
                jumps, number, pages = jumps + 1, page.pages, page.pages
                self.cursor = cursor = replace(cursor, scan_pages=pages)
                continue
            pages = min(page.pages, end or page.pages)
            number = number - 1 if number <= page.pages else page.pages
            self._store(page, lane, scan_started_at=started_at, next_page=number)
        self._complete(started_at, pages)
        return True

    def _last_filled(self, empty: int, lane: Lane, started_at: datetime) -> int:
        """The last page with rows below the page `empty`; behind an empty page there are none.

        A list that says that it has many more pages than it has costs a few requests, not one
        for each. When time runs out it is `empty` itself.
        """
        filled = 0
        while empty - filled > 1 and self._in_time():
            middle = (empty + filled) // 2
            page = self._list(middle, size=self.runtime.settings.tps_page_size)
            self._store(page, lane, scan_started_at=started_at, next_page=empty)
            filled, empty = (middle, empty) if page.rows else (filled, middle)
        return empty if empty - filled > 1 else max(filled, 1)

    def _list(self, number: int, *, size: int, newest_first: bool = False) -> ListPage:
        self.runtime.throttle.take()
        page = self.runtime.tps.list_page(
            self.cursor.number, page=number, size=size, newest_first=newest_first
        )
        self.runtime.breakers.succeeded(TPS)
        return page

    def _store(
        self,
        page: ListPage,
        lane: Lane,
        *,
        scan_started_at: datetime | None = None,
        next_page: int | None = None,
    ) -> Sightings:
        """One commit: the page's rows, the cursor behind them, a longer lease."""
        now = self.runtime.clock()
        cursor_values = (
            {}
            if next_page is None
            else {"scan_started_at": scan_started_at, "scan_page": next_page}
        )
        with self.runtime.database.begin() as connection:
            self._advance(connection, lease_until=now + LEASE, **cursor_values)
            seen = dossiers.note_listed(
                connection,
                self.cursor.number,
                [
                    Sighting(row.number, row.filed_at, row.changed_at, row.state)
                    for row in page.rows
                ],
                now=now,
                lane=lane,
                scan_started_at=scan_started_at,
            )
            self.runtime.audit.append(connection, now, self._lines(seen))
        if page.malformed:
            log.warning("rows-malformed", count=page.malformed, procedure=self.cursor.number)
        self.malformed += page.malformed
        self.new += len(seen.new)
        self.changed += len(seen.changed)
        if seen.new or seen.changed:
            self.runtime.waker.route(self.cursor.number)
        return seen

    def _lines(self, seen: Sightings) -> list[AuditEntry]:
        number = self.cursor.number
        return [AuditEntry(step=Step.SEEN, procedure=number, number=new) for new in seen.new] + [
            AuditEntry(step=Step.CHANGED, procedure=number, number=changed)
            for changed in seen.changed
        ]

    def _advance(self, connection: Connection, **values: object) -> None:
        if not procedures.advance(connection, self.cursor.number, self.lease, **values):
            raise LeaseLost

    def _complete(self, started_at: datetime, pages: int) -> None:
        """The scan is through: absences are counted, and the next one gets its time."""
        now = self.runtime.clock()
        interval = timedelta(seconds=self.runtime.settings.scan_interval)
        with self.runtime.database.begin() as connection:
            dossiers.count_absences(
                connection, self.cursor.number, scan_started_at=started_at, now=now
            )
            self._release(
                connection,
                scanned_at=now,
                scan_started_at=None,
                scan_page=None,
                scan_pages=max(pages, 1),
                next_scan_at=now + interval,
            )

    def _finish(self) -> None:
        with self.runtime.database.begin() as connection:
            self._release(connection)

    def _release(self, connection: Connection, **values: object) -> None:
        """Give the procedure back in good order: due again after the interval."""
        now = self.runtime.clock()
        stopped = self.cursor.status is ProcedureStatus.STOPPED
        healed = unless_paused("status", ProcedureStatus.ACTIVE.value) if stopped else {}
        interval = timedelta(seconds=self.runtime.settings.poll_interval)
        kept = procedures.release(
            connection,
            self.cursor.number,
            self.lease,
            polled_at=now,
            failures=0,
            next_poll_at=self.started_at + interval,
            **unless_paused("reason", None),
            **healed,
            **values,
        )
        if not kept:
            raise LeaseLost
        if self.cursor.failures:
            outages.tps_is_back(self.runtime, connection, self.cursor.number)
        if stopped:
            line = AuditEntry(step=Step.PROCEDURE_RESUMED, procedure=self.cursor.number)
            self.runtime.audit.append(connection, now, [line])

    def _interrupt(self, started_at: datetime, page: int) -> None:
        """Time is up: the cursor stays where it is and the procedure is due at once."""
        with self.runtime.database.begin() as connection:
            kept = procedures.release(
                connection,
                self.cursor.number,
                self.lease,
                scan_started_at=started_at,
                scan_page=page,
                scan_pages=self.cursor.scan_pages,
                next_poll_at=self.runtime.clock(),
            )
        if kept:
            self.runtime.waker.poll(self.cursor.number)

    def give_back(self) -> None:
        """Let go of the procedure, which stays due: an unforeseen error ended this tick."""
        with self.runtime.database.begin() as connection:
            procedures.release(connection, self.cursor.number, self.lease)

    def postpone(self, failure: Failure) -> None:
        """TPS could not be read: come back later, or stop the procedure until it is mended."""
        self.runtime.throttle.heed(failure)
        if failure.action is Action.RETRY and outages.counts(self.runtime, failure):
            self.runtime.breakers.failed(TPS)
        if failure.action is Action.STOP_PROCEDURE or failure.cause in UNKNOWN_PROCEDURE:
            self._stop(failure)
            return
        failures = self.cursor.failures + (failure.action is not Action.THROTTLED)
        wait = delay(max(failures, 1), self.runtime.jitter, longest=timedelta(minutes=15))
        wait = max(wait, timedelta(seconds=failure.retry_after or 0))
        with self.runtime.database.begin() as connection:
            procedures.release(
                connection,
                self.cursor.number,
                self.lease,
                failures=failures,
                next_poll_at=self.runtime.clock() + wait,
                **unless_paused("reason", failure.cause.value),
            )

    def _stop(self, failure: Failure) -> None:
        now = self.runtime.clock()
        number = self.cursor.number
        with self.runtime.database.begin() as connection:
            held = procedures.release(
                connection,
                number,
                self.lease,
                next_poll_at=now + STOPPED_PROBE_INTERVAL,
                **unless_paused("status", ProcedureStatus.STOPPED.value),
                **unless_paused("reason", failure.cause.value),
            )
            if held and self.cursor.status is ProcedureStatus.ACTIVE:
                line = AuditEntry(
                    step=Step.PROCEDURE_STOPPED, procedure=number, reason=failure.cause.value
                )
                self.runtime.audit.append(connection, now, [line])


def _descending(rows: Sequence[ListedDossier]) -> bool:
    """Whether the rows are sorted by deposit, newest first, beyond doubt."""
    deposits = [row.filed_at for row in rows if row.filed_at is not None]
    if not deposits or len(deposits) < len(rows):
        return False
    return deposits == sorted(deposits, reverse=True) and deposits[0] > deposits[-1]
