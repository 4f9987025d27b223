"""How a dossier comes to be and changes: from a draft, and by what a test wants to see."""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from routing.facts import DossierState
from simulator.dossier import SimulatedDossier
from simulator.form import CHANGE_OF_STATUS, INTRODUCTION, FormLike, places
from simulator.generation import (
    ALGERIA,
    CONTRACTS,
    COUNTRIES,
    OTHER_CONTRACT,
    UNKNOWN_DEPARTMENT,
    Draft,
    department_value,
)


def filed(
    draft: Draft,
    *,
    form: FormLike,
    number: int,
    state: DossierState,
    filed_at: datetime,
    changed_at: datetime,
    revision: int,
) -> SimulatedDossier:
    """The dossier that a draft becomes when it is filed."""
    return SimulatedDossier(
        form=form,
        number=number,
        state=state,
        filed_at=filed_at,
        changed_at=changed_at,
        revision=revision,
        **{each.name: getattr(draft, each.name) for each in fields(draft)},
    )


def changed(
    dossier: SimulatedDossier, changes: Mapping[str, Any], *, en_dash: bool
) -> SimulatedDossier:
    """A dossier with other attributes.

    A new `department` or `permit_type` also changes the answers that show it.

    Raises:
        TypeError: an attribute is none of a dossier.
        ValueError: a state is none.
    """
    shown: dict[str, Any] = {}
    if "permit_type" in changes:
        shown |= _shown_type(changes["permit_type"])
    if "department" in changes:
        shown |= _shown_department(changes["department"], dossier.form.kind, en_dash=en_dash)
    state = DossierState(changes.get("state", dossier.state))
    return replace(dossier, **{**shown, **changes, "state": state})


def _shown_department(department: str | None, kind: str, *, en_dash: bool) -> dict[str, Any]:
    """The answers that show a département of competence."""
    if department is None:
        return {"permit_department": UNKNOWN_DEPARTMENT}
    here = places()[department][0]
    works_there = {"work": here} if kind in {INTRODUCTION, CHANGE_OF_STATUS} else {}
    value = department_value(department, en_dash=en_dash)
    return {"permit_department": value, "home": here, **works_there}


def _shown_type(permit_type: str | None) -> dict[str, Any]:
    """The answers that show a permit type; a kind of form shows its own."""
    algerian = permit_type == "accord-franco-algerien"
    contract = CONTRACTS.get(permit_type or "", (OTHER_CONTRACT,))[0]
    return {"contract": contract, "nationality": ALGERIA if algerian else COUNTRIES[0]}
