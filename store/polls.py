"""One poll of a procedure: claimed with a lease, moved on page by page, released."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, update

from store import procedures
from store.audit.log import AuditEntry, AuditLog, Step
from store.base import table_of
from store.leases import Lease
from store.models import Procedure
from store.procedures import ProcedureStatus, unless_paused

_TABLE = table_of(Procedure)


class LeaseLost(Exception):
    """Another worker polls this procedure now: nothing of this poll may be written any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollClaim:
    """A procedure that one worker polls.

    Attributes:
        procedure: its id.
        lease: of the claim.
        status: of the procedure when it was claimed.
        failures: polls that failed in a row.
        cursor: as the version of the API that wrote it wants it, None before the first page.
        scan_due: whether a full scan is due or half done.
        scan_started_at: start of the scan under way, None when none is.
        scanned: whether a scan was ever completed.
        access_hash: keyed, of the address and the token that TPS is asked with.
    """

    procedure: int
    lease: Lease
    status: ProcedureStatus
    failures: int
    cursor: str | None
    scan_due: bool
    scan_started_at: datetime | None
    scanned: bool
    access_hash: str | None = None


_CLAIMED = (
    Procedure.status,
    Procedure.failures,
    Procedure.cursor,
    Procedure.next_scan_at,
    Procedure.scan_started_at,
    Procedure.scanned_at,
)


def claim(
    connection: Connection,
    procedure: int,
    lease: Lease,
    now: datetime,
    *,
    only_due: bool = False,
    access_hash: str | None = None,
    early: timedelta = timedelta(),
) -> PollClaim | None:
    """Take the lease of a procedure; None while another worker holds it.

    Args:
        connection: the transaction.
        procedure: its id.
        lease: to hold it by.
        now: the present instant.
        only_due: None also when it was polled a moment ago: a tick that comes twice has one
            effect.
        access_hash: keyed, of the address and the token that TPS is asked with.
        early: how long before its time a procedure is due to which TPS refused another access.
    """
    free = [Procedure.number == procedure, procedures.unleased(now)]
    if only_due:
        free.append(procedures.due_with(access_hash, now, early))
    taken = connection.execute(
        update(Procedure)
        .where(*free)
        .values(lease_token=lease.token, lease_until=lease.until)
        .returning(*_CLAIMED)
    ).first()
    if taken is None:
        return None
    return PollClaim(
        procedure=procedure,
        lease=lease,
        status=ProcedureStatus(taken.status),
        failures=taken.failures,
        cursor=taken.cursor,
        scan_due=taken.next_scan_at <= now or taken.scan_started_at is not None,
        scan_started_at=taken.scan_started_at,
        scanned=taken.scanned_at is not None,
        access_hash=access_hash,
    )


def advance(
    connection: Connection,
    claim: PollClaim,
    *,
    cursor: str | None,
    lease_until: datetime,
    scan_started_at: datetime | None = None,
) -> None:
    """Move the cursor behind a page in the transaction that stores it, and keep the lease.

    Locks the procedure until the commit.

    Args:
        connection: the transaction.
        claim: of the poll.
        cursor: behind the page.
        lease_until: the lease is held as long as that.
        scan_started_at: start of the full scan that the page belongs to, None when it does not.

    Raises:
        LeaseLost: another worker polls the procedure.
    """
    scan = {} if scan_started_at is None else {"scan_started_at": scan_started_at}
    _must_write(connection, claim, {"cursor": cursor, "lease_until": lease_until, **scan})


def finish(
    connection: Connection,
    audit: AuditLog,
    claim: PollClaim,
    *,
    cursor: str | None,
    now: datetime,
    next_poll_at: datetime,
    next_scan_at: datetime | None = None,
) -> None:
    """Release a procedure that was polled to the end; a stopped one is active again.

    Args:
        connection: the transaction.
        audit: gets the entry of a procedure that is active again.
        claim: of the poll.
        cursor: behind the last page.
        now: the present instant.
        next_poll_at: when it is due again.
        next_scan_at: when a full scan is due again; None: none was completed.

    Raises:
        LeaseLost: another worker polls the procedure.
    """
    stopped = claim.status is ProcedureStatus.STOPPED
    healed = unless_paused("status", ProcedureStatus.ACTIVE.value) if stopped else {}
    scanned = {"scanned_at": now, "scan_started_at": None, "next_scan_at": next_scan_at}
    values = {
        "cursor": cursor,
        "polled_at": now,
        "failures": 0,
        "next_poll_at": next_poll_at,
        "refused_access": None,
        **unless_paused("reason", None),
        **healed,
        **(scanned if next_scan_at else {}),
    }
    _must_write(connection, claim, values | _RELEASED)
    if stopped:
        entry = AuditEntry(step=Step.PROCEDURE_RESUMED, procedure=claim.procedure)
        audit.append(connection, now, [entry])


