"""Which addresses a webhook may go to: public ones, unless its host is allowed by name.

The addresses that were checked are the ones that are connected to: a name that changes its
mind in between (DNS rebinding) gains nothing.
"""

import ipaddress
import socket
import threading
from collections.abc import Callable, Collection
from queue import Empty, SimpleQueue
from typing import Any

from connectors.deadline import SocketAddress, remaining
from connectors.webhook.url import WebhookUrl
from routing.failures import Cause, Failure

_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Resolve = Callable[[str, int], list[SocketAddress]]


def destination(
    url: WebhookUrl, allowed: Collection[str], resolve: Resolve | None = None
) -> list[SocketAddress]:
    """The addresses of the endpoint that may be connected to, at least one.

    Args:
        url: of the endpoint.
        allowed: hosts that may be private, and be reached without TLS.
        resolve: looks a name up; the system's resolver when None.

    Raises:
        Failure: the name cannot be resolved (`WEBHOOK_UNREACHABLE`), not in time
            (`WEBHOOK_TIMEOUT`), or it may not be called (`WEBHOOK_FORBIDDEN`).
    """
    named = url.host in allowed
    if not (url.secure or named):
        raise Failure(Cause.WEBHOOK_FORBIDDEN)
    found = (resolve or look_up)(url.host, url.port)
    if not found:
        raise Failure(Cause.WEBHOOK_UNREACHABLE)
    usable = [each for each in found if named or is_public(each[1][0])]
    if not usable:
        raise Failure(Cause.WEBHOOK_FORBIDDEN)
    return usable


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public network, and so do those within it."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and (within := _within(ip)) is not None:
        return _is_public(within)
    return _is_public(ip)


def _within(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that a packet to `ip` ends at, behind a gateway of the network."""
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)


def _is_public(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    site_local = isinstance(ip, ipaddress.IPv6Address) and ip.is_site_local
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or site_local)


def look_up(host: str, port: int) -> list[SocketAddress]:
    """The addresses of a host, within the bounds in force; none when it has none.

    The system's resolver knows no deadline, so it is asked in a thread that may be left behind.

    Raises:
        Failure: the resolver did not answer in time (`WEBHOOK_TIMEOUT`).
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
    except (Empty, TimeoutError):
        raise Failure(Cause.WEBHOOK_TIMEOUT) from None
