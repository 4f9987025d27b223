"""What each field of v2 gives, by its coordinate `Type.field`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from routing.facts import DossierState
from simulator.dossier import SimulatedDossier
from simulator.faults import FaultKind
from simulator.fields import EMPLOYER, placed_fields
from simulator.people import person
from simulator.state import Group, Procedure, Revision
from simulator.v2.champs import champs, descriptor
from simulator.v2.connections import Connection, connection, instant_of
from simulator.v2.context import Context, refused
from simulator.v2.ids import typed_id

STATES = {
    DossierState.INITIATED: "en_construction",
    DossierState.RECEIVED: "en_instruction",
    DossierState.CLOSED: "accepte",
    DossierState.REFUSED: "refuse",
    DossierState.WITHOUT_CONTINUATION: "sans_suite",
}

Arguments = Mapping[str, Any]
Resolver = Callable[[Any, Context, Arguments], object]


@dataclass(frozen=True, slots=True)
class DossierNode:
    """A dossier within its form."""

    procedure: Procedure
    dossier: SimulatedDossier


@dataclass(frozen=True, slots=True)
class RevisionNode:
    """A revision within its form."""

    procedure: Procedure
    revision: Revision


def procedure(_: object, context: Context, arguments: Arguments) -> Procedure:
    found = context.state.procedures.get(int(arguments["number"]))
    if found is None:
        raise refused("Demarche not found", "not_found")
    return found


def dossier(_: object, context: Context, arguments: Arguments) -> DossierNode:
    number = int(arguments["number"])
    if number not in context.state.places:
        raise refused("Dossier not found", "not_found")
    return DossierNode(context.state.home(number), context.state.dossier(number))


def _dossiers(source: Procedure, context: Context, arguments: Arguments) -> object:
    slow = context.service.slow_above
    if slow is not None and int(arguments.get("first") or 0) > slow:
        raise refused("Timeout on Demarche.dossiers", "timeout")
    since = instant_of(arguments.get("updatedSince"))
    order = source.by_deposit if since is None else source.by_change
    return connection(
        context,
        order,
        lambda number: DossierNode(source, source.dossiers[number]),
        arguments,
        since=since or instant_of(arguments.get("createdSince")),
    )


def _nodes(source: Connection[DossierNode], context: Context, _: Arguments) -> object:
    if context.defect is FaultKind.NULL_PAGE:
        raise refused("Internal Server Error", "internal_server_error")
    return {"page": 1} if context.defect is FaultKind.MALFORMED else source.nodes


def _edges(source: Connection[DossierNode], context: Context, arguments: Arguments) -> object:
    _nodes(source, context, arguments)
    return [
        {"cursor": cursor, "node": node}
        for cursor, node in zip(source.cursors, source.nodes, strict=True)
    ]


def _deleted(source: Procedure, context: Context, arguments: Arguments) -> object:
    since = instant_of(arguments.get("deletedSince"))
    found = source.deleted
    return connection(context, found.order, found.by_number.__getitem__, arguments, since=since)


def _pending(source: Procedure, context: Context, arguments: Arguments) -> object:
    since = instant_of(arguments.get("deletedSince"))
    found = source.hidden
    return connection(context, found.order, found.by_number.__getitem__, arguments, since=since)


def _champs(source: DossierNode, context: Context, arguments: Arguments) -> object:
    dossier = source.dossier
    if (code := context.error_of(dossier.number)) is not None:
        raise refused("Internal Server Error", code)
    if dossier.defect is not None or dossier.body is not None:
        raise refused("Cannot return null for non-nullable field", "invalid_null")
    return champs(context, source.procedure, dossier, wanted=arguments.get("id"))


def _annotations(source: DossierNode, context: Context, arguments: Arguments) -> object:
    found = arguments.get("id")
    return champs(context, source.procedure, source.dossier, wanted=found, private=True)


def _state(source: DossierNode, _: Context, __: Arguments) -> object:
    return "perdu" if source.dossier.defect == "state" else STATES[source.dossier.state]


def _filed_at(source: DossierNode, context: Context, _: Arguments) -> object:
    broken = source.dossier.defect == "initiated_at"
    return None if broken else context.instant(source.dossier.filed_at)


def _usager(source: DossierNode, _: Context, __: Arguments) -> object:
    number = source.dossier.number
    return {"id": typed_id("User", number), "email": person(number).email}


def _demandeur(source: DossierNode, _: Context, __: Arguments) -> object:
    employer, work = person(source.dossier.number + EMPLOYER), source.dossier.work
    siret = f"000{source.dossier.number % 1_000_000:06d}00018"
    return {
        "__typename": "PersonneMorale",
        "id": typed_id("Etablissement", source.dossier.number),
        "siret": siret,
        "siegeSocial": True,
        "libelleNaf": "Activités d'essai",
        "address": {
            "label": f"1 rue du Modèle {work.postal_code} {work.commune}",
            "type": "housenumber",
            "streetAddress": "1 rue du Modèle",
            "cityName": work.commune.upper(),
            "cityCode": work.insee,
            "postalCode": work.postal_code,
            "departmentCode": work.department,
        },
        "entreprise": {"siren": siret[:9], "nom": employer.surname, "prenom": employer.given},
    }


def _group(group: Group) -> Mapping[str, object]:
    return {
        "id": typed_id("GroupeInstructeur", group.number),
        "number": group.number,
        "label": group.label,
        "closed": group.closed,
        "instructeurs": [{"id": typed_id("Instructeur", 1), "email": "agent@bureau.example"}],
    }


def _groups(source: Procedure, _: Context, arguments: Arguments) -> object:
    closed = arguments.get("closed")
    return [_group(each) for each in source.groups if closed is None or each.closed == closed]


def _message(source: DossierNode, context: Context, _: Arguments) -> object:
    worker = person(source.dossier.number)
    return [
        {
            "id": typed_id("Message", source.dossier.number),
            "email": worker.email,
            "body": f"Bonjour {worker.civility} {worker.surname}, nous avons reçu votre demande.",
            "createdAt": context.instant(source.dossier.filed_at),
        }
    ]


def _descriptors(source: RevisionNode, _: Context, __: Arguments) -> object:
    form = source.procedure.form
    fields = placed_fields(form.procedure, form.kind, source.revision)
    return [descriptor(field) for field in fields]


def _revision_id(source: RevisionNode, _: Context, __: Arguments) -> object:
    form = source.procedure.form.procedure
    return typed_id("ProcedureRevision", form * 100 + source.revision.index)


def _active(source: Procedure, _: Context, __: Arguments) -> RevisionNode:
    return RevisionNode(source, source.active)


def _own_revision(source: DossierNode, _: Context, __: Arguments) -> RevisionNode:
    return RevisionNode(source.procedure, source.procedure.revisions[source.dossier.revision])


def _given(name: str) -> Resolver:
    return lambda source, _, __: getattr(source, name)


def _always(value: object) -> Resolver:
    return lambda _, __, ___: value


RESOLVERS: dict[str, Resolver] = {
    "Query.demarche": procedure,
    "Query.dossier": dossier,
    "Demarche.id": lambda source, _, __: typed_id("Procedure", source.form.procedure),
    "Demarche.number": lambda source, _, __: source.form.procedure,
    "Demarche.title": _always("Formulaire d'essai"),
    "Demarche.state": _always("publiee"),
    "Demarche.activeRevision": _active,
    "Demarche.publishedRevision": _active,
    "Demarche.revisions": lambda source, _, __: [
        RevisionNode(source, each) for each in source.revisions
    ],
    "Demarche.groupeInstructeurs": _groups,
    "Demarche.dossiers": _dossiers,
    "Demarche.deletedDossiers": _deleted,
    "Demarche.pendingDeletedDossiers": _pending,
    "DemarcheDescriptor.id": lambda source, _, __: typed_id(
        "Procedure", source.procedure.form.procedure
    ),
    "DemarcheDescriptor.number": lambda source, _, __: source.procedure.form.procedure,
    "DemarcheDescriptor.title": _always("Formulaire d'essai"),
    "DemarcheDescriptor.revision": _own_revision,
    "Revision.id": _revision_id,
    "Revision.champDescriptors": _descriptors,
    "DossierConnection.nodes": _nodes,
    "DossierConnection.edges": _edges,
    "DossierConnection.pageInfo": _given("page_info"),
    "DeletedDossierConnection.nodes": _given("nodes"),
    "DeletedDossierConnection.pageInfo": _given("page_info"),
    "DeletedDossier.id": lambda source, _, __: typed_id("DeletedDossier", source.dossier.number),
    "DeletedDossier.number": lambda source, _, __: source.dossier.number,
    "DeletedDossier.reason": _always("user_request"),
    "DeletedDossier.state": lambda source, _, __: STATES[source.dossier.state],
    "DeletedDossier.dateSupression": lambda source, context, _: context.instant(source.at),
    "Dossier.id": lambda source, _, __: typed_id("Dossier", source.dossier.number),
    "Dossier.number": lambda source, _, __: source.dossier.number,
    "Dossier.archived": lambda source, _, __: source.dossier.archived,
    "Dossier.state": _state,
    "Dossier.dateDepot": _filed_at,
    "Dossier.datePassageEnConstruction": _filed_at,
    "Dossier.dateDerniereModification": lambda source, context, _: context.instant(
        source.dossier.changed_at
    ),
    "Dossier.revision": _own_revision,
    "Dossier.demarche": lambda source, _, __: source,
    "Dossier.groupeInstructeur": lambda source, _, __: _group(
        source.procedure.group_of(source.dossier)
    ),
    "Dossier.champs": _champs,
    "Dossier.annotations": _annotations,
    "Dossier.usager": _usager,
    "Dossier.demandeur": _demandeur,
    "Dossier.deposeParUnTiers": lambda _, __, ___: False,
    "Dossier.messages": _message,
    "Dossier.instructeurs": _always([{"id": typed_id("Instructeur", 1), "email": "a@b.example"}]),
    "Dossier.motivation": _always("Motif inventé"),
}
"""Fields that are not named here are attributes of what their parent gives."""
