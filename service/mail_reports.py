"""Monthly reports by mail, on the first working day of the month: each unit's own to its mailbox,
the national one to that of the fallback unit, once the month is public.

They have an outbox of their own: queued in one commit, claimed with a lease, tried again as any
message is. A copy has the same `Message-ID` and the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from config import logs
from connectors.report_mail import Report, compose_report
from routing.calendar import paris_day
from routing.failures import Action, Cause, Failure
from routing.retries import after_failure
from routing.ruleset import RuleSet
from routing.units import MAIL_CHANNEL
from service.guards.limits import LEASE, WORK_BUDGET
from service.mail import mail_sender
from service.monthly_report import (
    UnitReport,
    national_report,
    previous_month,
    unit_reports,
)
from service.monthly_workbook import french_month, national_workbook, unit_workbook
from service.runtime import Runtime
from service.statistics.publish import publish_when_due, settled_at
from store import report_mails
from store.audit.log import AuditEntry, Step
from store.leases import Lease
from store.report_mails import ClaimedReport

EVENT = "monthly-report"

log = logs.get_logger("tasks")


@dataclass(slots=True)
class ReportMailsReport:
    """What one run did."""

    queued: int = 0
    sent: int = 0
    failed: int = 0


def mail_reports(runtime: Runtime) -> ReportMailsReport:
    """Queue the reports of last month once they are due, and mail those that are queued."""
    done = ReportMailsReport()
    if not runtime.settings.monthly_reports:
        return done
    now = runtime.clock()
    rules = runtime.rules()
    month = previous_month(paris_day(now))
    if settled_at(month) <= now:
        done.queued = _queue(runtime, rules, month, now)
    lease = Lease(now, LEASE)
    with runtime.database.begin() as connection:
        claimed = report_mails.claim(connection, lease, now)
    made: dict[date, Sequence[UnitReport]] = {}
    for report in claimed:
        if runtime.stopping() or runtime.clock() - now > WORK_BUDGET:
            break
        if report.month not in made:
            with runtime.database.read() as connection:
                made[report.month] = unit_reports(connection, report.month)
        failure = _send(runtime, rules, made[report.month], report)
        _store(runtime, report, failure, lease)
        done.sent += failure is None
        done.failed += failure is not None
    return done


def _queue(runtime: Runtime, rules: RuleSet, month: date, now: datetime) -> int:
    waiting = publish_when_due(runtime, within=WORK_BUDGET).waiting
    with runtime.database.read() as connection:
        queued = report_mails.queued(connection, month)
        made = () if queued else unit_reports(connection, month)
    units = {each.unit for each in made if _address(rules, each.unit)} - {rules.fallback}
    # Its figures are those of the public month: while that is not complete, it waits.
    units |= set() if waiting else {rules.fallback} - queued
    with runtime.database.begin() as connection:
        report_mails.queue(connection, month, sorted(units), now)
        lines = [_entry(Step.QUEUED, unit) for unit in sorted(units)]
        runtime.audit.append(connection, now, lines)
    return len(units)


def _send(
    runtime: Runtime, rules: RuleSet, made: Sequence[UnitReport], report: ClaimedReport
) -> Failure | None:
    try:
        address = _address(rules, report.unit)
        if address is None:
            return Failure(Cause.CHANNEL_MISSING)
        envelope = compose_report(
            _report(runtime, rules, made, report),
            prefix=runtime.settings.subject_prefix,
            sender=runtime.settings.mail_from,
            recipient=address,
            at=runtime.clock(),
        )
        with mail_sender(runtime.settings) as sender:
            sender.send(envelope)
    except Failure as failure:
        return failure
    except Exception:
        # One report that our own code cannot make must not keep the others.
        log.exception("report-failed", unit=report.unit)
        return Failure(Cause.INTERNAL)
    return None


def _report(
    runtime: Runtime, rules: RuleSet, made: Sequence[UnitReport], report: ClaimedReport
) -> Report:
    if report.unit == rules.fallback:
        with runtime.database.read() as connection:
            national = national_report(connection, report.month)
        whose = "national"
        content = national_workbook(national, rules, report.created_at)
        about = "Ce sont les chiffres de toutes les unités ; les petits nombres n’y figurent pas."
    else:
        found = next((each for each in made if each.unit == report.unit), None)
        if found is None:
            raise Failure(Cause.CHANNEL_MISSING)
        whose = report.unit
        content = unit_workbook(found, rules, report.created_at)
        about = "Ce sont les chiffres de votre unité, en entier : ils ne sont envoyés qu’à elle."
    return Report(
        unit=report.unit,
        month=french_month(report.month),
        file=f"rapport-{report.month:%Y-%m}-{whose}.xlsx",
        content=content,
        about=about,
    )


def _address(rules: RuleSet, code: str) -> str | None:
    unit = rules.units.get(code)
    channels = unit.channels if unit else ()
    return next((known.address for known in channels if known.kind == MAIL_CHANNEL), None)


def _store(runtime: Runtime, report: ClaimedReport, failure: Failure | None, lease: Lease) -> None:
    now = runtime.clock()
    attempts, next_at, step = report.attempts, None, Step.SENT
    if failure is not None:
        later = after_failure(failure, attempts=report.attempts, now=now, jitter=runtime.jitter)
        attempts, next_at = later.attempts, later.at
        throttled = failure.action is Action.THROTTLED
        step = Step.DEAD if next_at is None else Step.THROTTLED if throttled else Step.RETRIED
    cause = failure.cause.value if failure else None
    with runtime.database.begin() as connection:
        ours = report_mails.finish(
            connection,
            report,
            lease,
            attempts=attempts,
            next_attempt_at=next_at,
            reason=cause,
        )
        if ours:
            runtime.audit.append(connection, now, [_entry(step, report.unit, cause)])


def _entry(step: Step, unit: str, reason: str | None = None) -> AuditEntry:
    return AuditEntry(step=step, event=EVENT, channel=MAIL_CHANNEL, unit=unit, reason=reason)
