"""What a dossier says becomes what routing needs: permit type and département of competence.

Which field decides depends on the permit type (Code du travail R5221-15 and
R5221-16): a student belongs to the département written on the residence permit,
a worker who is still abroad to that of the employer's establishment. Whatever
contradicts the answer is recorded as a reason; nothing is guessed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn, final

from routing.facts import Competence, DepartmentSource, Reason
from routing.forms import Field, Form, PermitType, Recognition
from routing.territory import ABROAD, department_of_insee, read_department, resolve
from routing.text import normalise


@final
class Answers:
    """The few raw values of one dossier that `classify` reads.

    They are personal data, so they cannot be shown, pickled or copied: only
    what `classify` makes of them goes on.
    """

    __slots__ = (
        "_values",
        "establishment_commune",
        "establishment_insee",
        "establishment_postal_code",
    )

    def __init__(
        self,
        values: Mapping[Field, str | None],
        *,
        establishment_insee: str | None = None,
        establishment_postal_code: str | None = None,
        establishment_commune: str | None = None,
    ) -> None:
        """Keep the values as they were typed.

        Args:
            values: what stands in each field; absent and None are the same as blank.
            establishment_insee: INSEE code of the commune of the employer's establishment.
            establishment_postal_code: postal code of that establishment.
            establishment_commune: name of that commune, for postal codes that several share.
        """
        self._values = dict(values)
        self.establishment_insee = establishment_insee or ""
        self.establishment_postal_code = establishment_postal_code or ""
        self.establishment_commune = establishment_commune or ""

    def value(self, field: Field) -> str:
        """What stands in `field`, empty when there is nothing."""
        return self._values.get(field) or ""

    def __repr__(self) -> str:
        return f"<Answers to {len(self._values)} fields>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("the answers of a dossier are not to be pickled or copied")


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """What `classify` found.

    Attributes:
        permit_type: code of the permit type, None when it was not recognised.
        department: code of the département of competence, None when unknown.
        department_source: where it was read, `NONE` when it is unknown.
        reasons: what was found on the way, in the order of `Reason`.
    """

    permit_type: str | None
    department: str | None
    department_source: DepartmentSource
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class _FoundDepartment:
    """A département of competence, or why there is none."""

    department: str | None = None
    source: DepartmentSource = DepartmentSource.NONE
    reasons: frozenset[Reason] = frozenset()


def classify(form: Form, answers: Answers, permit_types: Sequence[PermitType]) -> Classification:
    """The permit type and the département of competence of one dossier.

    Args:
        form: the form that was filled in.
        answers: what stands in it.
        permit_types: in the order in which they are tried; the first that the dossier
            shows is its type. While none is shown, the form says which place decides.
    """
    possible = [each for each in permit_types if _can_stand_on(form, each.recognition)]
    typed = {
        field: normalise(answers.value(field))
        for field in {each.recognition.field for each in possible}
        if field is not None
    }
    shown = next((each for each in possible if _shows(each.recognition, typed)), None)
    place = _department(form, answers, shown.competence if shown else form.competence)
    reasons = set(place.reasons)
    if shown is None:
        # A value that could have told is missing, or all that could are there and none is known.
        blank = not all(typed.values())
        reasons.add(Reason.PERMIT_TYPE_MISSING if blank else Reason.PERMIT_TYPE_UNKNOWN)
    return Classification(
        permit_type=shown.code if shown else None,
        department=place.department,
        department_source=place.source,
        reasons=tuple(reason for reason in _IN_ORDER if reason in reasons),
    )


_IN_ORDER = tuple(Reason)


def _can_stand_on(form: Form, recognition: Recognition) -> bool:
    return not recognition.kinds or form.kind in recognition.kinds


def _shows(recognition: Recognition, typed: Mapping[Field, str]) -> bool:
    if recognition.field is None:
        return True
    value = typed[recognition.field]
    words = _words(recognition)
    return (
        bool(value)
        and (not words.equals or value in words.equals)
        and (words.contains is None or words.contains.search(value) is not None)
    )


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a recognition in the form in which values are compared."""

    equals: frozenset[str]
    contains: re.Pattern[str] | None


