"""Who may see the ops page: with the password, or through a proxy."""

import binascii
import hmac
from base64 import b64decode
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from service.context import Context

UNAUTHORIZED = 401
TOO_MANY = 429
CHALLENGE = {"WWW-Authenticate": 'Basic realm="wif", charset="UTF-8"'}

FAILURES = 20
"""Wrong passwords within `MEMORY` after which none is looked at."""

MEMORY = timedelta(minutes=1)

Endpoint = Callable[[Request], Response]


class Access:
    """Lets requests through, or answers them itself; by the settings as they are then."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._failures: deque[datetime] = deque(maxlen=FAILURES)

    @property
    def configured(self) -> bool:
        """Whether any way is set to be let through."""
        settings = self._context.settings
        return bool(settings.ops_password or settings.ops_proxy_header)

    def guarding(self, endpoint: Endpoint) -> Endpoint:
        """`endpoint` for those who may see it."""

        def guarded(request: Request) -> Response:
            header = self._context.settings.ops_proxy_header
            password = self._context.settings.ops_password
            if header and request.headers.get(header):
                return endpoint(request)
            if password is None:
                return Response(status_code=UNAUTHORIZED)
            if self._locked():
                return Response(status_code=TOO_MANY, headers={"Retry-After": "60"})
            given = _password(request.headers.get("authorization", ""))
            if given is None:
                return Response(status_code=UNAUTHORIZED, headers=CHALLENGE)
            if not hmac.compare_digest(given, password.get_secret_value().encode()):
                self._failures.append(self._context.now())
                return Response(status_code=UNAUTHORIZED, headers=CHALLENGE)
            return endpoint(request)

        return guarded

    def _locked(self) -> bool:
        full = len(self._failures) == FAILURES
        return full and self._context.now() - self._failures[0] < MEMORY


def _password(authorization: str) -> bytes | None:
    """The password of an `Authorization` header; any user name goes with it."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        _, _, password = b64decode(encoded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return password
