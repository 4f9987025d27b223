"""Pages of v2: a slice of an order by time, with cursors that say where it ends."""

from base64 import b64decode, b64encode
from binascii import Error
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from simulator.state import Moment
from simulator.v2.context import Context, refused

Node = TypeVar("Node")


@dataclass(frozen=True, slots=True)
class Connection(Generic[Node]):
    """A page of nodes."""

    nodes: Sequence[Node]
    page_info: Mapping[str, Any]
    cursors: Sequence[str]


def connection(
    context: Context,
    order: Sequence[Moment],
    node: Callable[[int], Node],
    arguments: Mapping[str, Any],
    *,
    since: datetime | None,
) -> Connection[Node]:
    """The page that is asked for.

    Args:
        context: of the execution.
        order: the instants and numbers of all nodes.
        node: the node of a number.
        arguments: `first` and `after`; others were dealt with or are not known here.
        since: nodes before it are left out.
    """
    if arguments.get("last") is not None or arguments.get("before") is not None:
        raise refused("the simulator pages forward only", "bad_request")
    most = context.service.largest_page
    size = min(max(int(arguments.get("first") or most), 1), most)
    begin = bisect_left(order, (since, 0)) if since else 0
    after = arguments.get("after")
    if after:
        begin = max(begin, bisect_right(order, _moment(context, after)))
    chosen = order[begin : begin + size]
    cursors = [_cursor(context, moment) for moment in chosen]
    return Connection(
        nodes=[node(number) for _, number in chosen],
        page_info={
            "endCursor": cursors[-1] if cursors else None,
            "startCursor": cursors[0] if cursors else None,
            "hasNextPage": begin + size < len(order),
            "hasPreviousPage": begin > 0,
        },
        cursors=cursors,
    )


def instant_of(given: object) -> datetime | None:
    """An argument of type ISO8601DateTime."""
    if given is None:
        return None
    try:
        return datetime.fromisoformat(str(given))
    except ValueError:
        raise refused("not an ISO 8601 instant", "bad_request") from None


def _cursor(context: Context, moment: Moment) -> str:
    at, number = moment
    return b64encode(f"{context.service.cursors_from};{at.isoformat()};{number}".encode()).decode()


def _moment(context: Context, cursor: str) -> Moment:
    try:
        generation, at, number = b64decode(cursor, validate=True).decode().split(";")
        moment = datetime.fromisoformat(at), int(number)
    except (Error, UnicodeDecodeError, ValueError):
        raise refused("this is no cursor", "bad_request") from None
    if int(generation) != context.service.cursors_from:
        raise refused("this cursor is of another time", "bad_request")
    return moment
