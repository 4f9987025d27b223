"""Requests of the GraphQL API v2 as calls."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
from tornado.httputil import HTTPServerRequest

from simulator.call import Call, Refusal, token_of
from simulator.faults import Fault, FaultKind
from simulator.seen import Seen
from simulator.tps import Tps
from simulator.wire import JSON

if TYPE_CHECKING:
    from graphql import GraphQLSchema

    from simulator.v2.execution import Document

# graphql-core is imported at the first request: a simulator that serves v1 alone needs none.

PATH = "/api/v2/graphql"
_REFUSAL = Refusal(
    403, b'{"errors":[{"message":"Without a token","extensions":{"code":"forbidden"}}]}', JSON
)


def call_of(tps: Tps, request: HTTPServerRequest) -> Call | None:
    """The call that a POST of a query makes, None when the server has no such path."""
    if request.path != PATH or request.method != "POST" or not tps.v2.available:
        return None
    from simulator.v2.execution import read, subject  # noqa: PLC0415
    from simulator.v2.schema import schema_of  # noqa: PLC0415

    text, variables, operation = _content(request.body)
    schema = schema_of(tps.v2.schema, webhooks=tps.v2.webhooks_available)
    document = read(schema, text)
    about = subject(document, variables)
    query = _Query(tps, schema, document, variables, operation)
    token, place = token_of(request, {})
    return Call(
        seen=Seen("POST", request.path, {}, place, operation, variables, _port(request)),
        token=token,
        procedure=_procedure(tps, about),
        number=_number(about),
        answer=query.answer,
        defective=query.defective,
        refusal=_REFUSAL,
    )


class _Query:
    """One query, still to be executed."""

    def __init__(
        self,
        tps: Tps,
        schema: "GraphQLSchema",
        document: "Document",
        variables: Mapping[str, Any],
        operation: str | None,
    ) -> None:
        self._tps = tps
        self._schema = schema
        self._document = document
        self._variables = variables
        self._operation = operation

    def answer(self) -> bytes:
        """The answer of a server that is well."""
        return self._executed(None)

    def defective(self, fault: Fault) -> bytes | None:
        """The answer with a fault in it, None for a kind that is none of an answer."""
        from simulator.v2.execution import beside_data, refused, shapes_answer  # noqa: PLC0415

        if fault.kind is FaultKind.ERRORS:
            return refused(fault.message, fault.code)
        if fault.kind is FaultKind.ERRORS_BESIDE_DATA:
            return beside_data(self._executed(None), fault)
        return self._executed(fault.kind) if shapes_answer(fault.kind) else None

    def _executed(self, defect: FaultKind | None) -> bytes:
        from simulator.v2.context import Context  # noqa: PLC0415
        from simulator.v2.execution import execute  # noqa: PLC0415

        context = Context(
            state=self._tps.state,
            service=self._tps.v2,
            faults=self._tps.faults,
            clock=self._tps.clock,
            fragments=self._document.fragments,
            defect=defect,
        )
        return execute(
            self._schema,
            self._document,
            context,
            variables=self._variables,
            operation=self._operation,
        )


def _port(request: HTTPServerRequest) -> int | None:
    address = getattr(getattr(request.connection, "context", None), "address", None)
    return address[1] if isinstance(address, tuple) else None


def _content(body: bytes) -> tuple[str, Mapping[str, Any], str | None]:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        content = {}
    given = content if isinstance(content, dict) else {}
    variables = given.get("variables")
    operation = given.get("operationName")
    return (
        str(given.get("query") or ""),
        variables if isinstance(variables, dict) else {},
        operation if isinstance(operation, str) else None,
    )


def _procedure(tps: Tps, about: tuple[str, object] | None) -> int:
    match about:
        case ("demarche", int(procedure)):
            return procedure
        case ("dossier", int(number)):
            return tps.state.places.get(number, 0)
        case _:
            return 0


def _number(about: tuple[str, object] | None) -> int | None:
    match about:
        case ("dossier", int(number)):
            return number
        case _:
            return None
