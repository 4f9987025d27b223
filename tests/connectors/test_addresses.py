"""Addresses of hosts: which are public, and a resolver that hangs."""

import socket
import time

import pytest

from connectors.addresses import connect, is_public, look_up
from connectors.deadline import within

PRIVATE = [
    *("127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255"),  # noqa: S104
    *("192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.8", "198.18.0.1", "224.0.0.1"),
    *("239.255.255.250", "240.0.0.1", "255.255.255.255", "192.0.2.1", "203.0.113.9"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "ff02::1", "ff0e::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
    *("2002:7f00:1::1", "2002:a00:1::", "2001:db8::1", "64:ff9b:1::1", "fec0::1"),
    "no address",
]
PUBLIC = ["1.1.1.1", "193.252.1.1", "2606:4700::1", "::ffff:1.1.1.1", "64:ff9b::101:101"]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.usefixtures("deaf_resolver")
def test_a_resolver_that_hangs_is_left_behind() -> None:
    with within(0.05), pytest.raises(TimeoutError):
        look_up("gestion.ud075.example", 443)
    with pytest.raises(TimeoutError):
        connect("smtp.ud075.example", 25, seconds=0.05)


def test_all_addresses_of_a_host_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        address = deaf.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)  # noqa: FBT003 (the standard library's own)
            sock.connect_ex(address)
        found = (socket.AF_INET, socket.SOCK_STREAM, 6, "", address)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [found] * 50)
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            connect("127.0.0.1", address[1], seconds=0.2)
        assert time.monotonic() - began < 5.0
        for sock in waiting:
            sock.close()


def test_a_host_without_an_address_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
    with pytest.raises(ConnectionError):
        connect("nobody.invalid", 25, seconds=1.0)
