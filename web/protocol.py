"""HTTP/1.1 as uvicorn speaks it, with a deadline for each exchange."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from web.limits import EXCHANGE_SECONDS


class BoundedProtocol(H11Protocol):
    """Cuts a connection whose request or answer takes longer than it may.

    uvicorn limits only how long a connection may rest: one that sends a byte at times,
    or never reads its answer, would be kept for ever.
    """

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **options)
        # An access log would keep the addresses of visitors.
        self.access_log = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin the first exchange."""
        super().connection_made(transport)
        self._begin_exchange()

    def on_response_complete(self) -> None:
        """Begin the next exchange; what the client has not read yet counts into it."""
        self._begin_exchange()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._cancel()
        super().connection_lost(exc)

    def _begin_exchange(self) -> None:
        self._cancel()
        self._deadline = self.loop.call_later(EXCHANGE_SECONDS, self.transport.abort)

    def _cancel(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
