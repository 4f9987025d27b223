"""The service's Celery application, on a clock that a scenario moves, perhaps without a safeguard.

`celery -A tests.faults.app worker` is what a scenario starts in place of
`celery -A tasks worker`. The tasks, the settings and the processes are the real ones.
"""

import os
from typing import Any

import tasks.celery
from config.settings import Settings
from service.runtime import Runtime
from tests.faults.clock import CLOCK, ShiftedClock
from tests.faults.unsynced_sqlite import without_fsync

WITHOUT = "FAULTS_WITHOUT"
"""Names, separated by blanks, of the safeguards that this process has to do without."""


def _runtime(settings: Settings, **options: Any) -> Runtime:  # noqa: ANN401
    made = Runtime(settings, clock=ShiftedClock(settings.var_dir / CLOCK), **options)
    without_fsync(made.database)
    return made


def _do_without(names: list[str]) -> None:
    # Only where it is asked for: to import it takes as long as all the rest.
    import pytest  # noqa: PLC0415

    from tests.faults import safeguards  # noqa: PLC0415

    for name in names:
        safeguards.BY_NAME[name](pytest.MonkeyPatch())


vars(tasks.celery)["Runtime"] = _runtime
if given := os.environ.get(WITHOUT):
    _do_without(given.split())

app = tasks.celery.app
