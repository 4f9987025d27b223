"""Where settings are read: the environment, the file `.env`, and files for secrets (`…_FILE`)."""

import difflib
import os
from collections.abc import Collection, Mapping
from pathlib import Path

from pydantic_settings.sources import EnvSettingsSource

from config.dotenv_file import DOTENV, PREFIX, SettingsError, dotenv
from config.files import read_regular
from config.messages import joined, tr

__all__ = [
    "DOTENV",
    "PREFIX",
    "Dotenv",
    "SecretFiles",
    "SettingsError",
    "dotenv",
    "unknown_settings",
]

LARGEST_SECRET = 65_536
"""Bytes of a file that holds a secret."""


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
            tr(
                "{variable}: the file that it names cannot be read ({name}); give the path of"
                " a regular UTF-8 file of {most} bytes at most; for example: "
                "{variable}=/run/secrets/{file}",
                variable=variable,
                name=type(error).__name__,
                most=LARGEST_SECRET,
                file=name,
            )
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
    return [_unknown(name, known) for name in wrong]


def _unknown(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.6)
    text = tr("{name}: no such setting", name=name)
    return joined((text, tr("; did you mean {near}?", near=near[0])), "") if near else text
