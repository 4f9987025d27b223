"""The schedule of beat. Every entry expires before its next tick."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from config.settings import Settings

PURGE_EVERY = timedelta(hours=6)
"""More often than daily: the first tick comes an interval after beat's start, and beat is
restarted."""


AUTORELOAD_EVERY = timedelta(seconds=30)
"""How soon an edit of the rules is in force where they are reloaded."""

CHECK_EVERY = timedelta(minutes=1)
"""How often health is checked and the heartbeat sent."""

PUBLISH_EVERY = timedelta(hours=1)
"""How soon a service that was just started publishes the months that are over."""

REPORT_EVERY = timedelta(minutes=30)
"""How often it is looked whether monthly reports are due, or are to be tried again."""

REMIND_EVERY = timedelta(minutes=15)
"""How soon after its hour a unit is reminded of what waits."""

SEAL_EVERY = timedelta(minutes=10)
"""What was written since the last seal could still be cut off unseen: not for long."""


WEBHOOKS_EVERY = timedelta(hours=1)
"""How soon it is known that TPS has switched a webhook off; polls find what is new meanwhile."""


def beat_entries(settings: Settings) -> Mapping[str, Mapping[str, Any]]:
    """The beat schedule: intervals in seconds, never wall-clock times."""
    entries = {
        # Oftener than a procedure is due: a tick that comes just too early costs a whole one.
        "poll-due": _every(max(1, min(settings.poll_interval // 4, 15)), "wif.poll-due"),
        "sweep": _every(settings.sweep_interval, "wif.sweep"),
        "check-health": _every(CHECK_EVERY.total_seconds(), "wif.check-health"),
        "seal-audit": _every(SEAL_EVERY.total_seconds(), "wif.seal-audit"),
        "publish-statistics": _every(PUBLISH_EVERY.total_seconds(), "wif.publish-statistics"),
        "check-webhooks": _every(WEBHOOKS_EVERY.total_seconds(), "wif.check-webhooks"),
        "purge": _every(PURGE_EVERY.total_seconds(), "wif.purge"),
    }
    if settings.remind_after is not None:
        entries["queue-reminders"] = _every(REMIND_EVERY.total_seconds(), "wif.queue-reminders")
    if settings.monthly_reports:
        entries["mail-reports"] = _every(REPORT_EVERY.total_seconds(), "wif.mail-reports")
    if settings.rules_autoreload:
        entries["autoreload-rules"] = _every(
            AUTORELOAD_EVERY.total_seconds(), "wif.autoreload-rules"
        )
    return entries


def _every(seconds: float, task: str) -> Mapping[str, Any]:
    return {
        "task": task,
        "schedule": seconds,
        # Ticks that pile up while no worker runs are worth nothing afterwards. No queue: it would
        # take precedence over `task_routes` of `celeryconfig.py`, which names it.
        "options": {"expires": max(1, int(seconds) - 1)},
    }
