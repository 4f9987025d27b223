"""The two applications of the web process, each put together from the routes of its modules.

A new page is a function `routes(runtime)` in a module of its own, named in `PUBLIC` or
`PRIVATE`.
"""

from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from service.runtime import Runtime
from web import health
from web.hints import receive
from web.metrics import page as metrics
from web.ops import routes as ops
from web.security import RequestLimits, SecurityHeaders
from web.stats import routes as statistics

Routes = Callable[[Runtime], Sequence[BaseRoute]]

PUBLIC: tuple[Routes, ...] = (health.routes, receive.routes, statistics.routes)
"""On `WIF_WEB_ADDRESS`, which may be open to everybody."""

PRIVATE: tuple[Routes, ...] = (health.routes, metrics.routes, ops.routes)
"""On `WIF_WEB_PRIVATE_ADDRESS`, for those who run the service."""


def application(runtime: Runtime, parts: Sequence[Routes]) -> ASGIApp:
    """The routes of `parts` behind the limits and headers that all share."""
    routes = [route for part in parts for route in part(runtime)]
    served = Starlette(routes=routes, middleware=[Middleware(RequestLimits)])
    # A redirect would name the host that the request names, which may be any.
    served.router.redirect_slashes = False
    # Around everything, so that an answer to an unforeseen error has the headers, too.
    return SecurityHeaders(FreshSecrets(served, runtime))


class FreshSecrets:
    """Takes on secrets whose files were replaced, before each request.

    Requests under way keep the connections that they have; the next ones open their own.
    """

    def __init__(self, app: ASGIApp, runtime: Runtime) -> None:
        self._app = app
        self._runtime = runtime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. In the event loop, so that no two take them on at once."""
        self._runtime.refresh()
        await self._app(scope, receive, send)


def public(runtime: Runtime) -> ASGIApp:
    """What is served to everybody."""
    return application(runtime, PUBLIC)


def private(runtime: Runtime) -> ASGIApp:
    """What is served to those who run the service."""
    return application(runtime, PRIVATE)
