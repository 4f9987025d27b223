"""IP addresses of hosts: looked up and connected to in time, and whether they are public."""

import ipaddress
import socket
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from connectors.deadline import SocketAddress, connect_to, remaining, within

_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Resolve = Callable[[str, int], list[SocketAddress]]
"""Looks the addresses of a host and a port up, none where it has none."""


def look_up(host: str, port: int) -> list[SocketAddress]:
    """The addresses of a host, within the bounds in force; none when it has none.

    The system's resolver knows no deadline, so it is asked in a thread that may be left behind.

    Raises:
        TimeoutError: the resolver did not answer in time.
    """
    answers: SimpleQueue[list[SocketAddress]] = SimpleQueue()

    def ask() -> None:
        found: list[Any] = []
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            pass
        finally:
            answers.put([(family, address) for family, _, _, _, address in found])

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        return answers.get(timeout=remaining(at_most=threading.TIMEOUT_MAX))
    except Empty:
        raise TimeoutError from None


def connect(host: str, port: int, *, seconds: float) -> socket.socket:
    """A TCP connection, made within `seconds`, the look-up and all addresses together.

    Raises:
        OSError: no address answered; `TimeoutError` when the time ran out.
    """
    with within(seconds):
        return connect_to(look_up(host, port))


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public network, and so do those within it."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and (inner := _within(ip)) is not None:
        return _is_public(inner)
    return _is_public(ip)


def _within(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that a packet to `ip` ends at, behind a gateway of the network."""
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)


def _is_public(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    site_local = isinstance(ip, ipaddress.IPv6Address) and ip.is_site_local
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or site_local)
