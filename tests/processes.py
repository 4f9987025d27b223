"""Programs of the service as processes of their own, and waiting for what they do."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WIF = (sys.executable, "-c", "from cli.main import main; main()")
PATIENCE_SECONDS = 60.0


def clean_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Our environment without any setting but `settings`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WIF_")}
    return {**kept, "WIF_DOTENV": os.devnull, **settings}


def wif(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run one `wif` command to its end."""
    return subprocess.run(
        [*WIF, *arguments],
        env=clean_environment(settings),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def until(done: Callable[[], bool], what: str, *, patience: float = PATIENCE_SECONDS) -> None:
    """Wait for a condition.

    Raises:
        AssertionError: it did not come true in time.
    """
    deadline = time.monotonic() + patience
    while not done():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.05)
