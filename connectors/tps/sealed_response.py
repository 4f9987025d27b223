"""An answer of TPS while it is in our hands: it can be read by a function and by nothing else."""

from collections.abc import Callable
from typing import NoReturn, TypeVar, final

import orjson

from routing.failures import Cause

Read = TypeVar("Read")


@final
class SealedResponse:
    """A parsed answer, personal data included.

    It shows its kind and its size, and can be neither pickled, copied nor encoded: what
    goes on is only what the reader given to `reduce` makes of it.
    """

    __slots__ = ("_content", "_size")

    def __init__(self, content: object, size: int) -> None:
        self._content = content
        self._size = size

    def reduce(self, reader: Callable[[object], Read]) -> Read:
        """What `reader` makes of the parsed content."""
        return reader(self._content)

    def __repr__(self) -> str:
        return f"<SealedResponse: {type(self._content).__name__}, {self._size} bytes>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("an answer of TPS is not to be pickled or copied")


def parse(body: bytes) -> SealedResponse | Cause:
    """The answer that `body` holds, or why it holds none.

    A body that begins and ends as JSON does is whole, and asking again would bring the
    same; one that does not is a maintenance page or was cut on the way.
    """
    try:
        return SealedResponse(orjson.loads(body), len(body))
    except orjson.JSONDecodeError:
        # Its `doc` is the body: it must not become the context of another exception.
        return Cause.TPS_MALFORMED if _looks_whole(body) else Cause.TPS_NOT_JSON


def _looks_whole(body: bytes) -> bool:
    bare = body.strip()
    return (bare[:1], bare[-1:]) in {(b"{", b"}"), (b"[", b"]")}
