"""What v2 lets a client change: the group that has a dossier."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from simulator.v2.context import Context
from simulator.v2.ids import number_of
from simulator.v2.nodes import DossierNode, Resolver


def _change_group(_: object, context: Context, arguments: Mapping[str, Any]) -> object:
    if not context.service.token_writes:
        return _failed("Le jeton utilisé est configuré seulement en lecture")
    given = arguments["input"]
    number = number_of(given["dossierId"], "Dossier")
    if number is None or number not in context.state.places:
        return _failed("Dossier introuvable")
    home = context.state.home(number)
    wanted = number_of(given["groupeInstructeurId"], "GroupeInstructeur")
    group = next((each for each in home.groups if each.number == wanted), None)
    dossier = home.dossiers[number]
    if group is None or group.closed:
        return _failed("Groupe instructeur introuvable")
    if home.group_of(dossier) == group:
        return _failed("Le dossier est déjà avec ce groupe instructeur")
    moved = replace(dossier, group=group.number, changed_at=context.clock())
    context.state.keep(moved)
    return {"dossier": DossierNode(home, moved), "errors": None}


def _failed(message: str) -> Mapping[str, object]:
    return {"dossier": None, "errors": [{"message": message}]}


MUTATIONS: dict[str, Resolver] = {"Mutation.dossierChangerGroupeInstructeur": _change_group}
