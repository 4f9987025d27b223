"""TLS towards TPS: who is trusted, and what is said of who is not."""

import ssl
from pathlib import Path

import pytest
import requests
import trustme

from connectors.tps.errors import (
    RetryLater,
)
from connectors.tps.v1.client import V1Client
from routing.failures import Cause
from simulator import FaultKind, Simulator
from tests.connectors.tps.samples import PROCEDURE, TOKEN, student_form
from tests.connectors.v1_calls import LIST, failure_at
from tests.fixtures.raw_server import http, once, raw_server

AUTHORITY = trustme.CA()


def context(name: str = "localhost") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(name).configure_cert(context)
    return context


def trusting(folder: Path) -> requests.Session:
    path = folder / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(str(path))
    session = requests.Session()
    session.verify = str(path)
    return session


def test_a_certificate_of_a_known_authority_is_accepted(tmp_path: Path) -> None:
    simulator = Simulator(token=TOKEN)
    (number,) = simulator.populate([student_form()], 1)
    with (
        simulator.serve(tls=context()) as server,
        V1Client(base_url=server.url, token=lambda: TOKEN, session=trusting(tmp_path)) as client,
    ):
        assert client.read(student_form(), number, ()).number == number


def test_the_authority_may_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusting(tmp_path).verify))
    simulator = Simulator(token=TOKEN)
    simulator.open(student_form())
    with (
        simulator.serve(tls=context()) as server,
        V1Client(base_url=server.url, token=lambda: TOKEN) as client,
    ):
        assert client.procedure_exists(PROCEDURE)


def test_a_certificate_of_an_unknown_authority_is_refused() -> None:
    simulator = Simulator()
    with simulator.serve(tls=context()) as server:
        error = failure_at(server.url)
    assert isinstance(error, RetryLater)
    assert error.cause is Cause.TPS_TLS
    assert simulator.served == 0


def test_authorities_that_cannot_be_read_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "absent.pem"))
    error = failure_at("https://localhost:9")
    assert error.cause is Cause.TPS_TLS
    assert "absent" not in str(error)


def test_a_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
    simulator = Simulator()
    with (
        simulator.serve(tls=context("ailleurs.example")) as server,
        V1Client(base_url=server.url, token=lambda: TOKEN, session=trusting(tmp_path)) as client,
        pytest.raises(RetryLater) as caught,
    ):
        client.list_page(PROCEDURE, page=1)
    assert caught.value.cause is Cause.TPS_TLS


def test_a_server_that_speaks_no_tls_is_told() -> None:
    with raw_server(once(http(200, LIST))) as server:
        url = server.url.replace("http://", "https://")
        error = failure_at(url, connect_timeout=2, read_timeout=2)
    assert error.cause in {Cause.TPS_TLS, Cause.TPS_TIMEOUT}


def test_a_drip_within_tls_is_left(tmp_path: Path) -> None:
    simulator = Simulator(token=TOKEN)
    (number,) = simulator.populate([student_form()], 1)
    simulator.fail_detail(number, FaultKind.DRIP)
    with (
        simulator.serve(tls=context()) as server,
        V1Client(
            base_url=server.url,
            token=lambda: TOKEN,
            total_timeout=0.5,
            session=trusting(tmp_path),
        ) as client,
        pytest.raises(RetryLater) as caught,
    ):
        client.read(student_form(), number, ())
    assert caught.value.cause is Cause.TPS_TIMEOUT
