"""A request to an API of the simulated TPS, once it is understood."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tornado.httputil import HTTPServerRequest

from simulator.faults import Fault
from simulator.seen import Seen, TokenPlace


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a bad token is answered with."""

    status: int
    body: bytes
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is asked, and how it is answered.

    Attributes:
        seen: what is remembered of it.
        token: that it carries, None for none.
        procedure: id of the form that it is about, 0 for none.
        number: of the dossier that it is about, None for none.
        answer: makes the answer, None for not found.
        defective: makes the answer of a fault that is one with status 200; None: this API has
            no such fault.
        refusal: what a bad token is answered with.
    """

    seen: Seen
    token: str | None
    procedure: int
    number: int | None
    answer: Callable[[], bytes | None]
    defective: Callable[[Fault], bytes | None]
    refusal: Refusal


def query_of(request: HTTPServerRequest) -> dict[str, str]:
    """The query of a request."""
    return {key: values[-1].decode() for key, values in request.query_arguments.items()}


def token_of(request: HTTPServerRequest, query: Mapping[str, str]) -> tuple[str | None, TokenPlace]:
    """The token of a request, and where it was."""
    header = request.headers.get("Authorization", "")
    if header.startswith("Bearer "):
        return header.removeprefix("Bearer "), TokenPlace.HEADER
    if "token" in query:
        return query["token"], TokenPlace.QUERY
    return None, TokenPlace.NONE