def interrupt(
    connection: Connection, claim: PollClaim, *, cursor: str | None, due_at: datetime
) -> None:
    """Release a procedure whose walk goes on at `cursor`, from `due_at` on.

    Raises:
        LeaseLost: another worker polls the procedure.
    """
    _must_write(connection, claim, {"cursor": cursor, "next_poll_at": due_at} | _RELEASED)


def postpone(
    connection: Connection, claim: PollClaim, *, failures: int, reason: str, due_at: datetime
) -> bool:
    """Release a procedure whose poll failed, due at `due_at`; False when the lease was lost."""
    values = {
        "failures": failures,
        "next_poll_at": due_at,
        # What it was refused before may be mended: from now on it goes by its clock.
        "refused_access": None,
        **unless_paused("reason", reason),
    }
    return write(connection, claim, values | _RELEASED)


def stop(
    connection: Connection,
    audit: AuditLog,
    claim: PollClaim,
    *,
    reason: str,
    now: datetime,
    probe_at: datetime,
) -> bool:
    """Release a procedure that TPS refuses, and stop it; False when the lease was lost.

    Args:
        connection: the transaction.
        audit: gets the entry of a procedure that was active.
        claim: of the poll.
        reason: code of the refusal.
        now: the present instant.
        probe_at: when it is polled again by itself.
    """
    refused = {"next_poll_at": probe_at, "refused_access": claim.access_hash}
    kept = write(connection, claim, refused | unless_paused("reason", reason) | _RELEASED)
    if kept:
        stopped = procedures.stop(
            connection,
            claim.procedure,
            reason=reason,
            next_poll_at=probe_at,
            access_hash=claim.access_hash,
        )
        audit.append(connection, now, stopped)
    return kept


def pause(
    connection: Connection,
    audit: AuditLog,
    claim: PollClaim,
    *,
    reason: str,
    now: datetime,
    probe_at: datetime,
) -> bool:
    """Release a procedure whose form changed, and pause it; False when it was paused before.

    Args:
        connection: the transaction.
        audit: gets the entry of a procedure that was not paused.
        claim: of the poll.
        reason: what changed; stays what it was where the procedure was paused already.
        now: the present instant.
        probe_at: when it is polled again by itself, without being resumed by that.
    """
    paused = {
        "status": ProcedureStatus.PAUSED.value,
        "next_poll_at": probe_at,
        # TPS does not refuse it any more: from now on it goes by its clock.
        "refused_access": None,
        **unless_paused("reason", reason),
    }
    kept = write(connection, claim, paused | _RELEASED)
    new = kept and claim.status is not ProcedureStatus.PAUSED
    if new:
        entry = AuditEntry(step=Step.PROCEDURE_PAUSED, procedure=claim.procedure, reason=reason)
        audit.append(connection, now, [entry])
    return new


def give_back(connection: Connection, claim: PollClaim) -> bool:
    """Release a procedure, which stays due; False when the lease was lost."""
    return write(connection, claim, _RELEASED)


_RELEASED: dict[str, Any] = {"lease_token": None, "lease_until": None}


def write(connection: Connection, claim: PollClaim, values: Mapping[str, Any]) -> bool:
    """Write to a procedure while the lease of `claim` holds it; False when it was lost.

    Every write of a poll goes through here: this is its fence.
    """
    mine = (_TABLE.c.number == claim.procedure, _TABLE.c.lease_token == claim.lease.token)
    return connection.execute(update(_TABLE).where(*mine).values(values)).rowcount == 1


def _must_write(connection: Connection, claim: PollClaim, values: Mapping[str, Any]) -> None:
    if not write(connection, claim, values):
        raise LeaseLost
