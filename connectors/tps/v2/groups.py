"""The *groupes d'instructeurs* of TPS: those of a form, the one that has a dossier, and moving it.

A group belongs to one form, so an office has another one, with another number, in each; what is
the same everywhere is the label that administrators give it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectors.tps.errors import MalformedReason, Operation, RequestContext
from connectors.tps.json_checks import MalformedJson, a_list, an_object, whole_number
from connectors.tps.v2 import documents
from connectors.tps.v2.client import V2Client
from connectors.tps.v2.dossier import group_of
from connectors.tps.v2.fields import text_of
from connectors.tps.v2.graphql_errors import data_of
from routing.text import normalise

MOST_GROUPS = 2_000
"""Of a form: a server that says more is not believed."""


@dataclass(frozen=True, slots=True)
class Group:
    """An open group of a form.

    Attributes:
        id: opaque; what a dossier is moved by.
        number: what it is known by.
        label: its name, as administrators of the form wrote it.
    """

    id: str
    number: int
    label: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A dossier and the group that has it: its opaque id, and the number of the group."""

    id: str
    group: int


def named(groups: Iterable[Group], label: str) -> Group | None:
    """The group of that label, in any spelling; None where there is none, or several."""
    wanted = normalise(label)
    found = [group for group in groups if normalise(group.label) == wanted]
    return found[0] if len(found) == 1 else None


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
