"""Conditions of a rule: a small tree over what is known of a case.

A condition is evaluated in two ways that tests hold equal: directly, by `holds`, which
explanations use, and compiled into boxes (`routing.boxes`), which decisions and proofs use.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from routing.calendar import paris_day
from routing.facts import DossierState, Facts, Filer
from routing.territory import departments, regions

Value = str | int


class Attribute(StrEnum):
    """What a condition may look at, dates apart."""

    PERMIT_TYPE = "permit_type"
    DEPARTMENT = "department"
    REGION = "region"
    PROCEDURE = "procedure"
    FILER = "filer"
    STATE = "state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a rule set may look at: some facts of a dossier, in days of Europe/Paris.

    Attributes:
        filed_on: day of deposit.
        decided_on: day of the decision.
    """

    permit_type: str | None
    department: str | None
    procedure: int
    filer: Filer
    state: DossierState
    filed_on: date
    decided_on: date

    @property
    def region(self) -> str | None:
        """Official name of the region of the département, None when that is unknown."""
        known = departments().get(self.department) if self.department else None
        return regions()[known.region].name if known else None

    @classmethod
    def of(cls, facts: Facts, on: date) -> "Case":
        """The case that `facts` make when they are decided `on` that day."""
        return cls(
            permit_type=facts.permit_type,
            department=facts.department,
            procedure=facts.procedure,
            filer=facts.filer,
            state=facts.state,
            filed_on=paris_day(facts.filed_at),
            decided_on=on,
        )

    def value(self, attribute: Attribute) -> Value | None:
        """What the case says of `attribute`."""
        found: Value | None = getattr(self, attribute.value)
        return found


@dataclass(frozen=True, slots=True)
class OneOf:
    """The attribute has one of these values. What is unknown has none of them."""

    attribute: Attribute
    values: frozenset[Value]


@dataclass(frozen=True, slots=True)
class Filed:
    """The dossier was filed on or after the day `since` and before the day `before`."""

    since: date | None
    before: date | None


@dataclass(frozen=True, slots=True)
class Not:
    """The condition does not hold."""

    condition: "Condition"


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every condition holds; none at all holds always."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one condition holds."""

    conditions: tuple["Condition", ...]


Condition = OneOf | Filed | Not | AllOf | AnyOf

ALWAYS = AllOf(())


def holds(condition: Condition, case: Case) -> bool:
    """Whether `condition` holds for `case`."""
    match condition:
        case OneOf(attribute, values):
            return case.value(attribute) in values
        case Filed(since, before):
            return within(case.filed_on, since, before)
        case Not(inner):
            return not holds(inner, case)
        case AllOf(parts):
            return all(holds(part, case) for part in parts)
        case AnyOf(parts):
            return any(holds(part, case) for part in parts)


def within(day: date, since: date | None, before: date | None) -> bool:
    """Whether `day` lies in the half-open interval; None leaves an end open."""
    return (since is None or since <= day) and (before is None or day < before)


def leaves(condition: Condition) -> Iterator[OneOf | Filed]:
    """The conditions that look at the case itself, from left to right."""
    match condition:
        case Not(inner):
            yield from leaves(inner)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from leaves(part)
        case _:
            yield condition
