"""A dossier as v2 gives it, reduced to `Facts` on the spot."""

from collections.abc import Mapping, Sequence

from connectors.tps.errors import MalformedReason
from connectors.tps.json_checks import MalformedJson, an_object, is_object, whole_number
from connectors.tps.timestamps import parse_timestamp
from connectors.tps.v2.answers import answers_of
from connectors.tps.v2.fields import text_of, wanted
from routing.classification import classify
from routing.facts import Competence, DossierState, Facts
from routing.forms import Form, PermitType

STATES: Mapping[str, DossierState] = {
    "en_construction": DossierState.INITIATED,
    "en_instruction": DossierState.RECEIVED,
    "accepte": DossierState.CLOSED,
    "refuse": DossierState.REFUSED,
    "sans_suite": DossierState.WITHOUT_CONTINUATION,
}


def facts_of(
    dossier: Mapping[str, object], *, form: Form, permit_types: Sequence[PermitType]
) -> Facts:
    """The facts of a dossier of `form`.

    One whose `dateDerniereModification` cannot be read counts as changed when it was filed.

    Raises:
        MalformedJson: it is not what the protocol promises.
    """
    number = number_of(dossier)
    state, filed_at = _state(dossier), parse_timestamp(dossier.get("dateDepot"))
    if filed_at is None:
        raise MalformedJson(MalformedReason.FILED_AT)
    if whole_number(_demarche(dossier).get("number")) != form.procedure:
        raise MalformedJson(MalformedReason.PROCEDURE)
    found = classify(form, answers_of(dossier, wanted(form)), permit_types)
    return Facts(
        procedure=form.procedure,
        number=number,
        state=state,
        filed_at=filed_at,
        changed_at=parse_timestamp(dossier.get("dateDerniereModification")) or filed_at,
        permit_type=found.permit_type,
        department=found.department,
        department_source=found.department_source,
        filer=form.filer,
        reasons=found.reasons,
    )


def needs_establishment(form: Form, permit_types: Sequence[PermitType]) -> bool:
    """Whether the employer's establishment can decide dossiers of a form."""
    kinds = (each for each in permit_types if form.kind in each.recognition.kinds)
    competences = {form.competence, *(each.competence for each in kinds)}
    return Competence.ESTABLISHMENT in competences


def number_of(dossier: Mapping[str, object]) -> int:
    """The number of a dossier.

    Raises:
        MalformedJson: it cannot be read.
    """
    number = whole_number(dossier.get("number"))
    if number is None:
        raise MalformedJson(MalformedReason.NUMBER)
    return number


def revision_id(dossier: Mapping[str, object]) -> str:
    """Id of the revision of the form that was filled in.

    Raises:
        MalformedJson: it cannot be read.
    """
    revision = an_object(_demarche(dossier).get("revision"), MalformedReason.REVISION)
    return text_of(revision.get("id"))


def _demarche(dossier: Mapping[str, object]) -> dict[str, object]:
    return an_object(dossier.get("demarche"), MalformedReason.PROCEDURE)


def group_of(dossier: Mapping[str, object]) -> int | None:
    """Number of the *groupe d'instructeurs* that has a dossier, None when it cannot be read."""
    group = dossier.get("groupeInstructeur")
    return whole_number(group.get("number")) if is_object(group) else None


def state_of(dossier: Mapping[str, object]) -> DossierState | None:
    """The state of a dossier, None when it cannot be read."""
    state = dossier.get("state")
    return STATES.get(state) if isinstance(state, str) else None


def _state(dossier: Mapping[str, object]) -> DossierState:
    state = state_of(dossier)
    if state is None:
        raise MalformedJson(MalformedReason.STATE)
    return state
