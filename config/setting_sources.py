"""Where settings are read: the environment, the file `.env`, and files for secrets (`…_FILE`)."""

import difflib
import io
import os
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path

from dotenv import dotenv_values
from pydantic_settings.sources import EnvSettingsSource

from config.files import read_regular

PREFIX = "WIF_"
DOTENV = f"{PREFIX}DOTENV"
"""Names the file of settings to read instead of `.env`; /dev/null for none."""

LARGEST_SECRET = 65_536
"""Bytes of a file that holds a secret."""

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
        named = f"{DOTENV}: the file that it names" if given else f"{path}:"
        raise SettingsError(
            f"{named} cannot be read ({type(error).__name__}); give the path of a regular UTF-8 "
            f"file of {LARGEST_DOTENV} bytes at most; for example: {DOTENV}=/etc/wif/wif.env"
        ) from None
    return _parsed(content)


@lru_cache(maxsize=4)
def _parsed(content: str) -> Mapping[str, str | None]:
    return dotenv_values(stream=io.StringIO(content))


class Dotenv(EnvSettingsSource):
    """Reads `.env`, a regular file of bounded size only."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in dotenv().items()}


class SecretFiles(EnvSettingsSource):
    """Reads `WIF_NAME_FILE` for each setting whose `WIF_NAME` is not given: container secrets."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        wanted = {f"{PREFIX}{name}".upper() for name in self.settings_cls.model_fields}
        found: dict[str, str | None] = {}
        for variable, path in {**dotenv(), **os.environ}.items():
            name = variable.upper().removesuffix("_FILE")
            if path and variable.upper().endswith("_FILE") and name in wanted - {variable.upper()}:
                found[name.lower()] = _secret_file(variable, path)
        return found


def _secret_file(variable: str, path: str) -> str:
    try:
        return read_regular(Path(path), most=LARGEST_SECRET, whole=True).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        name = variable.removeprefix(PREFIX).removesuffix("_FILE").lower()
        raise SettingsError(
            f"{variable}: the file that it names cannot be read ({type(error).__name__}); "
            f"give the path of a regular UTF-8 file of {LARGEST_SECRET} bytes at most; "
            f"for example: {variable}=/run/secrets/{name}"
        ) from None


def unknown_settings(names: Collection[str]) -> list[str]:
    """What is set under our prefix and read by nobody, each in one line with the likely name.

    Args:
        names: of the settings that there are, without the prefix.
    """
    known = {f"{PREFIX}{name}".upper() for name in names}
    known |= {f"{name}_FILE" for name in known} | {DOTENV}
    given = {*dotenv(), *os.environ}
    wrong = sorted(name for name in given if name.upper().startswith(PREFIX) and name not in known)
    lines = []
    for name in wrong:
        near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.6)
        lines.append(f"{name}: no such setting" + (f"; did you mean {near[0]}?" if near else ""))
    return lines
