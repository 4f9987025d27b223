"""The file `.env`: settings beside those of the environment."""

import io
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from config.files import read_regular
from config.messages import tr

PREFIX = "WIF_"
DOTENV = f"{PREFIX}DOTENV"
"""Names the file of settings to read instead of `.env`; /dev/null for none."""

LARGEST_DOTENV = 1_000_000
"""Bytes of a file of settings."""


class SettingsError(Exception):
    """One or more settings are missing or wrong. Its text is one line for each, without secrets."""


def dotenv() -> Mapping[str, str | None]:
    """The settings of the file `.env`, or of the one that WIF_DOTENV names.

    Raises:
        SettingsError: it cannot be read.
    """
    given = os.environ.get(DOTENV)
    path = Path(given or ".env")
    if given == os.devnull or (not given and not path.exists()):
        return {}
    try:
        content = read_regular(path, most=LARGEST_DOTENV, whole=True).decode()
    except (OSError, UnicodeDecodeError) as error:
        named = tr("WIF_DOTENV: the file that it names") if given else f"{path}:"
        raise SettingsError(
            tr(
                "{named} cannot be read ({name}); give the path of a regular UTF-8 file of "
                "{most} bytes at most; for example: WIF_DOTENV=/etc/wif/wif.env",
                named=named,
                name=type(error).__name__,
                most=LARGEST_DOTENV,
            )
        ) from None
    return _parsed(content)


@lru_cache(maxsize=4)
def _parsed(content: str) -> Mapping[str, str | None]:
    from dotenv import dotenv_values  # noqa: PLC0415 - only where there is such a file

    return dotenv_values(stream=io.StringIO(content))
