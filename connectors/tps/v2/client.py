"""Requests of the GraphQL API v2."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from connectors.tps.errors import RequestContext
from connectors.tps.exchange import reduced
from connectors.tps.transport import Transport
from connectors.tps.v2.documents import Document
from connectors.tps.v2.fields import global_id
from routing.forms import Field

Read = TypeVar("Read")

PATH = "/api/v2/graphql"

LARGEST_ANSWER = 100
"""Rows that an answer has at most."""

OBJECTS_A_ROW, OBJECTS_A_PAGE = 30, 500
"""A row is some twenty JSON objects, deletions up to two hundred: who sends far more is not
parsed."""

NO_FIELD = global_id("0")
"""In place of the id of a field that is not asked for. Never blank: that would ask for all."""


class V2Client:
    """A client of one TPS server. Threads may share it, processes may not."""

    def __init__(self, transport: Transport) -> None:
        """Prepare the client; nothing is sent yet."""
        self._transport = transport

    def ask(
        self,
        place: RequestContext,
        document: Document,
        variables: Mapping[str, object],
        reader: Callable[[object], Read],
        *,
        rows: int = LARGEST_ANSWER,
        repeatable: bool = True,
    ) -> Read:
        """What `reader` makes of the answer to a document; nothing else of it is kept.

        Args:
            place: for errors.
            document: what is asked.
            variables: of the document.
            reader: of the whole answer; may raise `MalformedJson` or a `TpsFailure`.
            rows: dossiers that were asked for; an answer that is far larger is refused.
            repeatable: whether asking twice does no harm.

        Raises:
            TpsFailure: of the class that says what to do.
        """
        content = {
            "query": document.text,
            "operationName": document.operation,
            "variables": variables,
        }
        return reduced(
            lambda: self._transport.post(
                place,
                PATH,
                content,
                most_objects=OBJECTS_A_ROW * rows + OBJECTS_A_PAGE,
                repeatable=repeatable,
            ),
            place,
            reader,
        )

    def close(self) -> None:
        """Close the kept connections."""
        self._transport.close()


def field_variables(ids: Mapping[Field, str], *, addresses: bool) -> Mapping[str, object]:
    """The variables that say which fields a query of dossiers asks for.

    Args:
        ids: of the fields that the form has.
        addresses: whether one of them is an address, whose text is then not asked for.
    """
    return {
        "addresses": addresses,
        **{field.value: ids.get(field) or NO_FIELD for field in Field},
        **{f"has_{field.value}": bool(ids.get(field)) for field in Field},
    }
