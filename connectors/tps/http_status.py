"""What an HTTP status of TPS means."""

from http import HTTPStatus

from routing.failures import Cause

_CAUSES: dict[int, Cause] = {
    HTTPStatus.UNAUTHORIZED: Cause.TPS_UNAUTHORIZED,
    HTTPStatus.FORBIDDEN: Cause.TPS_FORBIDDEN,
    HTTPStatus.NOT_FOUND: Cause.TPS_NOT_FOUND,
    HTTPStatus.GONE: Cause.TPS_NOT_FOUND,
    HTTPStatus.REQUEST_TIMEOUT: Cause.TPS_UNAVAILABLE,
    HTTPStatus.TOO_EARLY: Cause.TPS_UNAVAILABLE,
    HTTPStatus.TOO_MANY_REQUESTS: Cause.TPS_THROTTLED,
}

_CLASSES = {3: Cause.TPS_REDIRECTED, 5: Cause.TPS_UNAVAILABLE}


def cause_of(status: int) -> Cause | None:
    """Why an answer with `status` is of no use; None for 200, the only one that is."""
    if status == HTTPStatus.OK:
        return None
    return _CAUSES.get(status) or _CLASSES.get(status // 100, Cause.TPS_REJECTED)
