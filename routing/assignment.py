"""What must be told to whom when a dossier gets, keeps or changes its units."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum


class Event(StrEnum):
    """What a delivery tells a unit."""

    FILED = "filed"
    REASSIGNED_TO = "reassigned-to"
    REASSIGNED_FROM = "reassigned-from"
    LATE = "late"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Notification:
    """One unit is told of one event; `counterpart` is the unit on the other side of a move."""

    event: Event
    unit: str
    counterpart: str | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who has a dossier: its units, and the how-manieth assignment that is (0: none yet)."""

    units: tuple[str, ...]
    ordinal: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What one change of assignment makes necessary.

    Attributes:
        assignment: who has the dossier from now on.
        notify: what to tell, one delivery for each channel of the unit.
        withdraw: notifications not yet sent that are no longer true.
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
    """How to get from `current` to `units`.

    A unit that was not told yet of what is withdrawn is not told of the withdrawal
    either; a unit that comes back before it was told that it had lost the dossier
    is told nothing.

    Args:
        current: who has the dossier now.
        units: who shall have it, at least one.
        unsent: notifications of this dossier that can still be withdrawn.
        silent: nobody is told (a dossier from before the service's launch).
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
