"""Who may see the ops page: whoever knows the password, or whom a proxy let through."""

import binascii
import hmac
from base64 import b64decode
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from config.settings import Settings

UNAUTHORIZED = 401
TOO_MANY = 429
CHALLENGE = {"WWW-Authenticate": 'Basic realm="wif", charset="UTF-8"'}

FAILURES = 20
"""Wrong passwords within `MEMORY` after which none is looked at."""

MEMORY = timedelta(minutes=1)

Endpoint = Callable[[Request], Response]


class Access:
    """Lets requests through, or answers them itself."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._password = settings.ops_password
        self._header = settings.ops_proxy_header
        self._clock = clock
        self._failures: deque[datetime] = deque(maxlen=FAILURES)

    @property
    def configured(self) -> bool:
        """Whether anybody can be let through at all."""
        return bool(self._password or self._header)

    def guarding(self, endpoint: Endpoint) -> Endpoint:
        """`endpoint` for those who may see it."""

        def guarded(request: Request) -> Response:
            if self._header and request.headers.get(self._header):
                return endpoint(request)
            if self._password is None:
                return Response(status_code=UNAUTHORIZED)
            if self._locked():
                return Response(status_code=TOO_MANY, headers={"Retry-After": "60"})
            given = _password(request.headers.get("authorization", ""))
            if given is None:
                return Response(status_code=UNAUTHORIZED, headers=CHALLENGE)
            secret = self._password.get_secret_value().encode()
            if not hmac.compare_digest(given, secret):
                self._failures.append(self._clock())
                return Response(status_code=UNAUTHORIZED, headers=CHALLENGE)
            return endpoint(request)

        return guarded

    def _locked(self) -> bool:
        full = len(self._failures) == FAILURES
        return full and self._clock() - self._failures[0] < MEMORY


def _password(authorization: str) -> bytes | None:
    """The password of an `Authorization` header; whoever gives it may have any name."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        _, _, password = b64decode(encoded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return password
