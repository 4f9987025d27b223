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
    INFORMED = "informed"


ARRIVALS = frozenset({Event.FILED, Event.REASSIGNED_TO})
"""Events by which a unit learns that it has a dossier."""


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
    inform: tuple[str, ...] = (),
    told: AbstractSet[str] = frozenset(),
    unsent: AbstractSet[Notification] = frozenset(),
    silent: bool = False,
) -> Plan:
    """Plan the change from `current` to `units`.

    A unit whose notification is cancelled before it was sent is not notified of the
    reassignment either; a unit that gets the dossier back before it was notified of its
    loss is not notified at all. Whom it informs is told once, and not when it knows of the
    dossier already.

    Args:
        current: the assignment now.
        units: codes of the units that get the dossier, at least one.
        inform: codes of the units that are told of it for information.
        told: units that know of the dossier: told of an arrival, or informed, for good.
        unsent: notifications of this dossier that can still be cancelled.
        silent: no unit is notified.
    """
    others = [unit for unit in inform if unit not in units]
    if set(units) == set(current.units):
        known = told | _to_be_told(unsent, ())
        return Plan(current, () if silent else _informed(others, known))
    following = Assignment(units, current.ordinal + 1)
    lost = [unit for unit in current.units if unit not in units]
    gained = [unit for unit in units if unit not in current.units]
    withdraw = _no_longer_true(unsent, lost, gained, others)
    if silent:
        return Plan(following, withdraw=withdraw)
    withdrawn = {(each.event, each.unit) for each in withdraw}
    untold = {unit for event, unit in withdrawn if event in ARRIVALS}
    kept = {unit for event, unit in withdrawn if event is Event.REASSIGNED_FROM}
    leaving = [unit for unit in lost if unit not in untold]
    arrival = Event.REASSIGNED_TO if leaving else Event.FILED
    arrivals = [
        Notification(arrival, unit, leaving[0] if leaving else None)
        for unit in gained
        if unit not in kept
    ]
    departures = [Notification(Event.REASSIGNED_FROM, unit, units[0]) for unit in leaving]
    informed = _informed(others, told | _to_be_told(unsent, withdraw))
    return Plan(following, (*arrivals, *departures, *informed), withdraw)


def _to_be_told(
    unsent: AbstractSet[Notification], withdrawn: tuple[Notification, ...]
) -> frozenset[str]:
    """Units that are going to learn of the dossier."""
    left = (each for each in unsent if each not in withdrawn)
    return frozenset(each.unit for each in left if each.event is not Event.REASSIGNED_FROM)


def _informed(units: list[str], told: AbstractSet[str]) -> tuple[Notification, ...]:
    return tuple(Notification(Event.INFORMED, unit) for unit in units if unit not in told)


def _no_longer_true(
    unsent: AbstractSet[Notification], lost: list[str], gained: list[str], informed: list[str]
) -> tuple[Notification, ...]:
    return tuple(
        sorted(
            (
                each
                for each in unsent
                if (each.event in ARRIVALS and each.unit in lost)
                or (each.event is Event.REASSIGNED_FROM and each.unit in gained)
                or (each.event is Event.INFORMED and each.unit not in informed)
            ),
            key=lambda each: (each.event, each.unit),
        )
    )
