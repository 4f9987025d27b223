"""Files of secrets (`WIF_…_FILE`): which settings they give, and whether one was replaced."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from config.setting_sources import PREFIX, dotenv
from config.settings import Settings

KEPT = frozenset({"broker_url"})
"""Given by a file, and taken on at the next start only: Celery holds the connection."""

Signature = tuple[int, int, int]
"""Of a file: its number, when it was written, its size."""


def secret_files() -> Mapping[str, Path]:
    """The file of each setting that is given by one, by the setting's name."""
    return dict(_found())


def _found() -> Iterator[tuple[str, Path]]:
    for variable, path in {**dotenv(), **os.environ}.items():
        name = variable.upper().removeprefix(PREFIX).removesuffix("_FILE").lower()
        by_file = variable.upper() == f"{PREFIX}{name}_FILE".upper()
        if path and by_file and name in Settings.model_fields:
            yield name, Path(path)


@dataclass(slots=True)
class SecretFileWatch:
    """Notices that a file of a secret was written or replaced, also through a link to it."""

    _files: Mapping[str, Path] = field(default_factory=secret_files)
    _seen: dict[str, Signature] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.changed()

    @property
    def names(self) -> frozenset[str]:
        """Names of the settings that are taken on when their files change."""
        return frozenset(self._files) - KEPT

    def changed(self) -> frozenset[str]:
        """Names of the settings whose files changed since the last call.

        A file that is not there at this moment counts when it is there again.
        """
        found: set[str] = set()
        for name, path in self._files.items():
            signature = _signature(path)
            if signature is not None and signature != self._seen.get(name):
                self._seen[name] = signature
                found.add(name)
        return frozenset(found - KEPT)


def _signature(path: Path) -> Signature | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
