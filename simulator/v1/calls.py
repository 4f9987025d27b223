"""Requests of the REST API v1 as calls."""

from http import HTTPStatus

from tornado.httputil import HTTPServerRequest

from simulator.call import Call, Refusal, query_of, token_of
from simulator.faults import Fault, FaultKind
from simulator.seen import Seen
from simulator.tps import Tps
from simulator.v1.rendering import Era
from simulator.wire import JSON, PLAIN

_REFUSALS = {
    Era.Y2018: Refusal(HTTPStatus.UNAUTHORIZED, b"{}", JSON),
    Era.Y2021: Refusal(HTTPStatus.UNAUTHORIZED, b"HTTP Token: Access denied.\n", PLAIN),
}


def call_of(tps: Tps, request: HTTPServerRequest) -> Call | None:
    """The call that a GET makes, None when v1 has no such path."""
    numbers = _numbers(request.path) if request.method == "GET" else None
    if numbers is None:
        return None
    procedure, number = numbers
    query = query_of(request)
    token, place = token_of(request, query)
    query.pop("token", None)

    def answer() -> bytes | None:
        if number is not None:
            return tps.v1.detail(procedure, number)
        if request.path.endswith("/dossiers"):
            return tps.v1.listing(procedure, query)
        return tps.v1.procedure(procedure)

    return Call(
        seen=Seen(str(request.method), request.path, query, place),
        token=token,
        procedure=procedure,
        number=number,
        answer=answer,
        defective=_defective,
        refusal=_REFUSALS[tps.v1.style.era],
    )


def _defective(fault: Fault) -> bytes | None:
    return b'{"dossiers":{},"dossier":[]}' if fault.kind is FaultKind.MALFORMED else None


def _numbers(path: str) -> tuple[int, int | None] | None:
    """The procedure and the dossier that a path names, None for any other path."""
    parts = path.strip("/").split("/")
    match parts:
        case ["api", "v1", "procedures", procedure]:
            found = [procedure]
        case ["api", "v1", "procedures", procedure, "dossiers"]:
            found = [procedure]
        case ["api", "v1", "procedures", procedure, "dossiers", number]:
            found = [procedure, number]
        case _:
            return None
    if not all(each.isascii() and each.isdigit() for each in found):
        return None
    return int(found[0]), int(found[1]) if len(found) > 1 else None
