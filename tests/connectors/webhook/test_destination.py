"""Which addresses a webhook may go to, and that those checked are those connected to."""

import socket

import pytest

from connectors.deadline import SocketAddress
from connectors.webhook.destination import destination
from connectors.webhook.url import WebhookUrl
from routing.failures import Cause, Failure

SECURE = WebhookUrl(secure=True, host="gestion.ud075.example", port=443)
CLEAR = WebhookUrl(secure=False, host="gestion.ud075.example", port=80)


def answering(*addresses: str) -> list[SocketAddress]:
    return [(socket.AF_INET6 if ":" in each else socket.AF_INET, (each, 443)) for each in addresses]


PRIVATE = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "no address"]
PUBLIC = ["1.1.1.1", "2606:4700::1"]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused(address: str) -> None:
    with pytest.raises(Failure) as failed:
        destination(SECURE, (), lambda *_: answering(address))
    assert failed.value.cause is Cause.WEBHOOK_FORBIDDEN


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_taken(address: str) -> None:
    assert destination(SECURE, (), lambda *_: answering(address)) == answering(address)


def test_of_several_only_the_public_ones_are_connected_to() -> None:
    found = destination(SECURE, (), lambda *_: answering("10.0.0.1", "1.1.1.1", "::1"))
    assert found == answering("1.1.1.1")


def test_a_host_that_is_allowed_by_name_may_be_private_and_without_tls() -> None:
    for url in (SECURE, CLEAR):
        found = destination(url, {SECURE.host}, lambda *_: answering("10.0.0.1"))
        assert found == answering("10.0.0.1")


def test_another_name_for_the_same_address_is_not_allowed() -> None:
    with pytest.raises(Failure) as failed:
        destination(SECURE, {"intranet.example"}, lambda *_: answering("10.0.0.1"))
    assert failed.value.cause is Cause.WEBHOOK_FORBIDDEN


def test_without_tls_nobody_is_even_looked_up() -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[SocketAddress]:
        asked.append(host)
        return answering("1.1.1.1")

    with pytest.raises(Failure) as failed:
        destination(CLEAR, (), resolve)
    assert failed.value.cause is Cause.WEBHOOK_FORBIDDEN
    assert not asked


def test_a_name_without_an_address_is_unreachable() -> None:
    with pytest.raises(Failure) as failed:
        destination(SECURE, (), lambda *_: [])
    assert failed.value.cause is Cause.WEBHOOK_UNREACHABLE


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_however_loopback_is_written_it_is_recognised(host: str) -> None:
    url = WebhookUrl.parse(f"https://{host}/hook")
    with pytest.raises(Failure) as failed:
        destination(url, ())
    assert failed.value.cause is Cause.WEBHOOK_FORBIDDEN
