"""A harness whose service goes on with a restored database."""

from pathlib import Path
from typing import Any

from config.settings import read
from service.restore import RestoreReport, restore
from service.runtime import Runtime
from tests.fixtures.harness import Harness, WakeUpRecorder


def reconfigure(harness: Harness, **changes: Any) -> None:  # noqa: ANN401
    """Let the service of a harness go on with other settings, as a new process."""
    old = harness.runtime
    old.close()
    settings = read(**{**old.settings.model_dump(), **changes})
    harness.runtime = Runtime(settings, clock=old.clock, waker=WakeUpRecorder(), jitter=lambda: 0.0)


def put_back(harness: Harness, backup: Path, database: str, *sent_logs: Path) -> RestoreReport:
    """Restore into another database, and go on with that."""
    reconfigure(harness, database_url=database)
    return restore(harness.runtime, backup, sent_logs)


def mails(harness: Harness, number: int) -> list[str]:
    """The subjects of the mails about a dossier, in no order."""
    return sorted(
        str(mail["Subject"]) for mail in harness.mails() if str(number) in mail["Subject"]
    )
