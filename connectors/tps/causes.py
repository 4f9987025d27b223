"""Why a call to TPS brought nothing, by the types of what the HTTP libraries raise."""

import requests
import urllib3

from connectors.deadline import TooManyBytes
from routing.failures import Cause


def cause_before_answer(error: Exception) -> Cause:
    """Why no answer began. By the types that requests and urllib3 wrap, never by their texts."""
    if type(error) is OSError:
        # What requests raises when the file of authorities that it is given does not exist.
        return Cause.TPS_TLS
    inner = error.args[0] if error.args else None
    for kinds, cause in _BEFORE_ANSWER:
        if isinstance(error, kinds) or isinstance(inner, kinds):
            return cause
    return Cause.TPS_UNREACHABLE


_BEFORE_ANSWER: tuple[tuple[tuple[type[BaseException], ...], Cause], ...] = (
    ((requests.exceptions.SSLError, urllib3.exceptions.SSLError), Cause.TPS_TLS),
    ((requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError), Cause.TPS_TIMEOUT),
    ((urllib3.exceptions.ProtocolError, ConnectionError), Cause.TPS_RESET),
)


def cause_within_answer(error: Exception) -> Cause:
    """Why an answer that had begun is of no use."""
    inner = error.args[0] if error.args else None
    for kinds, cause in _WITHIN_ANSWER:
        if isinstance(error, kinds) or isinstance(inner, kinds):
            return cause
    return Cause.TPS_TRUNCATED


_WITHIN_ANSWER: tuple[tuple[tuple[type[BaseException], ...], Cause], ...] = (
    ((requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError), Cause.TPS_TIMEOUT),
    ((TooManyBytes,), Cause.TPS_OVERSIZED),
    (
        (requests.exceptions.ContentDecodingError, urllib3.exceptions.DecodeError),
        Cause.TPS_NOT_JSON,
    ),
)
