"""A page of v2 as it was answered: rows with their facts, cursors, deletions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from connectors.tps.errors import MalformedReason, RequestContext, malformed
from connectors.tps.json_checks import (
    UNFORESEEN_ERRORS,
    MalformedJson,
    a_list,
    an_object,
    is_object,
    whole_number,
)
from connectors.tps.port import ListedDossier
from connectors.tps.timestamps import parse_timestamp
from connectors.tps.v2.answers import is_absent
from connectors.tps.v2.dossier import facts_of, group_of, revision_id, state_of
from connectors.tps.v2.fields import text_of
from connectors.tps.v2.graphql_errors import data_of
from routing.facts import Facts
from routing.failures import Failure
from routing.forms import Field, Form, PermitType

LARGEST_PAGE = 100
"""Dossiers, and deletions, that a server gives at most."""

MOST_CURSOR = 500
"""Characters of a cursor: it is stored."""


@dataclass(frozen=True, slots=True)
class PageEnd:
    """Where a list goes on.

    Attributes:
        cursor: of the last item, None on an empty page.
        more: whether there is another page.
    """

    cursor: str | None
    more: bool


@dataclass(frozen=True, slots=True)
class Deleted:
    """A page of a list of deletions."""

    numbers: tuple[int, ...]
    end: PageEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAnswer:
    """A page of dossiers.

    Attributes:
        rows: those that could be told apart, each once.
        end: where the list goes on.
        holes: dossiers that the server could not give: what they are has to be asked.
        malformed: dossiers without a readable number.
        revision: id of the form's active revision.
        empty: fields that not one dossier of the page has, though it has some.
        deleted: for good.
        pending: deleted in a way that can be undone.
    """

    rows: tuple[ListedDossier, ...]
    end: PageEnd
    holes: int = 0
    malformed: int = 0
    revision: str | None = None
    empty: frozenset[Field] = frozenset()
    deleted: Deleted | None = None
    pending: Deleted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReader:
    """Reads pages of one form.

    Attributes:
        form: that the dossiers were filed with.
        permit_types: in the order in which they are tried.
        place: for errors.
        fields: that were asked for.
        same_ids: whether the fields of the revision of that id go by the ids that were asked for.
    """

    form: Form
    permit_types: Sequence[PermitType]
    place: RequestContext
    fields: tuple[Field, ...]
    same_ids: Callable[[str], bool]

    def dossiers(self, content: object) -> PageAnswer:
        """The page that an answer holds.

        Raises:
            MalformedJson: the answer is not what the protocol promises.
            TpsFailure: it holds errors in place of data.
        """
        demarche = _demarche(content, self.place)
        nodes, end = _nodes(demarche.get("dossiers"))
        given = [node for node in nodes if is_object(node)]
        revision = an_object(demarche.get("activeRevision"), MalformedReason.REVISION)
        rows = [row for node in given if (row := self._row(node)) is not None]
        return PageAnswer(
            rows=_each_once(rows),
            end=end,
            holes=sum(node is None for node in nodes),
            malformed=len(given) - len(rows),
            revision=text_of(revision.get("id")),
            empty=frozenset(
                field
                for field in self.fields
                if given and all(is_absent(node, field) for node in given)
            ),
            deleted=_deleted(demarche.get("deletedDossiers")),
            pending=_deleted(demarche.get("pendingDeletedDossiers")),
        )

    def numbers(self, content: object) -> PageAnswer:
        """The page of an answer to the query for numbers alone: each is still to be read.

        Raises:
            MalformedJson: the answer is not what the protocol promises.
            TpsFailure: it holds errors in place of data.
        """
        nodes, end = _nodes(_demarche(content, self.place).get("dossiers"))
        rows = [row for node in nodes if is_object(node) and (row := _unread(node)) is not None]
        return PageAnswer(rows=_each_once(rows), end=end, malformed=len(nodes) - len(rows))

    def _row(self, node: Mapping[str, object]) -> ListedDossier | None:
        """A dossier with its facts, or with why they cannot be read; None without a number."""
        number = whole_number(node.get("number"))
        if number is None:
            return None
        facts, failure = self._facts(node)
        return ListedDossier(
            number=number,
            state=state_of(node),
            filed_at=parse_timestamp(node.get("dateDepot")),
            changed_at=parse_timestamp(node.get("dateDerniereModification")),
            facts=facts,
            failure=failure,
            group=group_of(node),
        )

    def _facts(self, node: Mapping[str, object]) -> tuple[Facts | None, Failure | None]:
        try:
            if self._may_be_elsewhere(node):
                return None, None
            return facts_of(node, form=self.form, permit_types=self.permit_types), None
        except MalformedJson as broken:
            return None, malformed(broken.reason, self.place)
        except UNFORESEEN_ERRORS:
            return None, malformed(MalformedReason.UNFORESEEN, self.place)

    def _may_be_elsewhere(self, node: Mapping[str, object]) -> bool:
        """Whether a dossier of an older form may have by other ids what it lacks by these."""
        absent = any(is_absent(node, field) for field in self.fields)
        return absent and not self.same_ids(revision_id(node))


def _unread(node: Mapping[str, object]) -> ListedDossier | None:
    number = whole_number(node.get("number"))
    if number is None:
        return None
    changed_at = parse_timestamp(node.get("dateDerniereModification"))
    return ListedDossier(
        number=number, state=None, filed_at=None, changed_at=changed_at, group=group_of(node)
    )


def _demarche(content: object, place: RequestContext) -> dict[str, object]:
    return an_object(data_of(content, place).get("demarche"), MalformedReason.PROCEDURE)


def _nodes(value: object) -> tuple[list[object], PageEnd]:
    """The items of a list, and where it goes on; null in place of an item is a hole."""
    connection = an_object(value, MalformedReason.DOSSIERS)
    nodes = a_list(connection.get("nodes"), MalformedReason.DOSSIERS)
    info = an_object(connection.get("pageInfo"), MalformedReason.PAGINATION)
    cursor, more = info.get("endCursor"), info.get("hasNextPage")
    told = cursor is None or (isinstance(cursor, str) and 0 < len(cursor) <= MOST_CURSOR)
    if not told or not isinstance(more, bool) or len(nodes) > LARGEST_PAGE:
        raise MalformedJson(MalformedReason.PAGINATION)
    if cursor is None and (nodes or more):
        # There would be no way to go on.
        raise MalformedJson(MalformedReason.PAGINATION)
    return nodes, PageEnd(cursor if isinstance(cursor, str) else None, more)


def _deleted(value: object) -> Deleted:
    nodes, end = _nodes(value)
    numbers = [
        number
        for node in nodes
        if is_object(node) and (number := whole_number(node.get("number"))) is not None
    ]
    return Deleted(tuple(dict.fromkeys(numbers)), end)


def _each_once(rows: Sequence[ListedDossier]) -> tuple[ListedDossier, ...]:
    return tuple({row.number: row for row in rows}.values())
