"""A detail answer of v1, reduced to `Facts` on the spot. Everything else in it is dropped."""

from collections.abc import Sequence
from datetime import datetime

from connectors.tps.errors import MalformedReason
from connectors.tps.json_checks import MalformedJson, an_object, is_object, whole_number
from connectors.tps.timestamps import parse_timestamp
from connectors.tps.v1.fields import read_fields
from routing.classification import Answers, classify
from routing.facts import DossierState, Facts
from routing.forms import Form, PermitType

_STATES = {state.value: state for state in DossierState}


def facts_of(
    content: object, *, form: Form, number: int, permit_types: Sequence[PermitType]
) -> Facts:
    """The facts of the dossier `number` of `form`.

    A dossier whose `initiated_at` cannot be read counts as filed when its draft was
    begun (`created_at`): earlier than it was, so it is never late in silence. One
    whose `updated_at` cannot be read counts as changed when it was filed.

    Raises:
        MalformedJson: when the answer is not what the protocol promises.
    """
    dossier = an_object(
        an_object(content, MalformedReason.ROOT).get("dossier"), MalformedReason.DOSSIER
    )
    if whole_number(dossier.get("id")) != number:
        raise MalformedJson(MalformedReason.NUMBER)
    filed_at = _filed_at(dossier)
    found = classify(form, _answers(dossier, form), permit_types)
    return Facts(
        procedure=form.procedure,
        number=number,
        state=_state(dossier.get("state")),
        filed_at=filed_at,
        changed_at=parse_timestamp(dossier.get("updated_at")) or filed_at,
        permit_type=found.permit_type,
        department=found.department,
        department_source=found.department_source,
        filer=form.filer,
        reasons=found.reasons,
    )


def known_state(value: object) -> DossierState | None:
    """The state of that name, None when there is none."""
    return _STATES.get(value) if isinstance(value, str) else None


def _state(value: object) -> DossierState:
    state = known_state(value)
    if state is None:
        raise MalformedJson(MalformedReason.STATE)
    return state


AFTER_FIVE_DIGITS = 100_000
"""Codes of communes and postal codes have five digits; as numbers they lose a leading zero."""


def _filed_at(dossier: dict[str, object]) -> datetime:
    moment = parse_timestamp(dossier.get("initiated_at")) or parse_timestamp(
        dossier.get("created_at")
    )
    if moment is None:
        raise MalformedJson(MalformedReason.FILED_AT)
    return moment


def _answers(dossier: dict[str, object], form: Form) -> Answers:
    establishment = dossier.get("etablissement")
    if establishment is None:
        return Answers(read_fields(dossier.get("champs"), form))
    if not is_object(establishment):
        raise MalformedJson(MalformedReason.ESTABLISHMENT)
    return Answers(
        read_fields(dossier.get("champs"), form),
        establishment_insee=_text(establishment.get("code_insee_localite")),
        establishment_postal_code=_text(establishment.get("code_postal")),
        establishment_commune=_text(establishment.get("localite")),
    )


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < AFTER_FIVE_DIGITS:
        return f"{value:05d}"
    raise MalformedJson(MalformedReason.ESTABLISHMENT)
