"""What the simulated TPS remembers of a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class TokenPlace(StrEnum):
    """Where a request carried the token."""

    HEADER = "header"
    QUERY = "query"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that came in.

    Attributes:
        method: its HTTP method.
        path: its path.
        query: its query, the token left out.
        token: where a token was, right or wrong.
        operation: of v2, the name of the operation.
        variables: of v2, those of the operation.
        client_port: of v2, the client's end of the connection.
    """

    method: str
    path: str
    query: Mapping[str, str]
    token: TokenPlace
    operation: str | None = None
    variables: Mapping[str, object] = field(default_factory=dict)
    client_port: int | None = None
