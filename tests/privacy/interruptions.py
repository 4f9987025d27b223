"""Interrupts the reading of an answer at many moments and prints what each exception shows.

The soft time limit of a task is a signal, and comes between any two instructions.
"""

import json
import os
import signal
import sys
from contextlib import suppress
from itertools import repeat

from connectors.tps.v1.client import V1Client
from tests.connectors.tps.samples import PERMIT_TYPES, student_form
from tests.fixtures.raw_server import once, raw_server
from tests.privacy.documents import GOOD, Tps
from tests.privacy.exception_dumps import shown
from tests.privacy.markers import found

MOMENTS = 40
STEP = 0.001
"""Seconds between two moments; a reading takes some two thousandths."""


class TimeIsUp(Exception):
    """Stands for the soft time limit."""


def ring(*_: object) -> None:
    """What the signal does."""
    raise TimeIsUp


def interrupted(client: V1Client, number: int, after: float) -> TimeIsUp:
    """What comes out of readings that are interrupted after so many seconds."""
    # Again and again: raised within a finaliser it is lost. Far apart: a second one that came
    # before the timer is stopped below would end this process.
    signal.setitimer(signal.ITIMER_REAL, after, 2.0)
    try:
        for form in repeat(student_form(GOOD)):
            client.read(form, number, PERMIT_TYPES)
    except TimeIsUp as error:
        signal.setitimer(signal.ITIMER_REAL, 0)
        return error
    raise AssertionError


def main() -> None:
    """Try every moment.

    Nothing is closed, and no client is let go of, whose finaliser would close its
    connections: one that was interrupted may hold its lock for ever.
    """
    signal.signal(signal.SIGALRM, ring)
    tps = Tps()
    number = tps.numbers(GOOD, "whole")[0]
    with raw_server(once(tps.details[number].data)) as server:
        leaks: dict[int, list[str]] = {}
        clients = []
        for moment in range(MOMENTS):
            while moment not in leaks:
                clients.append(V1Client(base_url=server.url, token=lambda: "jeton-zqkanari951"))
                error = interrupted(clients[-1], number, 0.005 + moment * STEP)
                # What was interrupted while it was made cannot be shown: once more then.
                with suppress(AttributeError):
                    leaks[moment] = sorted(found(shown(error)))
        sys.stdout.write(json.dumps(leaks))
        sys.stdout.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
