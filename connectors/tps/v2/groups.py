"""Groups over v2: those of a form, the one that has a dossier, and moving it."""

from collections.abc import Mapping

from connectors.tps.errors import MalformedReason, Operation, RequestContext
from connectors.tps.groups import Group, Placed
from connectors.tps.json_checks import MalformedJson, a_list, an_object, whole_number
from connectors.tps.v2 import documents
from connectors.tps.v2.client import V2Client
from connectors.tps.v2.dossier import group_of
from connectors.tps.v2.fields import text_of
from connectors.tps.v2.graphql_errors import data_of

MOST_GROUPS = 2_000
"""Of a form: a server that says more is not believed."""


def answers(client: V2Client) -> bool:
    """Ask for nothing but an answer.

    Raises:
        TpsFailure: there is none, or the token is refused.
    """
    place = RequestContext(Operation.LOOK_UP, 0)
    return client.ask(place, documents.ANSWERS, {}, lambda found: bool(data_of(found, place)))


def groups_of(client: V2Client, procedure: int) -> tuple[Group, ...]:
    """The open groups of a form.

    Raises:
        TpsFailure: they cannot be told.
    """
    place = RequestContext(Operation.GROUPS, procedure)

    def read(content: object) -> tuple[Group, ...]:
        demarche = an_object(data_of(content, place).get("demarche"), MalformedReason.PROCEDURE)
        listed = a_list(demarche.get("groupeInstructeurs"), MalformedReason.GROUP)
        return tuple(_group(an_object(each, MalformedReason.GROUP)) for each in listed)

    variables = {"procedure": procedure}
    return client.ask(place, documents.GROUPS, variables, read, rows=MOST_GROUPS)


def placed(client: V2Client, procedure: int, number: int) -> Placed:
    """The group that has a dossier.

    Raises:
        TpsFailure: it cannot be told.
    """
    place = RequestContext(Operation.MOVE, procedure, number)

    def read(content: object) -> Placed:
        dossier = an_object(data_of(content, place).get("dossier"), MalformedReason.DOSSIER)
        group = group_of(dossier)
        if group is None:
            raise MalformedJson(MalformedReason.GROUP)
        return Placed(text_of(dossier.get("id")), group)

    return client.ask(place, documents.DOSSIER_GROUP, {"number": number}, read, rows=1)


def move(client: V2Client, procedure: int, number: int, dossier: Placed, group: Group) -> bool:
    """Give a dossier to another group of its form; False when TPS refuses to.

    TPS also refuses to move a dossier to the group that has it: look where it is.

    Raises:
        TpsFailure: it is not known whether it was moved.
    """
    place = RequestContext(Operation.MOVE, procedure, number)

    def read(content: object) -> bool:
        payload = data_of(content, place).get("dossierChangerGroupeInstructeur")
        return not an_object(payload, MalformedReason.DATA).get("errors")

    variables = {"dossier": dossier.id, "group": group.id}
    return client.ask(place, documents.MOVE, variables, read, rows=1, repeatable=False)


def _group(row: Mapping[str, object]) -> Group:
    number = whole_number(row.get("number"))
    if number is None:
        raise MalformedJson(MalformedReason.GROUP)
    return Group(id=text_of(row.get("id")), number=number, label=text_of(row.get("label")))
