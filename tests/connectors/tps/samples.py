"""A form, its permit types and a dossier, as small as they can be."""

import json
from typing import Any

from routing.facts import Competence, Filer
from routing.forms import Field, Form, PermitType, Recognition
from simulator import Simulator

PROCEDURE = 3272
NUMBER = 4_501
TOKEN = "jeton-canari-8f2a"

LABELS = {
    Field.RESIDENCE_PERMIT_DEPARTMENT: ("Département qui figure sur le titre de séjour",),
    Field.RESIDENCE_POSTAL_CODE: ("Code postal de résidence en France",),
    Field.RESIDENCE_COMMUNE: ("Commune de résidence en France",),
    Field.CONTRACT_TYPE: ("Type de contrat",),
    Field.NATIONALITY: ("Nationalité",),
}


def student_form(
    procedure: int = PROCEDURE,
    department: str | None = "75",
    *,
    kind: str = "apt-etudiant",
    field_ids: dict[Field, str] | None = None,
) -> Form:
    abroad = kind == "introduction-salarie"
    return Form(
        procedure=procedure,
        department=department,
        kind=kind,
        filer=Filer.STUDENT,
        competence=Competence.ESTABLISHMENT if abroad else Competence.RESIDENCE_PERMIT,
        labels=LABELS,
        field_ids=field_ids or {},
    )


def _by_contract(code: str, *phrases: str) -> PermitType:
    return PermitType(
        code=code,
        label=code,
        competence=Competence.RESIDENCE_PERMIT,
        recognition=Recognition(
            kinds=frozenset({"apt-etudiant"}), field=Field.CONTRACT_TYPE, contains=phrases
        ),
    )


def _by_kind(code: str, competence: Competence) -> PermitType:
    return PermitType(
        code=code,
        label=code,
        competence=competence,
        recognition=Recognition(kinds=frozenset({code})),
    )


PERMIT_TYPES = (
    _by_contract("apprentissage", "apprentissage"),
    _by_contract("professionnalisation", "professionnalisation"),
    _by_contract("interne-medecine", "interne en médecine"),
    PermitType(
        code="accord-franco-algerien",
        label="accord franco-algérien",
        competence=Competence.RESIDENCE_PERMIT,
        recognition=Recognition(
            kinds=frozenset({"apt-etudiant"}), field=Field.NATIONALITY, equals=("Algérie",)
        ),
    ),
    _by_contract("doctorat", "doctoral", "doctorat"),
    _by_contract("expert-comptable-stagiaire", "expert-comptable stagiaire"),
    _by_kind("introduction-salarie", Competence.ESTABLISHMENT),
    _by_kind("changement-statut", Competence.RESIDENCE_PERMIT),
)


def document(**changes: object) -> dict[str, Any]:
    """The answer to a GET of an ordinary dossier (NUMBER of PROCEDURE), some keys changed."""
    simulator = Simulator()
    simulator.add(student_form(), number=NUMBER)
    answer = json.loads(simulator.detail(PROCEDURE, NUMBER) or b"")
    answer["dossier"] |= changes
    return dict(answer)


def champ(label: str, value: object, *, number: int = 1) -> dict[str, Any]:
    """One of `champs`."""
    return {"value": value, "type_de_champ": {"id": number, "libelle": label}}
