"""Claims, leases and fencing, taken away."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Select, select, true, update

import service.read
import service.sending
import service.settle
from store import (
    deliveries,
    delivery_outcomes,
    dossier_outcomes,
    dossiers,
    polls,
    procedures,
)
from store import delivery_claims as claiming
from store import dossier_claims as claiming_dossiers
from store.audit.log import AuditEntry, AuditLog
from store.bulk import update_leased
from store.delivery_claims import ClaimedDelivery
from store.delivery_outcomes import Postponement
from store.leases import Lease
from store.models import Delivery, Dossier


def delivery_claims(patch: pytest.MonkeyPatch) -> None:
    """What is due is looked up, sent and marked; nobody says beforehand that he does it."""

    def claim(
        connection: Connection, *, limit: int, now: datetime, **_: object
    ) -> list[ClaimedDelivery]:
        due = select(Delivery.id).where(Delivery.next_attempt_at <= now).limit(limit)
        found = connection.execute(due).scalars().all()
        return claiming.load_claimed(connection, found)

    patch.setattr(claiming, "claim", claim)
    _unfenced_deliveries(patch)


def dossier_claims(patch: pytest.MonkeyPatch) -> None:
    """Dossiers that are due are read by whoever comes along."""

    def claim(
        connection: Connection,
        procedure: int,
        *,
        limit: int,
        lease: Lease,
        now: datetime,
        **_: object,
    ) -> list[dossiers.DossierRecord]:
        due = (
            select(*dossiers.COLUMNS)
            .where(Dossier.procedure == procedure, Dossier.next_attempt_at <= now)
            .limit(limit)
        )
        return [dossiers.record_of(row) for row in connection.execute(due)]

    patch.setattr(claiming_dossiers, "claim", claim)
    _unfenced_dossiers(patch)


def ending_leases(patch: pytest.MonkeyPatch) -> None:
    """Who claims something has it until he gives it back."""
    claims: dict[Any, Any] = {
        claiming: claiming.claim,
        claiming_dossiers: claiming_dossiers.claim,
    }

    def for_ever(module: Any, model: Any) -> Any:  # noqa: ANN401
        def claim(connection: Connection, *args: Any, lease: Lease, **options: Any) -> Any:  # noqa: ANN401
            claimed = claims[module](connection, *args, lease=lease, **options)
            held = update(model).where(model.lease_token == lease.token)
            connection.execute(held.values(next_attempt_at=None))
            return claimed

        return claim

    patch.setattr(claiming, "claim", for_ever(claiming, Delivery))
    patch.setattr(claiming_dossiers, "claim", for_ever(claiming_dossiers, Dossier))


def fencing(patch: pytest.MonkeyPatch) -> None:
    """Whoever claimed something finishes it, however late, and whoever has it by now."""
    _unfenced_deliveries(patch)
    _unfenced_dossiers(patch)


def _unfenced_deliveries(patch: pytest.MonkeyPatch) -> None:
    def finish_sent(
        connection: Connection,
        audit: AuditLog,
        sent: Mapping[int, AuditEntry],
        lease: Lease,
        now: datetime,
    ) -> frozenset[int]:
        connection.execute(
            update(Delivery)
            .where(Delivery.id.in_(sent))
            .values(state="sent", next_attempt_at=None, lease_token=None, finished_at=now)
        )
        audit.append(connection, now, sent.values())
        return frozenset(sent)

    def postpone(
        connection: Connection, postponements: Sequence[Postponement], lease: Lease, now: datetime
    ) -> frozenset[int]:
        if postponements:
            delivery_outcomes.put_off(connection, postponements, now)
        return frozenset(item.id for item in postponements)

    patch.setattr(delivery_outcomes, "finish_sent", finish_sent)
    patch.setattr(delivery_outcomes, "postpone", postpone)


def _unfenced_dossiers(patch: pytest.MonkeyPatch) -> None:
    def held(
        connection: Connection, procedure: int, numbers: Collection[int], lease: Lease
    ) -> dict[int, datetime | None]:
        query = select(Dossier.number, Dossier.listed_change_at).where(
            Dossier.procedure == procedure, Dossier.number.in_(numbers)
        )
        return dict(connection.execute(query).tuples().all())

    patch.setattr(claiming_dossiers, "held", held)

    def take_and_update(
        connection: Connection,
        model: Any,  # noqa: ANN401
        rows: Sequence[Any],
        *,
        lease: str,
        **how: Any,  # noqa: ANN401
    ) -> None:
        numbers = [row["number"] for row in rows]
        taken = update(model).where(model.number.in_(numbers)).values(lease_token=lease)
        connection.execute(taken)
        update_leased(connection, model, rows, lease=lease, **how)

    patch.setattr(dossier_outcomes, "update_leased", take_and_update)


def withdrawal_locks(patch: pytest.MonkeyPatch) -> None:
    """What may be withdrawn is looked up, and may be claimed before it is withdrawn."""
    unsent = deliveries.unsent

    def unlocked(connection: Connection, keys: Collection[tuple[int, int]]) -> Any:  # noqa: ANN401
        with pytest.MonkeyPatch.context() as each:
            each.setattr(Select, "with_for_update", lambda query, **_: query)
            return unsent(connection, keys)

    patch.setattr(deliveries, "unsent", unlocked)


def procedure_leases(patch: pytest.MonkeyPatch) -> None:
    """A procedure may be polled by several workers at a time."""
    patch.setattr(procedures, "unleased", lambda _: true())
    write = polls.write

    def always(*args: Any) -> bool:  # noqa: ANN401
        write(*args)
        return True

    patch.setattr(polls, "write", always)


def work_budget(patch: pytest.MonkeyPatch) -> None:
    """A task goes on with its batch, however long it has taken so far."""
    patch.setattr(service.sending, "WORK_BUDGET", timedelta.max)
    patch.setattr(service.read, "WORK_BUDGET", timedelta.max)