@lru_cache(maxsize=1024)
def _words(recognition: Recognition) -> _Words:
    phrases = [re.escape(phrase) for phrase in map(normalise, recognition.contains) if phrase]
    pattern = rf"(?<!\w)(?:{'|'.join(phrases)})(?!\w)"
    return _Words(
        equals=frozenset(map(normalise, recognition.equals)),
        contains=re.compile(pattern) if phrases else None,
    )


def _department(form: Form, answers: Answers, competence: Competence) -> _FoundDepartment:
    if competence is Competence.RESIDENCE_PERMIT:
        return _by_residence(form, answers)
    return _by_establishment(form, answers)


def _by_residence(form: Form, answers: Answers) -> _FoundDepartment:
    reading = read_department(answers.value(Field.RESIDENCE_PERMIT_DEPARTMENT))
    if reading.blank:
        return _by_postal_code(
            answers.value(Field.RESIDENCE_POSTAL_CODE),
            answers.value(Field.RESIDENCE_COMMUNE),
            source=DepartmentSource.RESIDENCE_POSTAL_CODE,
            differs=Reason.RESIDENCE_DIFFERS_FROM_FORM,
            form=form,
        )
    code = reading.code
    checks = {
        Reason.DEPARTMENT_LABEL_DISAGREES: not reading.label_agrees,
        Reason.DEPARTMENT_ABROAD: reading.abroad,
        Reason.DEPARTMENT_UNKNOWN: code is None and not reading.abroad,
        Reason.RESIDENCE_DIFFERS_FROM_FORM: code is not None and _differs(code, form),
        Reason.RESIDENCE_DIFFERS_FROM_PERMIT: code is not None and _lives_elsewhere(code, answers),
    }
    return _FoundDepartment(
        code,
        DepartmentSource.RESIDENCE_PERMIT if code else DepartmentSource.NONE,
        frozenset(reason for reason, holds in checks.items() if holds),
    )


def _by_establishment(form: Form, answers: Answers) -> _FoundDepartment:
    insee = answers.establishment_insee.strip()
    if not insee:
        return _by_postal_code(
            answers.establishment_postal_code,
            answers.establishment_commune,
            source=DepartmentSource.ESTABLISHMENT_POSTAL_CODE,
            differs=Reason.ESTABLISHMENT_DIFFERS_FROM_FORM,
            form=form,
        )
    code = department_of_insee(insee)
    if code is None:
        abroad = insee.startswith(ABROAD)
        why = Reason.DEPARTMENT_ABROAD if abroad else Reason.DEPARTMENT_UNKNOWN
        return _FoundDepartment(reasons=frozenset({why}))
    differs = {Reason.ESTABLISHMENT_DIFFERS_FROM_FORM} if _differs(code, form) else set()
    return _FoundDepartment(code, DepartmentSource.ESTABLISHMENT_INSEE, frozenset(differs))


def _by_postal_code(
    postal_code: str, commune: str, *, source: DepartmentSource, differs: Reason, form: Form
) -> _FoundDepartment:
    if not postal_code.strip():
        return _FoundDepartment(reasons=frozenset({Reason.DEPARTMENT_MISSING}))
    resolution = resolve(postal_code, commune or None)
    if resolution.department is None:
        why = Reason.POSTAL_CODE_AMBIGUOUS if resolution.ambiguous else Reason.POSTAL_CODE_UNKNOWN
        return _FoundDepartment(reasons=frozenset({Reason.DEPARTMENT_MISSING, why}))
    reasons = {Reason.DEPARTMENT_FROM_POSTAL_CODE}
    if _differs(resolution.department, form):
        reasons.add(differs)
    return _FoundDepartment(resolution.department, source, frozenset(reasons))


def _differs(department: str, form: Form) -> bool:
    return form.department is not None and form.department != department


def _lives_elsewhere(department: str, answers: Answers) -> bool:
    """Whether the residence cannot lie in `department`; an unreadable code contradicts nothing."""
    resolution = resolve(
        answers.value(Field.RESIDENCE_POSTAL_CODE), answers.value(Field.RESIDENCE_COMMUNE) or None
    )
    if resolution.department is not None:
        return resolution.department != department
    return bool(resolution.candidates) and department not in resolution.candidates
