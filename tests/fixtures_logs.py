"""Logging configured for one test, and put back as it was."""

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from config.logs import configure
from tests.logging_kept import logging_kept


class Output:
    """What was logged, as text and, when it is JSON, as lines."""

    def __init__(self, stream: io.StringIO, *, json: bool) -> None:
        self._stream = stream
        self.json = json

    @property
    def text(self) -> str:
        """All of it."""
        return self._stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Each line's fields; only for JSON."""
        return [json.loads(line) for line in self.text.splitlines()]

    def only(self, event: str) -> dict[str, Any]:
        """The one line with this event."""
        (line,) = [line for line in self.lines if line["event"] == event]
        return line


Configured = Callable[..., contextlib.AbstractContextManager[Output]]


@pytest.fixture
def configured() -> Configured:
    """Configures logging into a text for the length of a block."""

    @contextlib.contextmanager
    def block(*, json: bool = True, level: str = "DEBUG") -> Iterator[Output]:
        stream = io.StringIO()
        with logging_kept():
            configure(json=json, level=level, stream=stream)
            yield Output(stream, json=json)

    return block


@pytest.fixture(params=["json", "console"])
def output(request: pytest.FixtureRequest, configured: Configured) -> Iterator[Output]:
    """Logging at DEBUG into a text, with each renderer in turn."""
    with configured(json=request.param == "json") as output:
        yield output


@pytest.fixture
def logged(configured: Configured) -> Iterator[Output]:
    """Logging at DEBUG into JSON lines."""
    with configured() as output:
        yield output
