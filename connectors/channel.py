"""What every channel does: it checks an address, and hands notices over to it.

The registry of kinds is `connectors/channels.py`: configuration, outbox, breakers and delivering
know kinds from there alone. Batching over one connection is a channel's own affair.
"""

from types import TracebackType
from typing import Protocol, Self

from connectors.notice import Notice


class ChannelSession(Protocol):
    """A channel in use for one batch: a context manager that lets go of what it opened."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def send(self, notice: Notice, address: str) -> None:
        """Hand `notice` over to `address`; it was accepted when this returns.

        Raises:
            routing.failures.Failure: it was not, or nobody knows. `failure.concerns` of the
                channel says whether the address or the way to all addresses failed.
        """


class Channel(Protocol):
    """One kind of channel."""

    kind: str
    """Its key in `units.yaml` and its name in tables, logs and metrics."""

    def check_address(self, address: str) -> None:
        """Accept an address of `units.yaml`, or raise ValueError with what is wrong and a fix."""
