"""What the `errors` of an answer mean. Their messages are never looked at."""

from http import HTTPStatus

from connectors.tps.errors import MalformedReason, RequestContext, TpsFailure, failure
from connectors.tps.json_checks import MalformedJson, an_object, is_object
from routing.failures import Cause

_CAUSES: dict[object, Cause] = {
    "not_found": Cause.TPS_NOT_FOUND,
    "unauthorized": Cause.TPS_FORBIDDEN,
    "forbidden": Cause.TPS_FORBIDDEN,
    "bad_request": Cause.TPS_REJECTED,
    "invalid_null": Cause.TPS_MALFORMED,
    "timeout": Cause.TPS_TIMEOUT,
    "internal_server_error": Cause.TPS_UNAVAILABLE,
}
"""By `extensions.code`."""

_FIRST = (
    Cause.TPS_FORBIDDEN,
    Cause.TPS_NOT_FOUND,
    Cause.TPS_REJECTED,
    Cause.TPS_TIMEOUT,
    Cause.TPS_UNAVAILABLE,
    Cause.TPS_MALFORMED,
)
"""Of several causes the one that says most of what to do."""


def data_of(content: object, place: RequestContext) -> dict[str, object]:
    """The data of an answer. Errors beside it are looked at where the data has a gap.

    Raises:
        TpsFailure: there is none.
        MalformedJson: the answer is not what the protocol promises.
    """
    answer = an_object(content, MalformedReason.ROOT)
    data = answer.get("data")
    if is_object(data) and not all(value is None for value in data.values()):
        return data
    raise refusal(answer.get("errors"), place)


def refusal(errors: object, place: RequestContext) -> TpsFailure:
    """The failure that stands in place of data.

    Raises:
        MalformedJson: there are no errors either.
    """
    if not isinstance(errors, list) or not errors:
        raise MalformedJson(MalformedReason.DATA)
    found = {_cause(error) for error in errors}
    cause = next(cause for cause in _FIRST if cause in found)
    return failure(cause, place, status=HTTPStatus.OK)


def _cause(error: object) -> Cause:
    """An error with an unknown code: of the query as a whole, or of something within it."""
    given = error if is_object(error) else {}
    extensions = given.get("extensions")
    code = extensions.get("code") if is_object(extensions) else None
    known = _CAUSES.get(code) if isinstance(code, str) else None
    if known is not None:
        return known
    return Cause.TPS_UNAVAILABLE if given.get("path") else Cause.TPS_REJECTED
