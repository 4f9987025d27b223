"""`/healthz` and `/readyz`."""

import shutil
from pathlib import Path

import requests
from sqlalchemy import text

from tests.fixtures.harness import Harness
from tests.fixtures.web import Serve


def test_both_sites_say_that_they_live_and_can_work(serve: Serve) -> None:
    server = serve()
    for site in (server.public, server.private):
        assert requests.get(f"{site.url}/healthz", timeout=5).text == "ok\n"
        assert requests.get(f"{site.url}/readyz", timeout=5).json() == {"ready": True}


def test_it_is_not_ready_with_an_older_schema(serve: Serve, harness: Harness) -> None:
    url = serve().public.url
    with harness.runtime.database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    answer = requests.get(f"{url}/readyz", timeout=5)
    assert (answer.status_code, answer.json()["lacks"]) == (503, "schema")
    assert requests.get(f"{url}/healthz", timeout=5).ok


def test_it_is_not_ready_without_rules(serve: Serve, tmp_path: Path, migrated_sqlite: Path) -> None:
    empty = shutil.copy(migrated_sqlite, tmp_path / "empty.sqlite3")
    url = serve(database_url=f"sqlite:///{empty}").public.url
    answer = requests.get(f"{url}/readyz", timeout=5)
    assert (answer.status_code, answer.json()["lacks"]) == (503, "rules")


def test_it_is_not_ready_without_a_database(serve: Serve) -> None:
    url = serve(database_url="postgresql://nobody@127.0.0.1:1/none").public.url
    answer = requests.get(f"{url}/readyz", timeout=10)
    assert (answer.status_code, answer.json()["lacks"]) == (503, "database")
