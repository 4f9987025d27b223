"""Clocks that are wrong, and nobody who puts due times right."""

from datetime import datetime, timedelta

import pytest

from routing.calendar import PARIS
from service.runtime import Runtime
from store import (
    clock_repair,
)


def clocks_put_right(patch: pytest.MonkeyPatch) -> None:
    """Due times stay as a clock that was wrong has set them."""
    patch.setattr(clock_repair, "put_right", lambda *_, **__: 0)


def universal_time(runtime: Runtime) -> None:
    """The clock of the service shows the time of Paris, and says that it is universal."""
    clock = runtime.clock

    def paris() -> datetime:
        now = clock()
        return now + (now.astimezone(PARIS).utcoffset() or timedelta())

    runtime.clock = paris
