"""Due times that a clock which was wrong has put too far off, found and put right.

A host that starts an hour or a year ahead, and is then set, leaves due times behind that
nobody would come to for an hour or a year: procedures are not polled, leases do not end.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, or_, update

from store.models import Delivery, Dossier, Procedure
from store.procedures import ProcedureStatus

LONGEST_POSTPONEMENT = timedelta(hours=24)
"""Nothing is put off for longer: so much of a peer's `Retry-After` is believed."""

SKEW = timedelta(minutes=10)
"""By how much the clocks of several hosts may differ; what is no further off is left alone."""


def put_right(
    connection: Connection,
    now: datetime,
    *,
    lease: timedelta,
    poll_interval: timedelta,
    scan_interval: timedelta,
) -> int:
    """Make due what no clock that was right can have put so far off; how many rows that were.

    Args:
        connection: the transaction.
        now: the present instant.
        lease: how long a lease lasts.
        poll_interval: between two polls of a procedure that answers.
        scan_interval: between two full scans.
    """
    return (
        _end_procedure_leases(connection, now + SKEW + lease)
        + _poll(connection, now, now + SKEW + poll_interval)
        + _scan(connection, now, now + SKEW + scan_interval)
        + _make_due(connection, now, now + SKEW + lease)
    )


def _end_procedure_leases(connection: Connection, latest: datetime) -> int:
    held = update(Procedure).where(Procedure.lease_until > latest)
    return connection.execute(held.values(lease_token=None, lease_until=None)).rowcount


def _poll(connection: Connection, now: datetime, latest: datetime) -> int:
    """A procedure that failed or was refused has a reason, and waits longer."""
    well = and_(
        Procedure.status == ProcedureStatus.ACTIVE.value,
        Procedure.reason.is_(None),
        Procedure.next_poll_at > latest,
    )
    wrong = or_(well, Procedure.next_poll_at > now + LONGEST_POSTPONEMENT + SKEW)
    return connection.execute(update(Procedure).where(wrong).values(next_poll_at=now)).rowcount


def _scan(connection: Connection, now: datetime, latest: datetime) -> int:
    wrong = update(Procedure).where(Procedure.next_scan_at > latest)
    return connection.execute(wrong.values(next_scan_at=now)).rowcount


def _make_due(connection: Connection, now: datetime, latest: datetime) -> int:
    """Dossiers and deliveries: claimed for too long, or made at a time that is still to come."""
    changed = 0
    for model, made_at in ((Dossier, Dossier.seen_at), (Delivery, Delivery.created_at)):
        claimed = and_(model.lease_token.is_not(None), model.next_attempt_at > latest)
        early = and_(model.lease_token.is_(None), made_at > now + SKEW)
        late = model.next_attempt_at > now + LONGEST_POSTPONEMENT + SKEW
        wrong = and_(model.next_attempt_at > now + SKEW, or_(claimed, early, late))
        changed += connection.execute(
            update(model).where(wrong).values(next_attempt_at=now)
        ).rowcount
    return changed
