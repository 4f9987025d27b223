"""`/ops`: who may see it, and what it shows."""

from datetime import timedelta

import pytest
import requests
from sqlalchemy import update

from service import watch_health
from store.deliveries import DeliveryState
from store.models import Delivery
from tests.fixtures.harness import PARIS_FORM, Harness
from tests.fixtures.web import Serve
from web.ops.access import FAILURES
from web.ops.page import PATH
from web.server import WebServer

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

ENTRY = "correct-horse-battery"
PAGES = (PATH, f"{PATH}/couverture", f"{PATH}/style.css", f"{PATH}/refresh.js")
ANYBODY = ("anybody", ENTRY)


def get(server: WebServer, path: str = PATH, **options: object) -> requests.Response:
    return requests.get(server.private.url + path, timeout=10, **options)  # type: ignore[arg-type]


@pytest.fixture
def server(serve: Serve) -> WebServer:
    return serve(ops_password=ENTRY, flower_url="https://flower.example")


def test_it_is_off_unless_somebody_may_see_it(serve: Serve) -> None:
    server = serve()
    assert {get(server, path).status_code for path in PAGES} == {404}


@pytest.mark.parametrize("path", PAGES)
def test_it_is_never_on_the_public_address(server: WebServer, path: str) -> None:
    answer = requests.get(server.public.url + path, timeout=5, auth=ANYBODY)
    assert answer.status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_the_password_opens_every_page_and_nothing_else_does(server: WebServer, path: str) -> None:
    assert get(server, path).status_code == 401
    assert get(server, path).headers["WWW-Authenticate"].startswith("Basic")
    for wrong in ("", ENTRY[:-1], ENTRY + "x", "é"):
        assert get(server, path, auth=("ops", wrong.encode())).status_code == 401
    for header in ("Basic", "Basic %%%", "Bearer x", "Basic eA=="):
        assert get(server, path, headers={"Authorization": header}).status_code == 401
    assert get(server, path, auth=ANYBODY).status_code == 200


def test_after_many_wrong_passwords_none_is_looked_at_for_a_minute(
    server: WebServer, harness: Harness
) -> None:
    for _ in range(FAILURES):
        assert get(server, auth=("ops", "wrong")).status_code == 401
    assert get(server, auth=ANYBODY).status_code == 429
    harness.wait(minutes=1)
    assert get(server, auth=ANYBODY).status_code == 200


def test_a_proxy_that_knows_the_user_opens_it(serve: Serve) -> None:
    server = serve(ops_proxy_header="X-Remote-User")
    assert get(server).status_code == 401
    assert get(server, headers={"X-Remote-User": ""}).status_code == 401
    assert get(server, headers={"X-Other": "somebody"}).status_code == 401
    answer = get(server, headers={"X-Remote-User": "somebody"})
    assert answer.status_code == 200
    assert "somebody" not in answer.text


def text(server: WebServer) -> str:
    answer = get(server, auth=ANYBODY)
    assert answer.status_code == 200
    return answer.text


def test_an_idle_service_is_well_and_links_to_flower(server: WebServer, harness: Harness) -> None:
    assert "Ni beat ni worker" in text(server)
    watch_health.check(harness.runtime, alive={"beat"})
    page = text(server)
    assert "Tout va bien" in page
    assert 'href="https://flower.example"' in page
    assert " style=" not in page
    assert "<script>" not in page
    assert ">0 démarche, celles" in page


def test_it_names_what_waits_and_why(server: WebServer, harness: Harness) -> None:
    lost = harness.file(department="2A")
    bad, dead = harness.file(), harness.file()
    harness.tps.fail_detail(bad, 500)
    harness.run()
    with harness.runtime.database.begin() as connection:
        connection.execute(
            update(Delivery)
            .where(Delivery.number == dead)
            .values(state=DeliveryState.DEAD.value, reason="mail-refused", next_attempt_at=None)
        )
    harness.wait(days=2)
    watch_health.check(harness.runtime)
    page = text(server)
    for number in (lost, bad, dead):
        assert f"{PARIS_FORM}/{number}" in page
    for code in ("department-not-served", "quarantined", "mail-refused", "dead-letters"):
        assert code in page
    assert "incidents en cours" in page


def test_a_stopped_procedure_comes_first_with_its_cause(
    server: WebServer, harness: Harness
) -> None:
    harness.tps.fail_procedure(PARIS_FORM, 401)
    harness.run()
    _, _, rows = text(server).partition('id="procedures"')
    assert "tps-unauthorized" in rows
    assert f"<code>{PARIS_FORM}</code>" in rows
    assert rows.index(f"<code>{PARIS_FORM}</code>") < rows.index("<code>active</code>")


def test_the_coverage_matrix_names_no_mailbox_and_runs_by_its_hashes(server: WebServer) -> None:
    answer = get(server, f"{PATH}/couverture", auth=ANYBODY)
    assert "UD075" in answer.text
    assert "@" not in answer.text.replace("@media", "")
    assert "script-src 'sha256-" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_it_shows_nothing_but_codes_of_dossiers_and_changes_nothing(
    server: WebServer, harness: Harness
) -> None:
    harness.file()
    harness.run()
    before = harness.steps(), harness.deliveries()
    text(server)
    assert (harness.steps(), harness.deliveries()) == before
    for method in ("post", "put", "delete"):
        answer = requests.request(method, server.private.url + PATH, timeout=5, auth=ANYBODY)
        assert answer.status_code == 405


def test_ages_are_those_of_the_clock_of_the_service(server: WebServer, harness: Harness) -> None:
    harness.run()
    harness.now += timedelta(hours=5)
    assert "5\u00a0h" in text(server)
