"""Waking workers: a message that there is work, which may get lost."""

from typing import Protocol


class Waker(Protocol):
    """Tells workers that there is work. A lost wake-up costs time, never work."""

    def poll(self, procedure: int) -> None:
        """There is more to list of `procedure`."""

    def route(self, procedure: int) -> None:
        """There are dossiers of `procedure` to read."""

    def deliver(self, channel: str) -> None:
        """There are deliveries to make on `channel`."""


class NoWaker:
    """Wakes no worker: for passes that run in one process, one use case after the other."""

    def poll(self, procedure: int) -> None:
        pass

    def route(self, procedure: int) -> None:
        pass

    def deliver(self, channel: str) -> None:
        pass
