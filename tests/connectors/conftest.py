"""A name server that does not answer."""

import socket
import threading
from collections.abc import Iterator

import pytest


@pytest.fixture
def deaf_resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Looking a name up takes for ever; whoever has waited for it fails the test."""
    released, waited_out = threading.Event(), threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        if not released.wait(5):
            waited_out.set()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    yield
    assert not waited_out.is_set()
    released.set()
