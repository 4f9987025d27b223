"""The image, stage by stage, in a root of its own: what an engine would do, without one.

The root has this machine's `/usr`, read-only, a copy of its `/etc`, and nothing else; only root may
make it. What asks Debian's and PostgreSQL's archives for packages is not run.
"""

import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fixtures.compose_file import ROOT, Instruction, instructions

pytestmark = [
    pytest.mark.skipif("DEPLOY_CHECK" not in os.environ, reason="reads the package index"),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for a root folder of its own"),
    pytest.mark.skipif(not Path("/usr/bin/unshare").exists(), reason="needs Linux"),
]

ARCHIVES = "apt-get"
"""What begins a step that asks the archives of packages."""

PREPARE = """
mount --make-rprivate /
mount -t tmpfs -o size=3g,mode=755 tmpfs {root}
cd {root}
mkdir -p usr etc opt var/lib tmp proc dev root
chmod 1777 tmp
for name in bin sbin lib lib64; do [ -L /$name ] && cp -a /$name . ; done
mount --rbind /usr usr
mount -o remount,bind,ro usr
mount --rbind /dev dev
mount -t proc proc proc
cp -a /etc/. etc/
chroot . python3.11 -m venv /python
"""
"""A root without this machine's homes, packages' data and accounts' files."""


@dataclass
class Build:
    """The commands that the instructions so far come to.

    Attributes:
        commands: in the order of the file.
        folder: in which the next one runs.
        path: by which it finds programs.
        user: under whom the container's command runs.
    """

    commands: list[str]
    folder: str = "/"
    path: str = "/python/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    user: str = ""

    def follow(self, line: Instruction) -> None:
        """Do what one instruction says."""
        words = shlex.split(line.text)
        match line.name:
            case "FROM" if len(words) == 1:
                # Nothing of the build stage is in the last one but what is copied from it.
                self.commands.append("mv opt/wif kept; rm -rf build python opt/*")
                self.folder, self.path = "/", self.path.removeprefix("/python/bin:")
            case "ENV":
                named = dict(word.split("=", 1) for word in words)
                self.path = named["PATH"].replace("$PATH", self.path)
            case "WORKDIR":
                self.folder = words[0]
                self.commands.append(f"mkdir -p .{self.folder}")
            case "COPY":
                self.commands.append(_copied(words, self.folder))
            case "RUN" if not line.text.startswith(ARCHIVES):
                self.run(line.text)
            case "USER":
                self.user = words[0]

    def run(self, command: str, *options: str) -> None:
        """Run a command within the root."""
        inner = shlex.quote(f"cd {self.folder} && {command}")
        chosen = " ".join(options)
        self.commands.append(
            f"chroot {chosen} . /usr/bin/env PATH={self.path} HOME=/root /bin/sh -euc {inner}"
        )

    def run_as_user(self, command: str) -> None:
        """Run a command as the container would."""
        self.run(command, f"--userspec={self.user}")


def _copied(words: list[str], folder: str) -> str:
    if words[0] == "--from=build":
        return f"mv kept .{words[2]}"
    *sources, target = words
    inside = f".{Path(folder) / target}"
    given = " ".join(shlex.quote(str(ROOT / source)) for source in sources)
    # As COPY does: of a folder what it holds, of a file itself.
    if (ROOT / sources[0]).is_dir():
        return f"mkdir -p {inside} && cp -r {given}/. {inside}/"
    return f"mkdir -p {inside} && cp {given} {inside}/"


def test_both_stages_run_and_the_service_works_as_its_user(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    build = Build([PREPARE.format(root=root)])
    for line in instructions():
        build.follow(line)
    build.run_as_user("wif --help")
    build.run_as_user("test -w . && wif db upgrade && ! touch /opt/wif/x && id -u")
    done = subprocess.run(
        ["/usr/bin/unshare", "--mount", "--fork", "/bin/sh", "-euc", "\n".join(build.commands)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-2000:]}"
    assert "Usage: wif" in done.stdout
    assert done.stdout.splitlines()[-1] == "10001"
