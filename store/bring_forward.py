"""Changes to dossiers and deliveries that a restore makes: what was sent after the backup."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from routing.assignment import ARRIVALS, Assignment, Event
from store.base import table_of
from store.deliveries import DeliveryState
from store.dossiers import BACKLOG, DossierStatus
from store.models import Delivery, Dossier, Procedure
from store.sent_log import SentMessage

Identity = tuple[str, str, str, int]
"""Of a delivery of one dossier: event, unit, channel, assignment."""

_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class KnownDossier:
    """A dossier of the database, and who has it."""

    procedure: int
    number: int
    current: Assignment


def known(connection: Connection) -> Iterator[KnownDossier]:
    """Every dossier, read in the transaction of `connection`."""
    columns = (Dossier.procedure, Dossier.number, Dossier.units, Dossier.assignment)
    query = select(*columns).execution_options(yield_per=_AT_ONCE)
    # All at once: the rows are written while this goes on.
    for row in connection.execute(query).all():
        yield KnownDossier(row.procedure, row.number, Assignment(row.units, row.assignment))


def identity(message: SentMessage) -> Identity:
    """What tells a message from others of its dossier."""
    return (message.event, message.unit, message.channel, message.assignment)


def states(connection: Connection, dossier: KnownDossier) -> dict[Identity, DeliveryState]:
    """The deliveries of a dossier and where they stand."""
    query = select(
        Delivery.event, Delivery.unit, Delivery.channel, Delivery.assignment, Delivery.state
    ).where(Delivery.procedure == dossier.procedure, Delivery.number == dossier.number)
    return {
        (event, unit, channel, ordinal): DeliveryState(state)
        for event, unit, channel, ordinal, state in connection.execute(query)
    }


def record_sent(
    connection: Connection,
    dossier: KnownDossier,
    message: SentMessage,
    *,
    now: datetime,
    queued: bool,
) -> None:
    """Store that a message was sent; `queued` when its delivery stands in the outbox."""
    sent = {
        "state": DeliveryState.SENT.value,
        "reason": None,
        "next_attempt_at": None,
        "lease_token": None,
        "finished_at": message.at,
    }
    key = {
        "procedure": dossier.procedure,
        "number": dossier.number,
        "event": message.event,
        "unit": message.unit,
        "channel": message.channel,
        "assignment": message.assignment,
    }
    if queued:
        columns = table_of(Delivery).c
        same = [columns[name] == value for name, value in key.items()]
        connection.execute(update(Delivery).where(*same).values(**sent))
        return
    connection.execute(insert(Delivery).values(**key, **sent, attempts=1, created_at=now))


def assign(
    connection: Connection, dossier: KnownDossier, assignment: Assignment, now: datetime
) -> list[tuple[str, str, str]]:
    """Give a dossier to the units that were told that they have it.

    Returns event, unit and channel of what was queued before and is no longer true.
    """
    connection.execute(
        update(Dossier)
        .where(Dossier.procedure == dossier.procedure, Dossier.number == dossier.number)
        .values(units=assignment.units, assignment=assignment.ordinal)
    )
    return _withdraw(connection, dossier, assignment.units, now)


def read_anew(connection: Connection, dossier: KnownDossier, now: datetime) -> None:
    """Let a dossier be read and decided as if it had never been."""
    connection.execute(
        update(Dossier)
        .where(Dossier.procedure == dossier.procedure, Dossier.number == dossier.number)
        .values(
            status=DossierStatus.PENDING.value,
            reason=None,
            facts_hash=None,
            lane=int(BACKLOG),
            next_attempt_at=now,
            lease_token=None,
        )
    )


def _withdraw(
    connection: Connection, dossier: KnownDossier, units: tuple[str, ...], now: datetime
) -> list[tuple[str, str, str]]:
    """Cancel what was queued before and is no longer true: an arrival at a unit that does not
    have the dossier, a departure from one that does or information to it."""
    has_it = Delivery.unit.in_(units)
    arrival = Delivery.event.in_([event.value for event in ARRIVALS])
    otherwise = Delivery.event.in_([Event.REASSIGNED_FROM.value, Event.INFORMED.value])
    untrue = (arrival & ~has_it) | (otherwise & has_it)
    withdrawn = connection.execute(
        update(Delivery)
        .where(
            Delivery.procedure == dossier.procedure,
            Delivery.number == dossier.number,
            Delivery.state.in_([DeliveryState.PENDING.value, DeliveryState.DEAD.value]),
            untrue,
        )
        .values(
            state=DeliveryState.CANCELLED.value,
            next_attempt_at=None,
            lease_token=None,
            finished_at=now,
        )
        .returning(Delivery.event, Delivery.unit, Delivery.channel)
    )
    return [(event, unit, channel) for event, unit, channel in withdrawn]


def look_anew(connection: Connection, now: datetime) -> None:
    """Let every procedure be polled and scanned from the start, at once."""
    connection.execute(
        update(Procedure).values(
            next_poll_at=now,
            next_scan_at=now,
            scan_started_at=None,
            cursor=None,
            lease_token=None,
            lease_until=None,
        )
    )
