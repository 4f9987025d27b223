"""Rule sets and cases for tests: a small world by hand, and any world by hypothesis."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Any

from hypothesis import strategies as st

from routing.conditions import AllOf, AnyOf, Attribute, Case, Condition, Filed, Not, OneOf
from routing.facts import Competence, DepartmentSource, DossierState, Facts, Filer
from routing.forms import Form, PermitType, Recognition
from routing.ruleset import DEPARTMENT_UNIT, Rule, RuleSet
from routing.units import Notify, Unit, UnitChannel

PERMITS = ("apprentissage", "doctorat", "introduction-salarie")
PROCEDURES = (101, 102, 201)
DEPARTMENTS = ("75", "93", "2A", "971")
REGIONS = ("Île-de-France", "Corse", "Guadeloupe")
DAYS = (date(2019, 1, 1), date(2020, 1, 1), date(2021, 1, 1))
UNITS = ("UD075", "UD093", "UD02A", "NATIONAL")


def unit(code: str, *departments: str, **changes: Any) -> Unit:  # noqa: ANN401
    channels = (UnitChannel("mail", f"moe.{code.lower()}@direccte.example"),)
    return Unit(code=code, name=code, departments=departments, channels=channels, **changes)


def form(procedure: int, kind: str = "apt-etudiant", filer: Filer = Filer.UNKNOWN) -> Form:
    return Form(
        procedure=procedure,
        department=None,
        kind=kind,
        filer=filer,
        competence=Competence.RESIDENCE_PERMIT,
        labels={},
    )


def permit_type(code: str, *kinds: str) -> PermitType:
    return PermitType(
        code=code,
        label=code,
        competence=Competence.RESIDENCE_PERMIT,
        recognition=Recognition(kinds=frozenset(kinds)),
    )


FORMS = (
    form(101, filer=Filer.STUDENT),
    form(102, filer=Filer.EMPLOYER),
    form(201, "introduction-salarie"),
)
TYPES = (
    permit_type("apprentissage", "apt-etudiant"),
    permit_type("doctorat"),
    permit_type("introduction-salarie", "introduction-salarie"),
)
OPEN_UNITS = (unit("UD075", "75"), unit("UD093", "93"), unit("UD02A", "2A"), unit("NATIONAL"))


def rule_set(rules: Iterable[Rule], units: Iterable[Unit] = OPEN_UNITS) -> RuleSet:
    return RuleSet(
        hash="0" * 64,
        units={unit.code: unit for unit in units},
        forms={form.procedure: form for form in FORMS},
        permit_types=TYPES,
        rules=tuple(rules),
        fallback="NATIONAL",
    )


def rule(rule_id: str, when: Condition = AllOf(()), *targets: str, **changes: Any) -> Rule:  # noqa: ANN401, B008
    send_to = targets or (DEPARTMENT_UNIT,)
    return Rule(id=rule_id, why="Pourquoi.", when=when, send_to=send_to, **changes)


def is_in(attribute: str, *values: str | int) -> OneOf:
    return OneOf(Attribute(attribute), frozenset(values))


def facts(**changes: Any) -> Facts:  # noqa: ANN401
    given: dict[str, Any] = {
        "procedure": 101,
        "number": 1,
        "state": DossierState.INITIATED,
        "filed_at": datetime(2020, 6, 1, 10, tzinfo=UTC),
        "changed_at": datetime(2020, 6, 1, 10, tzinfo=UTC),
        "permit_type": "apprentissage",
        "department": "75",
        "department_source": DepartmentSource.RESIDENCE_PERMIT,
        "filer": Filer.STUDENT,
    }
    return Facts(**(given | changes))


def facts_of(case: Case) -> Facts:
    """A dossier, filed at noon, that makes `case`."""
    return facts(
        procedure=case.procedure,
        state=case.state,
        filed_at=datetime.combine(case.filed_on, time(12), UTC),
        permit_type=case.permit_type,
        department=case.department,
        filer=case.filer,
    )


_VALUES: dict[Attribute, st.SearchStrategy[Any]] = {
    Attribute.PERMIT_TYPE: st.sampled_from(PERMITS),
    Attribute.DEPARTMENT: st.sampled_from(DEPARTMENTS),
    Attribute.REGION: st.sampled_from(REGIONS),
    Attribute.PROCEDURE: st.sampled_from(PROCEDURES),
    Attribute.FILER: st.sampled_from(Filer),
    Attribute.STATE: st.sampled_from(DossierState),
}

ends = st.none() | st.sampled_from(DAYS)


@st.composite
def _one_of(draw: st.DrawFn) -> OneOf:
    attribute = draw(st.sampled_from(Attribute))
    return OneOf(attribute, draw(st.frozensets(_VALUES[attribute], min_size=1, max_size=3)))


conditions: st.SearchStrategy[Condition] = st.recursive(
    _one_of() | st.builds(Filed, ends, ends),
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(AllOf, st.lists(inner, max_size=3).map(tuple))
        | st.builds(AnyOf, st.lists(inner, max_size=3).map(tuple))
    ),
    max_leaves=6,
)

cases = st.builds(
    Case,
    permit_type=st.none() | st.sampled_from([*PERMITS, "inconnu"]),
    department=st.none() | st.sampled_from([*DEPARTMENTS, "67", "999"]),
    procedure=st.sampled_from([*PROCEDURES, 999]),
    filer=st.sampled_from(Filer),
    state=st.sampled_from(DossierState),
    filed_on=st.dates(date(2018, 6, 1), date(2021, 6, 1)) | st.sampled_from(DAYS),
    decided_on=st.dates(date(2018, 6, 1), date(2021, 6, 1)) | st.sampled_from(DAYS),
)

_informed = st.lists(st.sampled_from([DEPARTMENT_UNIT, *UNITS]), max_size=2)
_targets = st.lists(st.sampled_from([DEPARTMENT_UNIT, *UNITS]), min_size=1, max_size=2)


@st.composite
def rule_lists(draw: st.DrawFn, most: int = 6) -> list[Rule]:
    count = draw(st.integers(1, most))
    return [
        rule(
            f"rule-{at}",
            draw(conditions),
            *draw(_targets),
            valid_from=draw(ends),
            valid_before=draw(ends),
            inform=tuple(draw(_informed)),
            notify=draw(st.none() | st.sampled_from(Notify)),
        )
        for at in range(count)
    ]


@st.composite
def unit_lists(draw: st.DrawFn) -> list[Unit]:
    """Units that open, close and follow each other in any way, sensible or not."""
    return [
        unit(
            code,
            *draw(st.lists(st.sampled_from(DEPARTMENTS), unique=True, max_size=2)),
            opens=draw(ends),
            closes=draw(ends),
            successor=draw(st.none() | st.sampled_from([*UNITS, "GONE"])),
        )
        for code in UNITS[:3]
    ] + [unit("NATIONAL")]
