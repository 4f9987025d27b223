"""Groups of TPS: which one each dossier was first seen in or moved to, and moves begun since."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, tuple_, update

from routing.units import GROUP_CHANNEL
from store.audit.log import AuditEntry, Step
from store.base import table_of
from store.deliveries import WITHDRAWABLE
from store.models import Delivery, Dossier
from store.states import DeliveryState

Key = tuple[int, int]
"""Procedure and number of a dossier."""

_THIS = table_of(Dossier).c
_KEEPING = (
    update(table_of(Dossier))
    .where(_THIS.procedure == bindparam("of"), _THIS.number == bindparam("n"))
    .values(tps_group=bindparam("group"))
)


@dataclass(frozen=True, slots=True)
class KnownPlace:
    """What is stored of where TPS has a dossier.

    Attributes:
        assignment: ordinal of its assignment now.
        group: in which it was first seen, or into which it was moved last; None: not known.
        begun: units to whose groups moves were begun since, of which the end is not known.
    """

    assignment: int
    group: int | None
    begun: tuple[str, ...]


def keep(connection: Connection, procedure: int, groups: Iterable[tuple[int, int | None]]) -> None:
    """Store the groups of dossiers, each given as its number and its group."""
    rows = [{"of": procedure, "n": number, "group": group} for number, group in groups]
    if rows:
        connection.execute(_KEEPING, rows)


def places(connection: Connection, dossiers: Collection[Key]) -> Mapping[Key, KnownPlace]:
    """What is known of where these dossiers are."""
    if not dossiers:
        return {}
    begun = _begun(connection, dossiers)
    query = select(Dossier.procedure, Dossier.number, Dossier.assignment, Dossier.tps_group).where(
        tuple_(Dossier.procedure, Dossier.number).in_(list(dossiers))
    )
    return {
        (procedure, number): KnownPlace(ordinal, group, tuple(begun[procedure, number]))
        for procedure, number, ordinal, group in connection.execute(query)
    }


def withdraw_moves(
    connection: Connection, dossiers: Collection[Key], now: datetime
) -> list[AuditEntry]:
    """Cancel the moves of dossiers that get other units, and give the audit entries of that."""
    if not dossiers:
        return []
    cancelled = connection.execute(
        update(Delivery)
        .where(
            tuple_(Delivery.procedure, Delivery.number).in_(list(dossiers)),
            Delivery.channel == GROUP_CHANNEL,
            Delivery.state.in_(WITHDRAWABLE),
        )
        .values(
            state=DeliveryState.CANCELLED.value,
            next_attempt_at=None,
            lease_token=None,
            finished_at=now,
        )
        .returning(Delivery.procedure, Delivery.number, Delivery.event, Delivery.unit)
    )
    return [
        AuditEntry(
            step=Step.CANCELLED,
            procedure=procedure,
            number=number,
            event=event,
            unit=unit,
            channel=GROUP_CHANNEL,
        )
        for procedure, number, event, unit in cancelled
    ]


def moved(connection: Connection, groups: Mapping[Key, tuple[int, int]], now: datetime) -> None:
    """Store the group into which each dossier was moved, and for which of its assignments.

    A dossier that got other units while it was being moved may have been moved for those before:
    that move is due again.
    """
    for (procedure, number), (group, ordinal) in groups.items():
        keep(connection, procedure, [(number, group)])
        latest = (
            select(Dossier.assignment)
            .where(Dossier.procedure == procedure, Dossier.number == number)
            .scalar_subquery()
        )
        connection.execute(
            update(Delivery)
            .where(
                Delivery.procedure == procedure,
                Delivery.number == number,
                Delivery.channel == GROUP_CHANNEL,
                Delivery.state == DeliveryState.SENT.value,
                Delivery.assignment > ordinal,
                Delivery.assignment == latest,
            )
            .values(state=DeliveryState.PENDING.value, next_attempt_at=now, finished_at=None)
        )


def _begun(connection: Connection, dossiers: Collection[Key]) -> Mapping[Key, list[str]]:
    """By dossier the units of moves that were tried after the last one that is known to be made."""
    made = table_of(Delivery).alias()
    last_made = (
        select(func.coalesce(func.max(made.c.id), 0))
        .where(
            made.c.procedure == Delivery.procedure,
            made.c.number == Delivery.number,
            made.c.channel == GROUP_CHANNEL,
            made.c.state == DeliveryState.SENT.value,
        )
        .scalar_subquery()
    )
    query = select(Delivery.procedure, Delivery.number, Delivery.unit).where(
        tuple_(Delivery.procedure, Delivery.number).in_(list(dossiers)),
        Delivery.channel == GROUP_CHANNEL,
        Delivery.attempts > 0,
        Delivery.state != DeliveryState.SENT.value,
        Delivery.id > last_made,
    )
    found: dict[Key, list[str]] = defaultdict(list)
    for procedure, number, unit in connection.execute(query):
        found[procedure, number].append(unit)
    return found
