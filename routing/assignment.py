"""Assignments: which notifications a change of a dossier's units makes necessary."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum


class Event(StrEnum):
    """Events that units are notified of."""

    FILED = "filed"
    REASSIGNED_TO = "reassigned-to"
    REASSIGNED_FROM = "reassigned-from"
    LATE = "late"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Notification:
    """One unit is notified of one event; `counterpart` is the other unit of a reassignment."""

    event: Event
    unit: str
    counterpart: str | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """The units of a dossier. `ordinal` counts its assignments from 1; 0: not assigned yet."""

    units: tuple[str, ...]
    ordinal: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a change of assignment makes necessary.

    Attributes:
        assignment: from now on.
        notify: notifications to send, one delivery for each channel of the unit.
        withdraw: notifications to cancel: not sent yet and no longer true.
    """

    assignment: Assignment
    notify: tuple[Notification, ...] = ()
    withdraw: tuple[Notification, ...] = ()


def plan(
    current: Assignment,
    units: tuple[str, ...],
    *,
    unsent: AbstractSet[Notification] = frozenset(),
    silent: bool = False,
) -> Plan:
    """Plan the change from `current` to `units`.

    A unit whose notification is cancelled before it was sent is not notified of the
    reassignment either; a unit that gets the dossier back before it was notified of its
    loss is not notified at all.

    Args:
        current: the assignment now.
        units: codes of the units that get the dossier, at least one.
        unsent: notifications of this dossier that can still be cancelled.
        silent: no unit is notified.
    """
    if set(units) == set(current.units):
        return Plan(current)
    following = Assignment(units, current.ordinal + 1)
    lost = [unit for unit in current.units if unit not in units]
    gained = [unit for unit in units if unit not in current.units]
    withdraw = _no_longer_true(unsent, lost, gained)
    if silent:
        return Plan(following, withdraw=withdraw)
    withdrawn = {(notice.event, notice.unit) for notice in withdraw}
    untold = {unit for event, unit in withdrawn if event is not Event.REASSIGNED_FROM}
    kept = {unit for event, unit in withdrawn if event is Event.REASSIGNED_FROM}
    told = [unit for unit in lost if unit not in untold]
    arrival = Event.REASSIGNED_TO if told else Event.FILED
    arrivals = [
        Notification(arrival, unit, told[0] if told else None)
        for unit in gained
        if unit not in kept
    ]
    departures = [Notification(Event.REASSIGNED_FROM, unit, units[0]) for unit in told]
    return Plan(following, tuple(arrivals + departures), withdraw)


def _no_longer_true(
    unsent: AbstractSet[Notification], lost: list[str], gained: list[str]
) -> tuple[Notification, ...]:
    arrivals = {Event.FILED, Event.REASSIGNED_TO}
    return tuple(
        sorted(
            (
                notice
                for notice in unsent
                if (notice.event in arrivals and notice.unit in lost)
                or (notice.event is Event.REASSIGNED_FROM and notice.unit in gained)
            ),
            key=lambda notice: (notice.event, notice.unit),
        )
    )
