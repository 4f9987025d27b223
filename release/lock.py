"""Reads the lock file: which distribution in which version, with the hashes of its files."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

FILE = Path(__file__).resolve().parent.parent / "requirements.lock"
_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[\w, -]+\])?==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Pin:
    """One locked distribution.

    Attributes:
        version: the one version that is installed.
        hashes: SHA-256 of each file that may be installed, in hex.
    """

    version: Version
    hashes: tuple[str, ...]


def read_lock(path: Path = FILE) -> Mapping[NormalizedName, Pin]:
    """The pins of a lock file by distribution.

    Raises:
        ValueError: the file pins nothing, so it is no lock.
    """
    found: dict[NormalizedName, Pin] = {}
    name: NormalizedName | None = None
    for line in path.read_text(encoding="utf-8").splitlines():
        if pin := _PIN.match(line):
            name = canonicalize_name(pin[1])
            found[name] = Pin(Version(pin[2]), ())
        if name and (digest := _HASH.search(line)):
            found[name] = Pin(found[name].version, (*found[name].hashes, digest[1]))
    if not found:
        raise ValueError(f"{path}: pins no distribution; give the lock file of the project")
    return found
