"""Polling a procedure: what is new is listed at every tick, everything at every scan.

A poll is a loop over pages: claim, ask for a page (no transaction open), commit it together
with the cursor that passed it, and so on; then release.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection

from config import logs
from connectors.tps.errors import FormChanged
from routing.failures import Action, Cause, Failure
from routing.forms import Form
from routing.listing import ListedDossier, Page
from routing.retries import delay
from routing.ruleset import RuleSet
from service.claim import Claim, claim_listed, give_back
from service.guards import outages
from service.guards.breakers import TPS, BreakerState
from service.guards.limits import LEASE, NEW_ACCESS_EARLY, STOPPED_PROBE_INTERVAL, WORK_BUDGET
from service.read import from_page
from service.register import polled_by
from service.report import Totals
from service.runtime import Runtime
from service.scan_interval import dossiers_by_procedure, scan_interval
from service.settle import announce, settle
from store import listing, polls
from store.dossiers import BACKLOG, FRESH
from store.leases import Lease
from store.listing import StoredPage
from store.polls import LeaseLost, PollClaim
from store.procedures import ProcedureStatus
from store.settle import Settled

log = logs.get_logger("tasks")

POLL_LONGEST_DELAY = timedelta(minutes=15)
"""Between two polls of a procedure that TPS does not answer for."""


class PollOutcome(StrEnum):
    """How a poll ended."""

    DONE = "done"
    UNFINISHED = "unfinished"
    BUSY = "busy"
    """Another worker polls the procedure, it was polled a moment ago, or it has no rules."""
    LOST = "lost"
    FAILED = "failed"
    RESTING = "resting"
    """The breaker of TPS is open; the procedure stays due."""


@dataclass(frozen=True, slots=True)
class PageFacts(Totals, Settled):
    """What became of the dossiers whose facts came with a page: `claimed` of them."""

    claimed: int = 0


@dataclass(frozen=True, slots=True)
class PollReport:
    """What a poll brought.

    Attributes:
        outcome: how it ended.
        new: dossiers never seen before.
        changed: known dossiers that changed in TPS.
        cause: code of the failure that ended it, None without one.
        malformed: rows of lists without a readable number, which TPS cannot be asked for.
        settled: what became of the dossiers whose facts came with their page.
    """

    outcome: PollOutcome
    new: int = 0
    changed: int = 0
    cause: str | None = None
    malformed: int = 0
    settled: PageFacts = PageFacts()

    def plus(self, page: Page, stored: StoredPage, settled: PageFacts) -> "PollReport":
        """The report with one page more."""
        return replace(
            self,
            new=self.new + len(stored.new),
            changed=self.changed + len(stored.changed),
            malformed=self.malformed + page.malformed,
            settled=self.settled + settled,
        )


class WalkKind(StrEnum):
    """What a procedure is walked through for."""

    CHANGES = "changes"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Poll:
    """One claimed poll.

    Attributes:
        claim: of the procedure.
        rules: in force when it began.
        form: of the procedure.
        started_at: when it began; the start of a full scan that begins with it, too.
        full: whether everything is walked through even if that is not due.
    """

    claim: PollClaim
    rules: RuleSet
    form: Form
    started_at: datetime
    full: bool

    @property
    def number(self) -> int:
        """Id of the procedure."""
        return self.form.procedure

    @property
    def scan_started_at(self) -> datetime:
        """Start of the full scan under way, or of the one that this poll begins."""
        return self.claim.scan_started_at or self.started_at


@dataclass(frozen=True, slots=True)
class _Position:
    """Where a poll stands: the walk it is in, None when all are done, and the cursor."""

    walk: WalkKind | None
    cursor: str | None


UNKNOWN_PROCEDURE = frozenset({Cause.TPS_NOT_FOUND, Cause.TPS_REJECTED})
"""Said of a list, these mean that the procedure is not ours to read: a person must look."""


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
    rules = runtime.rules()
    form = rules.forms.get(number)
    if form is None:
        return PollReport(PollOutcome.BUSY)
    now = runtime.clock()
    with runtime.database.begin() as connection:
        claim = polls.claim(
            connection,
            number,
            Lease(now, LEASE),
            now,
            only_due=only_due,
            access_hash=runtime.tps_access_hash,
            early=NEW_ACCESS_EARLY,
        )
    if claim is None:
        return PollReport(PollOutcome.BUSY)
    try:
        return _walk(runtime, _Poll(claim=claim, rules=rules, form=form, started_at=now, full=full))
    except BaseException:
        with runtime.database.begin() as connection:
            polls.give_back(connection, claim)
        raise


def _walk(runtime: Runtime, polling: _Poll) -> PollReport:
    """Page after page until all that was due is done, time is up, or TPS fails."""
    report = PollReport(PollOutcome.DONE)
    at = _start(polling.claim)
    scanned = False
    try:
        while at.walk is not None:
            if not _in_time(runtime, polling):
                return _interrupt(runtime, polling, at, report)
            page = _ask(runtime, polling, at)
            stored, claim = _store(runtime, polling, at.walk, page)
            settled = _settle(runtime, claim, page) if claim else PageFacts()
            report = report.plus(page, stored, settled)
            if settled.claimed - settled.given_back < stored.due:
                runtime.waker.route(polling.number)
            scanned = at.walk is WalkKind.EVERYTHING and not page.more
            at = _next(polling, at.walk, page, stored)
        _finish(runtime, polling, at.cursor, scanned=scanned)
    except LeaseLost:
        return replace(report, outcome=PollOutcome.LOST)
    except Failure as failure:
        _postpone(runtime, polling, failure)
        return replace(report, outcome=PollOutcome.FAILED, cause=failure.cause.value)
    return report


def _start(claim: PollClaim) -> _Position:
    """A procedure that was never scanned has nothing to compare what is new with."""
    return _Position(WalkKind.CHANGES if claim.scanned else WalkKind.EVERYTHING, claim.cursor)


def _next(polling: _Poll, walk: WalkKind, page: Page, stored: StoredPage) -> _Position:
    """Where a poll goes on after a page."""
    known = page.ends_at_known is not None and page.ends_at_known not in stored.new
    cursor = page.cursor_at_known if known and page.cursor_at_known else page.cursor
    if page.more and not known:
        return _Position(walk, cursor)
    due = polling.full or polling.claim.scan_due or page.scan_needed
    return _Position(WalkKind.EVERYTHING if walk is WalkKind.CHANGES and due else None, cursor)


def _in_time(runtime: Runtime, polling: _Poll) -> bool:
    in_time = runtime.clock() - polling.started_at <= WORK_BUDGET
    return in_time and not runtime.stopping()


def _ask(runtime: Runtime, polling: _Poll, at: _Position) -> Page:
    """The next page, with no transaction open."""
    runtime.throttle_for(polling.form).take()
    tps = runtime.tps_for(polling.form)
    ask = tps.everything if at.walk is WalkKind.EVERYTHING else tps.changes
    page = ask(polling.form, polling.rules.permit_types, at.cursor)
    runtime.breakers.succeeded(TPS)
    return page


def _store(
    runtime: Runtime, polling: _Poll, walk: WalkKind, page: Page
) -> tuple[StoredPage, Claim | None]:
    """One commit: the page's rows, the cursor behind them, a longer lease, audit entries.

    Returns as well the claim of those dossiers whose facts came with the page, None without any.
    """
    now = runtime.clock()
    scanning = walk is WalkKind.EVERYTHING
    with runtime.database.begin() as connection:
        stored = listing.store_page(
            connection,
            runtime.audit,
            polling.claim,
            page,
            lane=BACKLOG if scanning and not polling.claim.scanned else FRESH,
            now=now,
            lease_until=now + LEASE,
            scan_started_at=polling.scan_started_at if scanning else None,
        )
        rows = _with_facts(polling, page, stored)
        numbers = [row.number for row in rows]
        claim = (
            claim_listed(runtime, connection, polling.rules, polling.form, numbers)
            if numbers
            else None
        )
    if page.malformed:
        log.warning("rows-malformed", count=page.malformed, procedure=polling.number)
    return stored, claim


def _with_facts(polling: _Poll, page: Page, stored: StoredPage) -> Sequence[ListedDossier]:
    """The rows that are due and need no reading; a paused procedure keeps them waiting."""
    if polling.claim.status is ProcedureStatus.PAUSED:
        return ()
    due = {*stored.new, *stored.changed}
    return [row for row in page.rows if row.number in due and (row.facts or row.failure)]


def _settle(runtime: Runtime, claim: Claim, page: Page) -> PageFacts:
    """A second commit: what follows from the facts that came with a page.

    What keeps it from being made leaves the dossiers to `service.route`, one by one.
    """
    try:
        with runtime.database.begin() as connection:
            settled = settle(runtime, connection, claim, from_page(claim, page.rows))
    except BaseException:
        give_back(runtime, claim)
        raise
    announce(runtime, claim, settled)
    return PageFacts(**asdict(settled), claimed=len(claim.dossiers))


def _finish(runtime: Runtime, polling: _Poll, cursor: str | None, *, scanned: bool) -> None:
    """All that was due is done: a scan that is through counts absences."""
    now, settings = runtime.clock(), runtime.settings
    with runtime.database.begin() as connection:
        if scanned:
            listing.count_absences(
                connection, polling.number, scan_started_at=polling.scan_started_at, now=now
            )
        polls.finish(
            connection,
            runtime.audit,
            polling.claim,
            cursor=cursor,
            now=now,
            next_poll_at=polling.started_at + timedelta(seconds=settings.poll_interval),
            next_scan_at=now + _scan_interval(runtime, polling, connection) if scanned else None,
        )
        if polling.claim.failures:
            outages.tps_is_back(runtime, connection, polling.number)


def _scan_interval(runtime: Runtime, polling: _Poll, connection: Connection) -> timedelta:
    return scan_interval(
        runtime.settings,
        api=polling.form.api or runtime.settings.tps_api,
        polled=len(polled_by(polling.rules, runtime.settings)),
        dossiers=dossiers_by_procedure(connection)[polling.number],
    )


def _interrupt(runtime: Runtime, polling: _Poll, at: _Position, report: PollReport) -> PollReport:
    """Time is up: the walk goes on at the cursor, and the procedure is due at once."""
    with runtime.database.begin() as connection:
        polls.interrupt(connection, polling.claim, cursor=at.cursor, due_at=runtime.clock())
    runtime.waker.poll(polling.number)
    return replace(report, outcome=PollOutcome.UNFINISHED)


def _pause(runtime: Runtime, polling: _Poll, failure: Failure) -> None:
    """The form is another than the configuration says: nothing is decided until a person looks."""
    now, number = runtime.clock(), polling.number
    reason = failure.reason if isinstance(failure, FormChanged) else failure.cause.value
    with runtime.database.begin() as connection:
        paused = polls.pause(
            connection,
            runtime.audit,
            polling.claim,
            reason=reason,
            now=now,
            probe_at=now + STOPPED_PROBE_INTERVAL,
        )
    if paused:
        log.error("procedure-paused", procedure=number, reason=reason)


def _postpone(runtime: Runtime, polling: _Poll, failure: Failure) -> None:
    """TPS could not be read: come back later, or stop the procedure until it is mended."""
    runtime.throttle_for(polling.form).pause_if_throttled(failure)
    if failure.action is Action.RETRY and outages.counts(runtime, failure):
        runtime.breakers.failed(TPS)
    if failure.action is Action.PAUSE_PROCEDURE:
        _pause(runtime, polling, failure)
        return
    now, claim = runtime.clock(), polling.claim
    if failure.action is Action.STOP_PROCEDURE or failure.cause in UNKNOWN_PROCEDURE:
        with runtime.database.begin() as connection:
            polls.stop(
                connection,
                runtime.audit,
                claim,
                reason=failure.cause.value,
                now=now,
                probe_at=now + STOPPED_PROBE_INTERVAL,
            )
        return
    failures = claim.failures + (failure.action is not Action.THROTTLED)
    wait = delay(max(failures, 1), runtime.jitter, longest=POLL_LONGEST_DELAY)
    wait = max(wait, timedelta(seconds=failure.retry_after or 0))
    with runtime.database.begin() as connection:
        polls.postpone(
            connection,
            claim,
            failures=failures,
            reason=failure.cause.value,
            due_at=now + wait,
        )
