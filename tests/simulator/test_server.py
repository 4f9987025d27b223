"""The simulated TPS as a client on the wire sees it, and as another process drives it."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from connectors.tps.v1.client import V1Client
from simulator import Era, Seen, Server, SimulatedForm, Simulator, TokenPlace
from tests.connectors.tps.samples import PERMIT_TYPES, student_form

PARIS = SimulatedForm(1, "75")


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer simulator-token"
        yield session


def get(http: requests.Session, server: Server, path: str) -> requests.Response:
    return http.get(f"{server.url}{path}", timeout=5)


def keys(dossier: dict[str, Any]) -> set[str]:
    return set(dossier)


def test_the_shape_of_2018(http: requests.Session) -> None:
    simulator = Simulator(era=Era.Y2018)
    number = simulator.add(PARIS).number
    with simulator.serve() as server:
        page = get(http, server, "/api/v1/procedures/1/dossiers").json()
        dossier = get(http, server, f"/api/v1/procedures/1/dossiers/{number}").json()["dossier"]
    assert [keys(row) for row in page["dossiers"]] == [{"id", "updated_at", "initiated_at"}]
    assert keys(page["pagination"]) == {"page", "resultats_par_page", "nombre_de_page"}
    assert "accompagnateurs" in dossier
    assert not {"instructeurs", "attestation"} & keys(dossier)
    places = [each["type_de_champ"]["order_place"] for each in dossier["champs"]]
    assert places == list(range(len(places)))


def test_the_shape_of_2021(http: requests.Session) -> None:
    simulator = Simulator(era=Era.Y2021)
    number = simulator.add(PARIS).number
    with simulator.serve() as server:
        page = get(http, server, "/api/v1/procedures/1/dossiers").json()
        dossier = get(http, server, f"/api/v1/procedures/1/dossiers/{number}").json()["dossier"]
    assert [row["state"] for row in page["dossiers"]] == ["initiated"]
    assert "instructeurs" in dossier
    assert "accompagnateurs" not in dossier
    assert {each["type_de_champ"]["order_place"] for each in dossier["champs"]} == {-1}
    assert {
        keys(each["type_de_champ"]) == {"id", "libelle", "type_champ", "order_place", "description"}
        for each in dossier["champs"]
    } == {True}


@pytest.mark.parametrize(("era", "text"), [(Era.Y2018, "{}"), (Era.Y2021, "HTTP Token: Access")])
def test_a_bad_token_is_refused_in_the_way_of_its_time(era: Era, text: str) -> None:
    simulator = Simulator(era=era)
    simulator.open(PARIS)
    with simulator.serve() as server:
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            answer = requests.get(
                f"{server.url}/api/v1/procedures/1/dossiers", headers=headers, timeout=5
            )
            assert answer.status_code == 401
            assert answer.text.startswith(text)


def test_the_token_may_be_in_the_url_and_is_not_remembered() -> None:
    simulator = Simulator()
    simulator.open(PARIS)
    with simulator.serve() as server:
        url = f"{server.url}/api/v1/procedures/1/dossiers?token={simulator.token}&page=1"
        assert requests.get(url, timeout=5).status_code == 200
    assert list(simulator.requests) == [
        Seen("GET", "/api/v1/procedures/1/dossiers", {"page": "1"}, TokenPlace.QUERY)
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/v1/procedures",
        "/api/v1/procedures/2",
        "/api/v1/procedures/2/dossiers",
        "/api/v1/procedures/1/dossiers/99",
        "/api/v1/procedures/one/dossiers",
        "/_simulator/nothing",
    ],
)
def test_what_is_not_there_is_not_found(http: requests.Session, path: str) -> None:
    simulator = Simulator()
    simulator.open(PARIS)
    with simulator.serve() as server:
        assert get(http, server, path).status_code == 404


def test_what_happens_while_a_page_is_asked_for_is_in_it(tps: Server) -> None:
    first, *_ = tps.simulator.populate([PARIS], 3, oddities=False)

    def delete_once(seen: Seen) -> None:
        if seen.query.get("page") == "2":
            tps.simulator.delete(first)

    tps.simulator.on_request = delete_once
    with V1Client(base_url=tps.url, token=lambda: tps.simulator.token) as client:
        pages = [client.list_page(1, page=page, size=1) for page in (1, 2)]
    # The deletion shifted the second row onto the first page, which was read already.
    assert [row.number for page in pages for row in page.rows] == [first, first + 2]


def test_many_clients_read_while_dossiers_change(tps: Server) -> None:
    form = student_form(1)
    numbers = tps.simulator.populate([form], 60, oddities=False)
    with (
        V1Client(base_url=tps.url, token=lambda: tps.simulator.token) as client,
        ThreadPoolExecutor(4) as pool,
    ):
        reading = pool.map(lambda number: client.read(form, number, PERMIT_TYPES), numbers)
        for number in numbers:
            tps.simulator.change(number, state="received")
        assert [facts.number for facts in reading] == numbers


class TestAdmin:
    def test_another_process_can_do_everything(self, http: requests.Session, tps: Server) -> None:
        def post(path: str, **given: object) -> Any:  # noqa: ANN401
            answer = http.post(f"{tps.url}/_simulator/{path}", json=given, timeout=5)
            assert answer.status_code == 200, answer.text
            return answer.json()

        filled = post(
            "populate",
            count=5,
            forms=[{"procedure": 1, "department": "75"}],
            until="2026-11-02T12:00:00+00:00",
            states=["received"],
            oddities=False,
        )
        assert filled == {"first": 1_000_001, "last": 1_000_005}
        truth = post(
            "dossiers",
            form={"procedure": 2, "department": "2A"},
            number=77,
            permit_type="doctorat",
            filed_at="2026-11-02T12:00:00+00:00",
        )
        assert truth == {
            "procedure": 2,
            "number": 77,
            "state": "initiated",
            "permit_type": "doctorat",
            "department": "2A",
            "readable": True,
        }
        assert post("dossiers/77", state="closed")["state"] == "closed"
        assert get(http, tps, "/_simulator/truths/77").json() == {**truth, "state": "closed"}
        assert len(get(http, tps, "/_simulator/truths").json()) == 6
        post("labels", old="Nom", new="Nom de famille")
        assert "Nom de famille" in get(http, tps, "/api/v1/procedures/2/dossiers/77").text
        post("faults", kind="json", status=500, number=77, times=1)
        statuses = [
            get(http, tps, "/api/v1/procedures/2/dossiers/77").status_code for _ in range(2)
        ]
        assert statuses == [500, 200]
        post("faults", kind="html", status=401, procedure=1)
        assert get(http, tps, "/api/v1/procedures/1/dossiers").status_code == 401
        post("faults", kind="html", status=429, headers={"Retry-After": "9"})
        limited = get(http, tps, "/api/v1/procedures/2/dossiers")
        assert (limited.status_code, limited.headers["Retry-After"]) == (429, "9")
        http.delete(f"{tps.url}/_simulator/faults", timeout=5)
        assert get(http, tps, "/api/v1/procedures/1/dossiers").status_code == 200
        http.delete(f"{tps.url}/_simulator/dossiers/77", timeout=5)
        assert get(http, tps, "/_simulator/stats").json() == {
            "dossiers": 5,
            "procedures": 2,
            "requests": tps.simulator.served,
            "era": "2021",
        }
        assert len(get(http, tps, "/_simulator/requests").json()) == tps.simulator.served

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("dossiers", '{"colour": 1}'),
            ("dossiers", "not json"),
            ("dossiers", "[]"),
            ("dossiers/12", "{}"),
            ("dossiers/x", "{}"),
            ("faults", '{"kind": "fire"}'),
            ("populate", "{}"),
            ("populate", '{"count": 1, "until": "yesterday"}'),
        ],
    )
    def test_a_wrong_wish_is_refused(
        self, http: requests.Session, tps: Server, path: str, body: str
    ) -> None:
        answer = http.post(f"{tps.url}/_simulator/{path}", data=body, timeout=5)
        assert answer.status_code == 400
        assert set(answer.json()) == {"error"}


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_runs_as_a_process_of_its_own(http: requests.Session, ending: signal.Signals) -> None:
    command = [sys.executable, "-m", "simulator", "--port", "0", "--count", "120"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            url = said.split(" on ")[1].split(",")[0]
            assert "invented people" in said
            stats = http.get(f"{url}/_simulator/stats", timeout=5).json()
            assert (stats["dossiers"], stats["era"]) == (120, "2021")
        finally:
            process.send_signal(ending)
            assert process.wait(10) == 0
