"""POSTs of JSON: what is sent, and what is not done that a GET may do."""

import socket
from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from connectors.tps.errors import Operation, RequestContext, TpsFailure
from connectors.tps.sealed_response import SealedResponse
from connectors.tps.transport import Limits, Transport
from routing.failures import Cause
from tests.connectors.tps.samples import TOKEN
from tests.fixtures.raw_server import http, raw_server

PLACE = RequestContext(Operation.LIST, 1)
PATH = "/api/v2/graphql"
LIMITS = Limits(connect=2, read=2, whole=5, size=10_000, quick_retries=1)


def transport_to(url: str) -> Transport:
    return Transport(base_url=url, token=lambda: TOKEN, token_in_query=False, limits=LIMITS)


@pytest.fixture
def transport(httpserver: HTTPServer) -> Iterator[Transport]:
    made = transport_to(httpserver.url_for(""))
    yield made
    made.close()


def cause_of(outcome: SealedResponse | TpsFailure) -> Cause | None:
    return outcome.cause if isinstance(outcome, TpsFailure) else None


def test_a_post_carries_json_and_the_token_in_its_header(
    httpserver: HTTPServer, transport: Transport
) -> None:
    asked = {"query": "{ demarche }", "variables": {"first": 100}}
    httpserver.expect_request(
        PATH, method="POST", json=asked, headers={"Authorization": f"Bearer {TOKEN}"}
    ).respond_with_json({"data": {"number": 7}})
    answer = transport.post(PLACE, PATH, asked)
    assert isinstance(answer, SealedResponse)
    assert answer.reduce(lambda content: content) == {"data": {"number": 7}}


def test_a_post_follows_no_redirect(httpserver: HTTPServer, transport: Transport) -> None:
    httpserver.expect_request(PATH).respond_with_data(status=307, headers={"Location": "/other"})
    assert cause_of(transport.post(PLACE, PATH, {})) is Cause.TPS_REDIRECTED


def test_a_throttled_post_says_how_long_to_wait(
    httpserver: HTTPServer, transport: Transport
) -> None:
    httpserver.expect_request(PATH).respond_with_data(
        "Retry later\n", status=429, headers={"Retry-After": "17"}
    )
    outcome = transport.post(PLACE, PATH, {})
    assert isinstance(outcome, TpsFailure)
    assert (outcome.cause, outcome.retry_after) == (Cause.TPS_THROTTLED, 17)


@pytest.mark.parametrize(("repeatable", "calls"), [(True, 2), (False, 1)])
def test_only_a_repeatable_post_is_made_again_when_it_was_cut(repeatable: bool, calls: int) -> None:
    def cut_first(sock: socket.socket, request: bytes) -> None:
        if len(server.requests) > 1:
            sock.sendall(http(200, b"{}"))
        sock.close()

    with raw_server(cut_first) as server:
        transport = transport_to(server.url)
        outcome = transport.post(PLACE, PATH, {}, repeatable=repeatable)
        transport.close()
        assert cause_of(outcome) is (None if repeatable else Cause.TPS_RESET)
        assert len([each for each in server.requests if each.startswith(b"POST")]) == calls


def test_the_path_of_the_api_is_taken_off_the_address(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH, method="POST").respond_with_json({})
    transport = transport_to(httpserver.url_for(PATH))
    assert isinstance(transport.post(PLACE, PATH, {}), SealedResponse)
    transport.close()
