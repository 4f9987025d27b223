"""Secrets in files are replaced while `wif serve` runs: the next request goes by the new one."""

from pathlib import Path

import pytest
import requests

from tests.fixtures.harness import PARIS_FORM, Harness
from tests.fixtures.web import Serve

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

OLD, NEW = "hints-of-tests-0123456789", "hints-of-tests-9876543210"


def replace_file(path: Path, content: str) -> None:
    """As an orchestrator does: another file under the same name."""
    draft = path.with_name("draft")
    draft.write_text(content)
    draft.replace(path)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harness: Harness) -> Path:
    """The file of whatever secret a test replaces."""
    path = tmp_path / "secret"
    for name in ("HINT_SECRET", "OPS_PASSWORD"):
        path.write_text(OLD)
        monkeypatch.setenv(f"WIF_{name}_FILE", str(path))
    return path


def hint(url: str, secret: str) -> int:
    fields = {"procedure_id": str(PARIS_FORM), "dossier_id": "1"}
    return requests.post(f"{url}/hints/{secret}", fields, timeout=5).status_code


def test_the_secret_of_hints(serve: Serve, file: Path) -> None:
    url = serve(hint_secret=OLD).public.url
    assert (hint(url, OLD), hint(url, NEW)) == (204, 404)
    replace_file(file, NEW)
    assert (hint(url, OLD), hint(url, NEW)) == (404, 204)
    file.unlink()
    assert hint(url, NEW) == 204
    replace_file(file, "short")
    assert hint(url, NEW) == 204


def test_without_a_look_at_the_files_the_old_secret_goes_on(
    serve: Serve, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    monkeypatch.setattr("web.app.FreshSecrets", lambda app, _runtime: app)
    url = serve(hint_secret=OLD).public.url
    replace_file(file, NEW)
    assert (hint(url, OLD), hint(url, NEW)) == (204, 404)


def test_the_password_of_the_ops_page(serve: Serve, file: Path) -> None:
    url = f"{serve(ops_password=OLD).private.url}/ops"
    replace_file(file, NEW)
    answers = [requests.get(url, auth=("ops", given), timeout=10) for given in (OLD, NEW)]
    assert [answer.status_code for answer in answers] == [401, 200]


def test_the_address_of_the_database(
    serve: Serve, harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away, path = "postgresql://nobody@127.0.0.1:1/none", tmp_path / "database_url"
    path.write_text(away)
    monkeypatch.setenv("WIF_DATABASE_URL_FILE", str(path))
    url = f"{serve(database_url=away).public.url}/readyz"
    assert requests.get(url, timeout=10).json()["lacks"] == "database"
    database = harness.runtime.settings.database_url
    assert database is not None
    replace_file(path, database.get_secret_value())
    assert requests.get(url, timeout=10).json() == {"ready": True}
