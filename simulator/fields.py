"""The fields of the simulated forms, and what stands in them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache

from simulator.dossier import SimulatedDossier
from simulator.form import STUDENT
from simulator.people import Person, person
from simulator.state import Revision

CONTRACT_TYPE = "Type de contrat"
NATIONALITY = "Nationalité"
PERMIT_DEPARTMENT = "Département qui figure sur le titre de séjour"
POSTAL_CODE = "Code postal de résidence en France"
COMMUNE = "Commune de résidence en France"

FIRST_PRIVATE = 500
"""Offset of the ids of private annotations."""

EMPLOYER = 1_000_003
"""Offset from the number of a dossier to that of the person who employs."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A place in a form that each dossier fills."""

    name: str


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form.

    Attributes:
        label: as it was when the form was first published.
        kind: its type, in the words of TPS.
        value: the name of what stands in it, or a value that every dossier has.
    """

    label: str
    kind: str
    value: Gap | str | None


def _fields(*rows: tuple[str, str, Gap | str | None]) -> tuple[FormField, ...]:
    return tuple(FormField(*row) for row in rows)


_WORKER = _fields(
    ("Salarié", "header_section", None),
    (COMMUNE, "text", Gap("commune")),
    (POSTAL_CODE, "text", Gap("postal_code")),
    ("Civilité", "civilite", Gap("worker_civility")),
    ("Nom", "text", Gap("worker_surname")),
    ("Prénom", "text", Gap("worker_given")),
    (NATIONALITY, "pays", Gap("nationality")),
    ("Date de naissance", "date", Gap("worker_birth_date")),
    ("Lieu de naissance", "text", Gap("worker_birth_place")),
    ("E-mail", "email", Gap("worker_email")),
    ("Téléphone", "phone", Gap("worker_phone")),
    ("Demande", "drop_down_list", "Première demande"),
)

_PERMIT = _fields(
    ("Référence de l’ancienne autorisation de travail", "text", ""),
    ("Document autorisant le séjour en France", "header_section", None),
    ("Numéro", "text", Gap("permit_number")),
    ("Date d’expiration", "date", "2027-09-30"),
    (PERMIT_DEPARTMENT, "drop_down_list", Gap("permit_department")),
    ("Délivré par", "text", "Préfecture"),
)

_EMPLOYER = _fields(
    ("Employeur", "header_section", None),
    ("Nom de l'employeur", "text", Gap("employer_surname")),
    ("Prénom de l'employeur", "text", Gap("employer_given")),
    ("E-mail de l'employeur", "email", Gap("employer_email")),
    ("Téléphone de l'employeur", "phone", Gap("employer_phone")),
)

_CONTRACT = _fields(
    ("Informations sur le contrat", "header_section", None),
    ("Emploi occupé", "text", Gap("worker_job")),
    ("Adresse ou l'étudiant va travailler", "textarea", Gap("street")),
    (CONTRACT_TYPE, "drop_down_list", Gap("contract")),
    ("Date de début", "date", "2026-10-01"),
    ("Date de fin", "date", "2027-09-31"),
    ("Nombre d'heures", "text", "18 heures/semaine"),
    ("Salaire brut", "text", "1200 euros/mois"),
)

PRIVATE = _fields(
    ("Date de début APT", "date", "2026-10-013"),
    ("Date de fin APT", "date", ""),
    ("Cadre réservé à l'administration", "textarea", ""),
)


def fields_of(kind: str) -> tuple[FormField, ...]:
    """The fields of a kind of form; a worker who is still abroad has no residence permit."""
    if kind == STUDENT or kind.startswith("changement"):
        return (*_WORKER, *_PERMIT, *_EMPLOYER, *_CONTRACT)
    return (*_WORKER[3:], *_EMPLOYER, *_CONTRACT)


@dataclass(frozen=True, slots=True)
class PlacedField:
    """A field as it stands in one revision of one form.

    Attributes:
        field: the field.
        id: its stable id.
        label: its label in that revision.
        kind: its type in that revision.
    """

    field: FormField
    id: int
    label: str
    kind: str


@lru_cache(maxsize=4096)
def placed_fields(
    procedure: int, kind: str, revision: Revision, *, private: bool = False
) -> tuple[PlacedField, ...]:
    """The fields of a form as a revision shows them, in order."""
    listed, first = (PRIVATE, FIRST_PRIVATE) if private else (fields_of(kind), 0)
    labels, ids, kinds = dict(revision.labels), dict(revision.ids), dict(revision.kinds)
    return tuple(
        PlacedField(
            field,
            ids.get(field.label, procedure * 1000 + first + index),
            labels.get(field.label, field.label),
            kinds.get(field.label, field.kind),
        )
        for index, field in enumerate(listed)
    )


def value_of(dossier: SimulatedDossier, field: FormField) -> object:
    """What stands in a field of a dossier."""
    if field.label in dossier.values:
        return dossier.values[field.label]
    return _GAPS[field.value.name](dossier) if isinstance(field.value, Gap) else field.value


def answers(dossier: SimulatedDossier) -> Mapping[str, object]:
    """What a dossier has in each gap of its form."""
    return {name: gap(dossier) for name, gap in _GAPS.items()}


def _street(dossier: SimulatedDossier) -> str:
    work = dossier.work
    number = 1 + dossier.number % 98
    return f"{number} rue du Modèle\r\n{work.postal_code} {work.commune.upper()}\r\nFRANCE"


def _of_person(prefix: str, offset: int) -> dict[str, Callable[[SimulatedDossier], object]]:
    def gap(name: str) -> Callable[[SimulatedDossier], object]:
        return lambda dossier: getattr(person(dossier.number + offset), name)

    return {f"{prefix}_{each.name}": gap(each.name) for each in fields(Person)}


_GAPS: dict[str, Callable[[SimulatedDossier], object]] = {
    "street": _street,
    "commune": lambda dossier: f"{dossier.home.commune} ",
    "postal_code": lambda dossier: f"{dossier.home.postal_code} ",
    "contract": lambda dossier: dossier.contract,
    "nationality": lambda dossier: dossier.nationality,
    "permit_department": lambda dossier: dossier.permit_department,
    "permit_number": lambda dossier: f"FICTIF{dossier.number:09d}",
    **_of_person("worker", 0),
    **_of_person("employer", EMPLOYER),
}


_CODE_AND_NAME = re.compile(r"\s*(\w+)\s+[-–]\s+(.+?)\s*")


def code_and_name(value: str) -> tuple[str, str] | None:
    """The two parts of a value such as `75 - Paris`, None when it is written otherwise."""
    found = _CODE_AND_NAME.fullmatch(value)
    return (found[1], found[2]) if found else None
