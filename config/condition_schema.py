"""What a rule's `when` may say: conditions, choices and periods."""

from datetime import date
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import (
    BeforeValidator,
    Field,
    model_validator,
)

from config.diagnostics import Code
from config.entry import Entry
from config.messages import tr
from config.values import (
    Department,
    ProcedureId,
    Region,
    Slug,
    refusal,
)
from routing.facts import DossierState, Filer

T = TypeVar("T")


def _as_list(value: Any) -> Any:  # noqa: ANN401
    return value if isinstance(value, list) else [value]


def _as_choice(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return value
    return {"in": value if isinstance(value, list) else [value]}


class Choice(Entry, Generic[T]):
    """Which values: one of those `in` the list, or any but those under `not`."""

    in_: Annotated[list[T], Field(min_length=1)] | None = Field(default=None, alias="in")
    not_: (
        Annotated[
            list[T],
            Field(min_length=1),
            BeforeValidator(_as_list, json_schema_input_type=T | list[T]),
        ]
        | None
    ) = Field(default=None, alias="not")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.in_ is None) is (self.not_ is None):
            raise refusal(Code.WRONG_VALUE, tr("needs either `in` or `not`"))
        return self


class Period(Entry):
    """Days of deposit, Europe/Paris: on or after `from`, and before `before`."""

    from_: date | None = Field(default=None, alias="from")
    before: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ is None and self.before is None:
            raise refusal(Code.WRONG_VALUE, tr("needs `from`, `before` or both"))
        return in_order(self, self.from_, self.before, at="before")


Checked = TypeVar("Checked", bound=Entry)


def in_order(entry: Checked, first: date | None, end: date | None, *, at: str) -> Checked:
    """`entry`, when the period from `first` to the day before `end`, its key `at`, has a day."""
    if first is not None and end is not None and end <= first:
        raise refusal(Code.DATES_REVERSED, tr("does not come after {first}", first=first), at=(at,))
    return entry


class PermitTypes(Choice[Slug]):
    """A choice for a condition."""


class Departments(Choice[Department]):
    """A choice for a condition."""


class Regions(Choice[Region]):
    """A choice for a condition."""


class Procedures(Choice[ProcedureId]):
    """A choice for a condition."""


class Filers(Choice[Filer]):
    """A choice for a condition."""


class States(Choice[DossierState]):
    """A choice for a condition."""


class ConditionEntry(Entry):
    """A condition. Of several keys all must hold."""

    permit_type: (
        Annotated[
            PermitTypes,
            BeforeValidator(_as_choice, json_schema_input_type=Slug | list[Slug] | PermitTypes),
        ]
        | None
    ) = None
    department: (
        Annotated[
            Departments,
            BeforeValidator(
                _as_choice, json_schema_input_type=Department | list[Department] | Departments
            ),
        ]
        | None
    ) = None
    region: (
        Annotated[
            Regions,
            BeforeValidator(_as_choice, json_schema_input_type=Region | list[Region] | Regions),
        ]
        | None
    ) = None
    procedure: (
        Annotated[
            Procedures,
            BeforeValidator(
                _as_choice, json_schema_input_type=ProcedureId | list[ProcedureId] | Procedures
            ),
        ]
        | None
    ) = None
    filer: (
        Annotated[
            Filers, BeforeValidator(_as_choice, json_schema_input_type=Filer | list[Filer] | Filers)
        ]
        | None
    ) = None
    state: (
        Annotated[
            States,
            BeforeValidator(
                _as_choice, json_schema_input_type=DossierState | list[DossierState] | States
            ),
        ]
        | None
    ) = None
    filed: Period | None = None
    all_: "Annotated[list[ConditionEntry], Field(min_length=1)] | None" = Field(
        default=None, alias="all"
    )
    any_: "Annotated[list[ConditionEntry], Field(min_length=1)] | None" = Field(
        default=None, alias="any"
    )
    not_: "ConditionEntry | None" = Field(default=None, alias="not")
