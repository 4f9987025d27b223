"""Monthly reports that are to be mailed: queued once a month, claimed, sent, tried again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select, update

from store.leases import Lease
from store.models import ReportMail
from store.upsert import insert_new

PENDING, SENT, DEAD = "pending", "sent", "dead"


@dataclass(frozen=True, slots=True)
class ClaimedReport:
    """A report that is ours to mail.

    Attributes:
        month: its first day.
        unit: whose report; the fallback unit's is the national one.
        attempts: this one included.
        created_at: when it was queued: the report shows this instant at every attempt.
    """

    month: date
    unit: str
    attempts: int
    created_at: datetime


def queued(connection: Connection, month: date) -> set[str]:
    """The units whose reports of a month were queued."""
    query = select(ReportMail.unit).where(ReportMail.month == month)
    return set(connection.execute(query).scalars())


def queue(connection: Connection, month: date, units: Iterable[str], now: datetime) -> None:
    """Queue a report for each unit, due at once; one that exists is left alone."""
    rows = [
        {
            "month": month,
            "unit": unit,
            "state": PENDING,
            "attempts": 0,
            "next_attempt_at": now,
            "created_at": now,
        }
        for unit in units
    ]
    if rows:
        connection.execute(insert_new(connection, ReportMail), rows)


def claim(connection: Connection, lease: Lease, now: datetime) -> list[ClaimedReport]:
    """Take every report that is due; the attempt is counted."""
    taken = connection.execute(
        update(ReportMail)
        .where(ReportMail.state == PENDING, ReportMail.next_attempt_at <= now)
        .values(
            lease_token=lease.token,
            next_attempt_at=lease.until,
            attempts=ReportMail.attempts + 1,
        )
        .returning(ReportMail.month, ReportMail.unit, ReportMail.attempts, ReportMail.created_at)
    )
    return sorted((ClaimedReport(*row) for row in taken), key=lambda each: each.unit)


def finish(
    connection: Connection,
    report: ClaimedReport,
    lease: Lease,
    *,
    attempts: int,
    next_attempt_at: datetime | None,
    reason: str | None,
) -> bool:
    """Store what became of an attempt; False when another worker has the lease.

    Args:
        connection: the transaction.
        report: the claimed one.
        lease: under which.
        attempts: how many it has cost.
        next_attempt_at: when it is tried again, None for never.
        reason: why it failed, None when it was sent.
    """
    ended = DEAD if reason else SENT
    done = connection.execute(
        update(ReportMail)
        .where(
            ReportMail.month == report.month,
            ReportMail.unit == report.unit,
            ReportMail.lease_token == lease.token,
        )
        .values(
            state=PENDING if next_attempt_at else ended,
            attempts=attempts,
            next_attempt_at=next_attempt_at,
            reason=reason,
            lease_token=None,
        )
    )
    return done.rowcount == 1
