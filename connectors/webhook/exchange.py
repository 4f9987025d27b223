"""One exchange with an endpoint: a POST, and what its answer or its silence means."""

from collections.abc import Collection, Mapping
from datetime import datetime
from http import HTTPStatus

import requests
from urllib3.exceptions import NewConnectionError

from connectors.addresses import Resolve, look_up
from connectors.deadline import TooManyBytes, within
from connectors.http import request_once
from connectors.retry_after import seconds_to_wait
from connectors.webhook.destination import destination
from connectors.webhook.url import WebhookUrl
from routing.failures import Cause, Failure

SECONDS = 15.0
"""For the whole of one exchange: name, connection, TLS, request and status."""

MOST_BYTES = 65_536
"""Of the answer; only its status and `Retry-After` are looked at."""

_SUCCESS = 2
_CAUSES: dict[int, Cause] = {
    HTTPStatus.GONE: Cause.WEBHOOK_GONE,
    HTTPStatus.TOO_MANY_REQUESTS: Cause.WEBHOOK_THROTTLED,
    HTTPStatus.REQUEST_TIMEOUT: Cause.WEBHOOK_UNAVAILABLE,
    HTTPStatus.TOO_EARLY: Cause.WEBHOOK_UNAVAILABLE,
}
_CLASSES = {3: Cause.WEBHOOK_REDIRECTED, 5: Cause.WEBHOOK_UNAVAILABLE}


def cause_of(status: int) -> Cause | None:
    """Why a status is no success; None for any 2xx."""
    if status // 100 == _SUCCESS:
        return None
    return _CAUSES.get(status) or _CLASSES.get(status // 100, Cause.WEBHOOK_REJECTED)


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allowed: Collection[str],
    now: datetime,
    resolve: Resolve = look_up,
    seconds: float = SECONDS,
) -> None:
    """Post `body` to `url`; it was answered with 2xx when this returns.

    Args:
        url: of the endpoint.
        body: JSON.
        headers: that sign it.
        allowed: hosts that may be private, and be reached without TLS.
        now: the present instant, for a `Retry-After` that is a date.
        resolve: looks a name up.
        seconds: for the whole exchange, the look-up included.

    Raises:
        Failure: it was not, or nobody knows. It carries no word of the endpoint.
    """
    failure = _try(url, body, headers, allowed, now, resolve, seconds)
    if failure is not None:
        # The frames below hold what the endpoint said.
        raise failure.with_traceback(None)


def _try(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    allowed: Collection[str],
    now: datetime,
    resolve: Resolve,
    seconds: float,
) -> Failure | None:
    """The failure is returned, because raised here it would chain its cause."""
    try:
        with within(seconds):
            answer = request_once(
                "POST",
                url,
                seconds=seconds,
                most_bytes=MOST_BYTES,
                addresses=destination(WebhookUrl.parse(url), allowed, resolve),
                data=body,
                headers={**headers, "Content-Type": "application/json"},
            )
    except Failure as failure:
        return failure
    except (requests.RequestException, OSError, ValueError) as error:
        return Failure(_cause_of_error(error))
    cause = cause_of(answer.status_code)
    if cause is None:
        return None
    asked = seconds_to_wait(answer.headers.get("Retry-After"), now)
    return Failure(cause, retry_after=asked, status=answer.status_code)


def _cause_of_error(error: Exception) -> Cause:
    if isinstance(error, requests.exceptions.SSLError):
        return Cause.WEBHOOK_TLS
    if isinstance(error, requests.Timeout | TimeoutError) or _has(error, TimeoutError):
        return Cause.WEBHOOK_TIMEOUT
    if _has(error, NewConnectionError):
        return Cause.WEBHOOK_UNREACHABLE
    if isinstance(error, requests.ConnectionError | OSError) and not isinstance(error, ValueError):
        return Cause.WEBHOOK_DROPPED
    if _has(error, TooManyBytes):
        return Cause.WEBHOOK_REJECTED
    return Cause.WEBHOOK_FORBIDDEN


def _has(error: BaseException | None, kind: type[BaseException]) -> bool:
    """Whether `kind` stands anywhere in what led to `error`; the library wraps it several times."""
    while error is not None:
        if isinstance(error, kind) or any(isinstance(part, kind) for part in error.args):
            return True
        reason = getattr(error.args[0], "reason", None) if error.args else None
        if isinstance(reason, kind):
            return True
        error = error.__cause__ or error.__context__
    return False
