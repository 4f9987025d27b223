"""Hints over HTTP: what is answered, stored and woken."""

from pathlib import Path

import pytest
import requests
from sqlalchemy import select

from store.models import Dossier
from tests.fixtures.harness import PARIS_FORM, Harness
from tests.fixtures.processes import until
from tests.fixtures.signed_batches import batch, secret, sign
from tests.fixtures.web import Serve
from web.hints import receive
from web.server import WebServer

KNOWN = "hints-of-tests-0123456789"
UNKNOWN = "hints-of-tests-012345678X"
SIGNING = secret("tests")


@pytest.fixture
def known(harness: Harness) -> int:
    """A dossier that was routed and told of an hour ago."""
    number = harness.file()
    harness.run()
    harness.wait(hours=1)
    harness.waker.woken.clear()
    return number


@pytest.fixture
def server(serve: Serve, known: int, tmp_path: Path) -> WebServer:
    (tmp_path / str(PARIS_FORM)).write_text(SIGNING)
    return serve(hint_secret=KNOWN, tps_webhook_secrets=tmp_path)


def post(server: WebServer, number: object, secret: str = KNOWN) -> int:
    fields = {"procedure_id": str(PARIS_FORM), "dossier_id": str(number), "state": "accepte"}
    return requests.post(f"{server.public.url}/hints/{secret}", fields, timeout=5).status_code


def is_due(harness: Harness, number: int) -> bool:
    query = select(Dossier.next_attempt_at).where(Dossier.number == number)
    with harness.runtime.database.read() as connection:
        return connection.scalar(query) is not None


def test_a_form_is_stored_when_it_is_answered_and_wakes_a_worker(
    server: WebServer, harness: Harness, known: int
) -> None:
    assert post(server, known) == 204
    assert is_due(harness, known)
    until(lambda: harness.waker.woken == {f"route {PARIS_FORM}": 1}, "a worker is woken")


def test_a_batch_is_stored_when_it_is_answered_and_wakes_workers(
    server: WebServer, harness: Harness, known: int
) -> None:
    signed = sign(batch(PARIS_FORM, (1, "dossier_accepte", known)), SIGNING)
    url = f"{server.public.url}/hints"
    answer = requests.post(url, signed.body, headers=signed.headers, timeout=5)
    assert (answer.status_code, answer.content) == (204, b"")
    assert is_due(harness, known)
    # Nothing is known of what this webhook told before.
    woken = {f"route {PARIS_FORM}": 1, f"poll {PARIS_FORM}": 1}
    until(lambda: harness.waker.woken == woken, "workers are woken")


def test_who_does_not_know_the_secret_finds_nothing(
    server: WebServer, harness: Harness, known: int
) -> None:
    assert post(server, known, secret=UNKNOWN) == 404
    assert post(server, known, secret="é") == 404
    signed = sign(batch(PARIS_FORM, (1, "dossier_accepte", known)), secret("another"))
    url = f"{server.public.url}/hints"
    assert requests.post(url, signed.body, headers=signed.headers, timeout=5).status_code == 401
    assert not is_due(harness, known)


def test_nonsense_is_refused(server: WebServer) -> None:
    assert post(server, "x") == 400
    url = f"{server.public.url}/hints"
    assert requests.post(url, b"{", timeout=5).status_code == 400
    assert requests.get(url, timeout=5).status_code == 405


def test_without_secrets_there_are_no_hints(serve: Serve, harness: Harness) -> None:
    url = serve().public.url
    for path in ("/hints", f"/hints/{KNOWN}"):
        assert requests.post(url + path, b"", timeout=5).status_code == 404


def test_too_many_are_told_to_come_back(
    server: WebServer, known: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive, "HINTS_PER_SECOND", 1)
    assert 429 in {post(server, known) for _ in range(5)}


def test_a_hint_that_cannot_be_stored_is_not_answered_well(serve: Serve) -> None:
    server = serve(hint_secret=KNOWN, database_url="postgresql://nobody@127.0.0.1:1/none")
    assert post(server, 1) == 503


def test_a_dossier_that_was_hinted_at_is_read_and_its_office_told(
    server: WebServer, harness: Harness
) -> None:
    number = harness.file()
    assert post(server, number) == 204
    until(lambda: harness.waker.woken[f"poll {PARIS_FORM}"] == 1, "a poll is woken")
    harness.run()
    assert [event for event, _ in harness.told(number)] == ["filed"]
