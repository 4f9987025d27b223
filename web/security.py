"""What every answer and every request of the web process is held to."""

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.limits import BODY_BYTES, HEADER_BYTES

TOO_LARGE = 413
HEADERS_TOO_LARGE = 431
CLOSE = {"Connection": "close"}

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing inline, nothing from elsewhere: styles and scripts are files of this server."""

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
"""On every answer that does not set them itself."""


class SecurityHeaders:
    """Gives every answer of `app` the headers above, errors included, and takes cookies away."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                del headers["Set-Cookie"]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class RequestLimits:
    """Refuses a request whose headers or body, announced or not, are larger than allowed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        received = 0

        async def receive_within() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > BODY_BYTES:
                # It ends the reading of the body, and is the answer.
                raise HTTPException(TOO_LARGE, headers=CLOSE)
            return message

        headers: Sequence[tuple[bytes, bytes]] = scope.get("headers", ())
        if sum(len(name) + len(value) for name, value in headers) > HEADER_BYTES:
            await Response(status_code=HEADERS_TOO_LARGE, headers=CLOSE)(scope, receive, send)
        elif _announced(headers) > BODY_BYTES:
            await Response(status_code=TOO_LARGE, headers=CLOSE)(scope, receive, send)
        else:
            await self._app(scope, receive_within, send)


def _announced(headers: Sequence[tuple[bytes, bytes]]) -> int:
    """The size that the headers announce; 0 where they announce none."""
    values = (value for name, value in headers if name == b"content-length")
    return next((int(value) for value in values if value.isdigit()), 0)
