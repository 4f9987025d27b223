"""`wif demo`: what a newcomer runs first, and the pages that it leaves."""

import json
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import requests

from tests.fixtures.processes import clean_environment, until

pytestmark = pytest.mark.xdist_group("demo")

WIF_ANYWHERE = (sys.executable, "-P", "-m", "wif_launcher")
"""The command in a folder that is not the repository's."""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which it ran, and what it said."""
    folder = tmp_path_factory.mktemp("demo")
    ran = subprocess.run(
        [*WIF_ANYWHERE, "demo", "--dossiers", "40"],
        cwd=folder,
        env=clean_environment({"COLUMNS": "200"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder, ran.stdout


def test_it_tells_what_went_where_and_nothing_twice(played: tuple[Path, str]) -> None:
    folder, said = played
    assert "everything is routed and delivered after" in said
    assert "told after" in said
    assert "Told twice: 0." in said
    assert len(list((folder / "var" / "outbox").glob("*.eml"))) > 10


def test_it_reads_by_the_version_that_servers_document(played: tuple[Path, str]) -> None:
    (database,) = (played[0] / "var").glob("**/*.sqlite3")
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute("SELECT cursor FROM procedures WHERE cursor IS NOT NULL")
        cursors = [json.loads(cursor) for (cursor,) in found]
    assert cursors
    assert {cursor["api"] for cursor in cursors} == {"v2"}


def test_it_ends_with_its_pages(played: tuple[Path, str]) -> None:
    folder, said = played
    assert "/stats and http://127.0.0.1:8081/ops" in said
    page = (folder / "var" / "stats.html").read_text(encoding="utf-8")
    assert "Demandes déposées" in page
    given = dict(re.findall(r"(WIF_\w+)=(\S+)", said))
    assert given.keys() == {"WIF_VAR_DIR", "WIF_OPS_PASSWORD"}
    ports = {"WIF_WEB_ADDRESS": "127.0.0.1:0", "WIF_WEB_PRIVATE_ADDRESS": "127.0.0.1:0"}
    with subprocess.Popen(
        [*WIF_ANYWHERE, "serve"],
        cwd=folder,
        env=clean_environment({**given, **ports}),
        stdout=subprocess.PIPE,
        text=True,
    ) as served:
        try:
            assert served.stdout is not None
            public, private = (served.stdout.readline().split()[1] for _ in range(2))
            until(lambda: requests.get(f"{public}/readyz", timeout=10).ok, "it is ready")
            assert "Demandes déposées" in requests.get(f"{public}/stats", timeout=10).text
            login = ("demo", given["WIF_OPS_PASSWORD"])
            assert requests.get(f"{private}/ops", auth=login, timeout=10).ok
        finally:
            served.terminate()
            served.wait(20)
