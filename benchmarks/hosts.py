"""Several hosts on one machine: network namespaces on a bridge of their own (Linux, as root).

What runs on such a host reaches the others through its own network stack and address, and
nothing on this machine's loopback.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_NETWORK = f"10.213.{os.getpid() % 254 + 1}"
"""Of this process, so that two runs do not stand in each other's way."""

SERVERS = f"{_NETWORK}.1"
"""Where the shared servers listen: this machine's end of the bridge."""

_LENGTH = 24
_FIRST = 10


@dataclass(frozen=True, slots=True)
class Host:
    """One host.

    Attributes:
        prefix: what is put before a command that is to run there.
    """

    prefix: tuple[str, ...] = ()


HERE = Host()
"""This machine itself."""


class NoNamespacesError(Exception):
    """This machine gives no network namespaces; the text says why."""


@contextmanager
def hosts(count: int) -> Iterator[list[Host]]:
    """`count` hosts that reach each other and `SERVERS`; gone at the end.

    Raises:
        NoNamespacesError: they cannot be made here, as without root.
    """
    mark = os.getpid()
    if shutil.which("ip") is None:
        raise NoNamespacesError("iproute2 is not installed")
    bridge, names = f"wifb{mark}", [f"wif-bench-{mark}-{number}" for number in range(count)]
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("addr", "add", f"{SERVERS}/{_LENGTH}", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for number, name in enumerate(names):
            _add(name, number, bridge, f"wifv{mark % 100_000}.{number}")
        yield [Host(("ip", "netns", "exec", name)) for name in names]
    finally:
        for name in names:
            _ip("netns", "del", name, must=False)
        _ip("link", "del", bridge, must=False)


def _add(name: str, number: int, bridge: str, link: str) -> None:
    _ip("netns", "add", name)
    _ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name)
    _ip("link", "set", link, "master", bridge, "up")
    _ip("-n", name, "addr", "add", f"{_NETWORK}.{_FIRST + number}/{_LENGTH}", "dev", "eth0")
    _ip("-n", name, "link", "set", "eth0", "up")
    _ip("-n", name, "link", "set", "lo", "up")


def _ip(*words: str, must: bool = True) -> None:
    program = shutil.which("ip") or "ip"
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    if must and done.returncode:
        raise NoNamespacesError(f"ip {' '.join(words)}: {done.stderr.strip()}")
