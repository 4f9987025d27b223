"""The last release: its commit, its schema, and its files where the history has them."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_suffix("")
ROOT = FILE.parent.parent


@dataclass(frozen=True, slots=True)
class LastRelease:
    """What `release/last_release` names.

    Attributes:
        commit: in full.
        schema: the newest migration that it knows.
    """

    commit: str
    schema: str

    @classmethod
    def read(cls) -> "LastRelease":
        """The one that is written down."""
        lines = FILE.read_text(encoding="utf-8").splitlines()
        (line,) = (each for each in lines if each and not each.startswith("#"))
        commit, schema = line.split()
        return cls(commit, schema)

    def is_there(self) -> bool:
        """Whether the checkout has its history: a shallow clone, or a copy, has not."""
        if shutil.which("git") is None:
            return False
        return _git("cat-file", "-e", f"{self.commit}^{{tree}}").returncode == 0

    def extract(self, folder: Path) -> Path:
        """Write its files into `folder`, without touching the checkout."""
        packed = _git("archive", self.commit)
        packed.check_returncode()
        subprocess.run(["/bin/tar", "-x", "-C", folder], input=packed.stdout, check=True)
        return folder


def _git(*words: str) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("git") or "git"
    return subprocess.run([program, *words], cwd=ROOT, capture_output=True, check=False)
