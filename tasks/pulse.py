"""Liveness of beat: a file is touched whenever a tick has reached the broker.

A beat with a dead connection still runs. Its container is healthy only while the file is
recent (see docker-compose.yml).
"""

from typing import Any

from celery import beat

from config.settings import load

FILE = "beat.pulse"
"""Its name below `WIF_VAR_DIR`."""


class Scheduler(beat.Scheduler):
    """Celery's own scheduler without a file of its own, with a pulse."""

    def apply_async(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401
        """Send a tick, then touch the file."""
        sent = super().apply_async(*args, **options)
        path = load().var_dir / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return sent
