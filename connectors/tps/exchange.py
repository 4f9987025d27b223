"""One call to TPS, reduced on the spot to what its reader keeps of the answer."""

from collections.abc import Callable
from typing import TypeVar

from connectors.tps.errors import MalformedReason, RequestContext, TpsFailure, malformed
from connectors.tps.json_checks import UNFORESEEN_ERRORS, MalformedJson
from connectors.tps.sealed_response import SealedResponse

Read = TypeVar("Read")


def reduced(
    send: Callable[[], SealedResponse | TpsFailure],
    place: RequestContext,
    reader: Callable[[object], Read],
) -> Read:
    """What `reader` makes of the answer to a call.

    Args:
        send: makes the call, by `Transport.get` or `Transport.post`.
        place: for errors.
        reader: of the parsed JSON; may raise `MalformedJson`, or a `TpsFailure` of its own.

    Raises:
        TpsFailure: the call failed, or `reader` could not read the answer.
    """
    outcome = _outcome(send, place, reader)
    if isinstance(outcome, TpsFailure):
        raise outcome
    return outcome


def _outcome(
    send: Callable[[], SealedResponse | TpsFailure],
    place: RequestContext,
    reader: Callable[[object], Read],
) -> Read | TpsFailure:
    """What `reader` makes of the answer, or why there is none.

    Failures are returned, so that the frames in which the answer lived are gone when they
    are raised; what passes through regardless, a soft time limit for instance, leaves its
    frames and its context here.
    """
    try:
        answer = send()
        return _read(answer, place, reader) if isinstance(answer, SealedResponse) else answer
    except BaseException as error:
        error.__cause__ = error.__context__ = None
        error.__traceback__ = None
        raise


def _read(
    answer: SealedResponse, place: RequestContext, reader: Callable[[object], Read]
) -> Read | TpsFailure:
    try:
        return answer.reduce(reader)
    except TpsFailure as failure:
        failure.__cause__ = failure.__context__ = None
        return failure.with_traceback(None)
    except MalformedJson as broken:
        return malformed(broken.reason, place)
    except UNFORESEEN_ERRORS:
        return malformed(MalformedReason.UNFORESEEN, place)
