"""Programs of the service as a user calls them, and waiting for what they do."""

import io
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from gettext import NullTranslations
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from cli.exit_codes import EXIT_CODES
from cli.main import main
from config import settings
from config.messages import speak
from tests.json_documents import check_json
from tests.logging_kept import logging_kept

ROOT = Path(__file__).resolve().parent.parent
WIF = (sys.executable, "-c", "from cli.main import main; main()")
"""The command as a process of its own, for what is stopped or killed."""
PATIENCE_SECONDS = 60.0


class Ran(NamedTuple):
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def clean_environment(given: Mapping[str, str]) -> dict[str, str]:
    """Our environment without any setting but those `given`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WIF_")}
    # A populated simulator holds dossiers of every state, and tests count what is told.
    return {**kept, "WIF_DOTENV": os.devnull, "WIF_NOTIFY_DECIDED": "true", **given}


def wif(*arguments: str, **given: str) -> Ran:
    """Run one `wif` command to its end, in this process: a start of Python takes a second."""
    out, err = io.StringIO(), io.StringIO()
    settings.load.cache_clear()
    code: object = 0
    with (
        chdir(ROOT),
        mock.patch.dict(os.environ, clean_environment(given), clear=True),
        mock.patch.object(sys, "argv", ["wif", *arguments]),
        logging_kept(),
        umask_kept(),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
        finally:
            settings.load.cache_clear()
            speak(NullTranslations())
    assert isinstance(code, int)
    assert code in EXIT_CODES, "every exit code stands in cli/exit_codes.py"
    if "--json" in arguments and out.getvalue():
        check_json(arguments, out.getvalue())
    return Ran(code, out.getvalue(), err.getvalue())


@contextmanager
def umask_kept() -> Iterator[None]:
    """Gives the umask back that a command in this process sets for itself."""
    kept = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(kept)


def until(done: Callable[[], bool], what: str, *, patience: float = PATIENCE_SECONDS) -> None:
    """Wait for a condition.

    Raises:
        AssertionError: it did not come true in time.
    """
    deadline = time.monotonic() + patience
    while not done():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.05)
