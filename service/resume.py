"""Resuming procedures that were stopped or paused."""

from collections.abc import Collection

from service.connections import Connections
from store import dossiers, drift, procedures
from store.audit.log import AuditEntry, Step
from store.dossiers import DossierStatus
from store.procedures import ProcedureStatus


def resume(runtime: Connections, numbers: Collection[int] | None) -> list[int]:
    """Resume stopped and paused procedures, all when `numbers` is None; returns their numbers.

    Held dossiers are read again, and the form is accepted as it is now.
    """
    now = runtime.clock()
    with runtime.database.begin() as connection:
        standing = [
            row.number
            for row in procedures.listing(connection)
            if row.status != ProcedureStatus.ACTIVE.value
            and (numbers is None or row.number in numbers)
        ]
        for number in standing:
            procedures.set_status(
                connection, number, ProcedureStatus.ACTIVE, reason=None, next_poll_at=now
            )
            # A person has checked the form: it is the new reference.
            drift.forget(connection, number)
            dossiers.due_again(connection, procedure=number, statuses=[DossierStatus.HELD], now=now)
        runtime.audit.append(
            connection,
            now,
            [
                AuditEntry(step=Step.PROCEDURE_RESUMED, procedure=number, actor=runtime.actor)
                for number in standing
            ],
        )
    for number in standing:
        runtime.waker.poll(number)
        runtime.waker.route(number)
    return standing
