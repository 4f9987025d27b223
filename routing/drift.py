"""Schema drift: detects that a field which routing reads is no longer found in a form.

When a label is renamed or a field gets another type, the field looks blank from one dossier
to the next. For each field two counters keep how often it was blank before; the latest
readings are compared with them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import comb

from routing.facts import DepartmentSource, Facts, Reason

LEARNED = 20
"""Readings that must be known before a field can drift: a new form is only counted."""

LEAST_BLANK = 4
"""Fewest blanks that are drift: three odd dossiers of one employer are none."""

LEAST_RISE = 0.2
"""Least rise of the share of blanks: a third of a form's dossiers may always have been blank."""

CHANCE = 1e-6
"""Highest probability of the blanks under the known share at which they are drift: four in a row
where none of 50 was blank before, twelve in a row where a third was. At 100 batches an hour chance
alone pauses a procedure once in a year or two."""

WINDOW = 20
"""Latest readings that are counted apart: dossiers that come one by one add up."""

MEMORY = 1000
"""Known readings beyond which the counters are halved: forms also change slowly."""


DRIFT = "schema-drift"
"""The reason of a paused procedure and of the dossiers that it holds."""


class DrivingField(StrEnum):
    """A field that decisions depend on."""

    DEPARTMENT = "department"
    PERMIT_TYPE = "permit-type"


@dataclass(frozen=True, slots=True)
class Count:
    """A number of readings, and how many of them were blank."""

    read: int = 0
    blank: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.read + other.read, self.blank + other.blank)

    @property
    def share(self) -> float:
        """The share of blanks, 0 when nothing was read."""
        return self.blank / self.read if self.read else 0.0


@dataclass(frozen=True, slots=True)
class Tally:
    """What is known of one field of one form.

    Attributes:
        known: readings that count as how the form has always been.
        recent: the latest ones, not yet part of them.
    """

    known: Count = Count()
    recent: Count = Count()

    def jumps(self, batch: Count) -> bool:
        """Whether the blanks of `batch`, alone or with the recent ones, are too many for chance."""
        if self.known.read < LEARNED:
            return False
        return any(_jump(self.known, seen) for seen in (batch, batch + self.recent))

    def after(self, batch: Count) -> "Tally":
        """The tally when `batch` is accepted."""
        recent = self.recent + batch
        if recent.read < WINDOW:
            return Tally(self.known, recent)
        return Tally(_half(self.known + recent))


def _half(known: Count) -> Count:
    if known.read <= MEMORY:
        return known
    return Count(known.read // 2, known.blank // 2)


def _jump(known: Count, seen: Count) -> bool:
    # One more reading of each kind: what never happened is rare, not impossible.
    expected = (known.blank + 1) / (known.read + 2)
    if seen.blank < LEAST_BLANK or seen.share - expected < LEAST_RISE:
        return False
    return _at_least(seen, expected) < CHANCE


def _at_least(seen: Count, expected: float) -> float:
    """The probability of at least that many blanks when each has the probability `expected`."""
    return sum(
        comb(seen.read, blank) * expected**blank * (1 - expected) ** (seen.read - blank)
        for blank in range(seen.blank, seen.read + 1)
    )


_OWN_SOURCES = frozenset({DepartmentSource.RESIDENCE_PERMIT, DepartmentSource.ESTABLISHMENT_INSEE})


def blanks(facts: Facts) -> frozenset[DrivingField]:
    """The fields that `facts` could not be read from.

    A département that only the postal code told counts as blank, an answer from abroad
    does not: it was read, and it is no French département.
    """
    found = set()
    abroad = Reason.DEPARTMENT_ABROAD in facts.reasons
    if facts.department_source not in _OWN_SOURCES and not abroad:
        found.add(DrivingField.DEPARTMENT)
    if facts.permit_type is None:
        found.add(DrivingField.PERMIT_TYPE)
    return frozenset(found)


def count(readings: Iterable[tuple[Facts | None, Facts]]) -> Mapping[DrivingField, Count]:
    """What a batch of readings adds, as pairs of the facts known before and those just read.

    A dossier that was blank before and still is says nothing new: else one odd dossier
    that is edited every day would look like a form that changed.
    """
    totals = {field: Count() for field in DrivingField}
    for before, facts in readings:
        known = blanks(before) if before is not None else frozenset()
        now = blanks(facts)
        for field in DrivingField:
            if not (field in known and field in now):
                totals[field] += Count(1, int(field in now))
    return totals


def drifts(known: Mapping[DrivingField, Tally], batch: Mapping[DrivingField, Count]) -> bool:
    """Whether a field of a batch of readings is blank too often for what is known of its form."""
    return any(known.get(field, Tally()).jumps(seen) for field, seen in batch.items())
