"""The client against the simulated TPS, in both eras, and what it sends."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import requests
import responses
import time_machine
from pydantic import SecretStr
from pytest_httpserver import HTTPServer

from connectors.tps import sealed_response, transport
from connectors.tps.errors import (
    GiveUpOnDossier,
    MalformedResponse,
    RetryLater,
    StopProcedure,
    TpsFailure,
)
from connectors.tps.sealed_response import SealedResponse
from connectors.tps.v1.client import V1Client
from routing.facts import DossierState
from routing.failures import Cause
from simulator import Era, Fault, FaultKind, Simulator, TokenPlace
from tests.connectors.tps.samples import PERMIT_TYPES, TOKEN, student_form

PARIS = student_form(1, "75")
FORMS = {
    form.procedure: form
    for form in (
        PARIS,
        student_form(2, "2A"),
        student_form(3, None),
        student_form(4, "971", kind="introduction-salarie"),
        student_form(5, "67", kind="changement-statut"),
    )
}


@contextmanager
def served(simulator: Simulator, **options: float) -> Iterator[V1Client]:
    with (
        simulator.serve() as server,
        V1Client(
            base_url=server.url,
            token=SecretStr(simulator.token),
            **options,  # type: ignore[arg-type]
        ) as client,
    ):
        yield client


def failure_of(client: V1Client, number: int) -> TpsFailure:
    with pytest.raises(TpsFailure) as caught:
        client.read(PARIS, number, PERMIT_TYPES)
    return caught.value


@pytest.mark.parametrize("era", Era)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_generated_dossiers_are_read_as_they_were_meant(era: Era, seed: int) -> None:
    simulator = Simulator(era=era, seed=seed, paris_dates=seed == 2, en_dash=seed == 3)
    simulator.populate(FORMS.values(), 600)
    unreadable = 0
    with served(simulator) as client:
        for truth in simulator.truths:
            form = FORMS[truth.procedure]
            if not truth.readable:
                unreadable += 1
                with pytest.raises(MalformedResponse):
                    client.read(form, truth.number, PERMIT_TYPES)
                continue
            found = client.read(form, truth.number, PERMIT_TYPES)
            assert found.filed_at == simulator.dossier(truth.number).filed_at
            assert (found.state, found.permit_type, found.department) == (
                truth.state,
                truth.permit_type,
                truth.department,
            )
    assert unreadable == 3


@pytest.mark.parametrize("era", Era)
def test_a_list_is_read_page_by_page(era: Era) -> None:
    simulator = Simulator(era=era)
    numbers = simulator.populate([PARIS], 25)
    with served(simulator) as client:
        pages = [client.list_page(1, page=page, size=10) for page in (1, 2, 3)]
    assert [len(page.rows) for page in pages] == [10, 10, 5]
    assert {(page.pages, page.page_size, page.malformed) for page in pages} == {(3, 10, 0)}
    rows = [row for page in pages for row in page.rows]
    assert [row.number for row in rows] == numbers
    assert all((row.state is None) == (era is Era.Y2018) for row in rows)
    first = simulator.dossier(numbers[0])
    assert (rows[0].filed_at, rows[0].changed_at) == (first.filed_at, first.changed_at)


def test_the_newest_come_first_where_the_server_sorts() -> None:
    modern, old = Simulator(era=Era.Y2021), Simulator(era=Era.Y2018)
    for simulator, newest in ((modern, True), (old, False)):
        numbers = simulator.populate([PARIS], 5)
        with served(simulator) as client:
            page = client.list_page(1, page=1, size=2, newest_first=True)
        expected = numbers[:-3:-1] if newest else numbers[:2]
        assert [row.number for row in page.rows] == expected


def test_the_server_decides_how_large_a_page_is() -> None:
    simulator = Simulator(era=Era.Y2018, fixed_page=12)
    simulator.populate([PARIS], 30)
    with served(simulator) as client:
        page = client.list_page(1, page=1)
    assert (len(page.rows), page.page_size, page.pages) == (12, 12, 3)


def test_one_connection_serves_all_calls_refusals_included() -> None:
    simulator = Simulator()
    simulator.populate([PARIS], 3, oddities=False)
    with (
        simulator.serve() as server,
        V1Client(base_url=server.url, token=lambda: simulator.token) as client,
    ):
        simulator.fail_detail(1_000_002, 503)
        client.list_page(1, page=1)
        for number in (1_000_001, 1_000_003):
            client.read(PARIS, number, PERMIT_TYPES)
            failure_of(client, 1_000_002)
            failure_of(client, 99)
        assert server.connections == 1


def test_the_token_travels_in_the_header_and_is_asked_for_anew() -> None:
    simulator = Simulator()
    simulator.populate([PARIS], 1)
    tokens = iter([f" {simulator.token}\n", "expired"])
    with (
        simulator.serve() as server,
        V1Client(base_url=server.url, token=lambda: next(tokens)) as client,
    ):
        client.list_page(1, page=1)
        with pytest.raises(StopProcedure) as caught:
            client.list_page(1, page=1)
    assert (caught.value.cause, caught.value.status) == (Cause.TPS_UNAUTHORIZED, 401)
    assert [seen.token for seen in simulator.requests] == [TokenPlace.HEADER] * 2
    assert all("token" not in seen.query for seen in simulator.requests)


def test_only_configuration_puts_the_token_in_the_url() -> None:
    simulator = Simulator(era=Era.Y2018)
    (number,) = simulator.populate([PARIS], 1)
    with (
        simulator.serve() as server,
        V1Client(base_url=server.url, token=lambda: simulator.token, token_in_query=True) as client,
    ):
        client.list_page(1, page=1)
        client.read(PARIS, number, PERMIT_TYPES)
    assert [seen.token for seen in simulator.requests] == [TokenPlace.QUERY] * 2


@pytest.mark.parametrize("token", ["", " ", "jeton avec espace", "jeton\nX-Injected: 1", "jéton"])
def test_a_token_that_no_header_can_carry_is_not_sent(token: str) -> None:
    simulator = Simulator()
    simulator.populate([PARIS], 1)
    with (
        simulator.serve() as server,
        V1Client(base_url=server.url, token=lambda: token) as client,
        pytest.raises(StopProcedure) as caught,
    ):
        client.list_page(1, page=1)
    assert caught.value.cause is Cause.TPS_UNAUTHORIZED
    assert simulator.served == 0


@responses.activate
def test_a_request_says_who_asks_and_what_for() -> None:
    responses.get("https://tps.example/api/v1/procedures/1/dossiers", status=503)
    with (
        V1Client(base_url="https://tps.example/api/v1/", token=lambda: TOKEN) as client,
        pytest.raises(RetryLater),
    ):
        client.list_page(1, page=2, size=50, newest_first=True)
    sent = responses.calls[0].request
    assert sent.url == (
        "https://tps.example/api/v1/procedures/1/dossiers?page=2&resultats_par_page=50&order=desc"
    )
    assert sent.headers["Authorization"] == f"Bearer {TOKEN}"
    assert sent.headers["Accept"] == "application/json"
    assert sent.headers["User-Agent"] == "work-in-france-routing"
    assert TOKEN not in str(sent.url)


def test_the_machine_s_netrc_does_not_replace_the_token(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setitem(os.environ, "NETRC", str(netrc))
    simulator = Simulator()
    simulator.populate([PARIS], 1)
    with served(simulator) as client:
        assert client.list_page(1, page=1).rows


def test_a_procedure_exists_or_is_not_to_be_seen() -> None:
    simulator = Simulator()
    simulator.open(PARIS)
    with served(simulator) as client:
        assert client.procedure_exists(1)
        assert not client.procedure_exists(2)
        simulator.fail_all(401)
        with pytest.raises(StopProcedure):
            client.procedure_exists(1)
        simulator.fail_all(Fault(kind=FaultKind.HTML, status=200))
        with pytest.raises(RetryLater):
            client.procedure_exists(1)


def test_what_is_not_found_is_given_up_but_an_unknown_procedure_is_stopped() -> None:
    simulator = Simulator()
    simulator.open(PARIS)
    with served(simulator) as client:
        error = failure_of(client, 404)
        assert isinstance(error, GiveUpOnDossier)
        assert (error.cause, error.status) == (Cause.TPS_NOT_FOUND, 404)
        with pytest.raises(StopProcedure) as caught:
            client.list_page(2, page=1)
        assert caught.value.cause is Cause.TPS_NOT_FOUND


@pytest.mark.parametrize(
    ("fault", "kind", "cause"),
    [
        (500, RetryLater, Cause.TPS_UNAVAILABLE),
        (Fault(kind=FaultKind.JSON, status=503), RetryLater, Cause.TPS_UNAVAILABLE),
        (Fault(kind=FaultKind.HTML, status=200), RetryLater, Cause.TPS_NOT_JSON),
        (403, StopProcedure, Cause.TPS_FORBIDDEN),
        (FaultKind.TRUNCATED, RetryLater, Cause.TPS_TRUNCATED),
        (FaultKind.RESET, RetryLater, Cause.TPS_RESET),
        (FaultKind.HANG, RetryLater, Cause.TPS_TIMEOUT),
        (FaultKind.DRIP, RetryLater, Cause.TPS_TIMEOUT),
        (FaultKind.OVERSIZED, MalformedResponse, Cause.TPS_OVERSIZED),
        (FaultKind.MALFORMED, MalformedResponse, Cause.TPS_MALFORMED),
    ],
)
def test_one_bad_dossier_does_not_concern_the_next(
    fault: Fault | FaultKind | int, kind: type[TpsFailure], cause: Cause
) -> None:
    simulator = Simulator()
    bad, good = simulator.populate([PARIS], 2, oddities=False)
    simulator.fail_detail(bad, fault)
    with served(simulator, read_timeout=1.0, total_timeout=1.5) as client:
        error = failure_of(client, bad)
        assert client.read(PARIS, good, PERMIT_TYPES).number == good
    assert isinstance(error, kind)
    assert error.cause is cause


def test_a_limit_is_told_with_the_time_to_wait() -> None:
    simulator = Simulator()
    (number,) = simulator.populate([PARIS], 1)
    with served(simulator) as client:
        simulator.throttle(42)
        error = failure_of(client, number)
        assert (error.cause, error.status, error.retry_after) == (Cause.TPS_THROTTLED, 429, 42.0)
        now = datetime(2026, 11, 23, 9, tzinfo=UTC)
        later = now + timedelta(seconds=90)
        simulator.throttle(later.strftime("%a, %d %b %Y %H:%M:%S GMT"))
        with time_machine.travel(now, tick=False):
            assert failure_of(client, number).retry_after == 90


def test_a_connection_that_is_cut_once_is_tried_again_at_once() -> None:
    simulator = Simulator()
    (number,) = simulator.populate([PARIS], 1)
    with served(simulator) as client:
        simulator.fail_detail(number, Fault(kind=FaultKind.RESET, times=1))
        assert client.read(PARIS, number, PERMIT_TYPES).number == number
        simulator.fail_detail(number, Fault(kind=FaultKind.RESET, times=2))
        assert failure_of(client, number).cause is Cause.TPS_RESET
    assert simulator.served == 4


def test_the_quick_retry_can_be_switched_off() -> None:
    simulator = Simulator()
    (number,) = simulator.populate([PARIS], 1)
    with served(simulator, quick_retries=0) as client:
        simulator.fail_detail(number, Fault(kind=FaultKind.RESET, times=1))
        assert failure_of(client, number).cause is Cause.TPS_RESET
    assert simulator.served == 1


def test_a_server_that_closed_the_kept_connection_is_not_noticed() -> None:
    simulator = Simulator()
    (number,) = simulator.populate([PARIS], 1)
    with simulator.serve() as server:
        port = server.port
        client = V1Client(base_url=server.url, token=lambda: simulator.token)
        client.read(PARIS, number, PERMIT_TYPES)
    with client, simulator.serve(port=port):
        assert client.read(PARIS, number, PERMIT_TYPES).number == number


def test_a_renamed_label_leaves_a_gap_and_no_error() -> None:
    simulator = Simulator()
    (number,) = simulator.populate([PARIS], 1)
    simulator.rename_label("Type de contrat", "Nature du contrat")
    with served(simulator) as client:
        found = client.read(PARIS, number, PERMIT_TYPES)
    assert (found.permit_type, found.department) == (None, "75")


def test_a_state_can_go_back() -> None:
    simulator = Simulator()
    (number,) = simulator.populate([PARIS], 1)
    with served(simulator) as client:
        for state in (DossierState.RECEIVED, DossierState.INITIATED, DossierState.CLOSED):
            simulator.change(number, state=state)
            assert client.read(PARIS, number, PERMIT_TYPES).state is state


@pytest.mark.parametrize(
    "address",
    [
        "",
        "tps.example",
        "ftp://tps.example",
        "https://",
        f"https://user:{TOKEN}@tps.example",
        "https://tps.example?token=canari",
        "https://tps.example#canari",
    ],
)
def test_an_address_that_is_none_is_refused_without_being_repeated(address: str) -> None:
    with pytest.raises(ValueError, match="the address of TPS must") as caught:
        V1Client(base_url=address, token=lambda: TOKEN)
    assert "canari" not in str(caught.value)


def test_a_session_that_does_not_verify_tls_is_refused() -> None:
    session = requests.Session()
    session.verify = False
    with pytest.raises(ValueError, match="does not verify TLS"):
        V1Client(base_url="https://tps.example", token=lambda: TOKEN, session=session)
    session.close()


@pytest.mark.parametrize("rows", [11, 300_000])
def test_a_page_with_more_rows_than_were_asked_for_is_refused(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    body = json.dumps(
        {
            "dossiers": [{"id": 1}] * rows,
            "pagination": {"page": 1, "resultats_par_page": 10, "nombre_de_page": 1},
        }
    )
    httpserver.expect_request("/api/v1/procedures/1/dossiers").respond_with_data(body)
    parsed: list[int] = []

    def parse(text: bytes) -> SealedResponse | Cause:
        parsed.append(len(text))
        return sealed_response.parse(text)

    monkeypatch.setattr(transport, "parse", parse)
    with V1Client(base_url=httpserver.url_for(""), token=SecretStr(TOKEN)) as client:
        with pytest.raises(TpsFailure) as caught:
            client.list_page(1, page=1, size=10)
        assert caught.value.cause in {Cause.TPS_MALFORMED, Cause.TPS_OVERSIZED}
    assert all(size < 10_000 for size in parsed), "a flood is refused before it is parsed"
