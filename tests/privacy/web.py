"""What `wif serve` answers: its pages, its figures, and whoever puts markers into a request."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.fixtures.processes import ROOT, WIF

HINT_SECRET = "notifications0Zqkanari956"
OPS_PASSWORD = "secret-Zqkanari957"

PUBLIC = ("/stats", "/stats.csv", "/stats.json", "/healthz", "/readyz")
PRIVATE = ("/ops", "/ops/couverture", "/metrics", "/readyz")


@dataclass(frozen=True)
class Site:
    """Both addresses of a running `wif serve`."""

    public: str
    private: str


def web_pages(environment: Mapping[str, str], folder: Path, marker: str) -> bytes:
    """Every page, and what is answered to requests that are made of `marker`."""
    settings = {
        **environment,
        "WIF_WEB_ADDRESS": "127.0.0.1:0",
        "WIF_WEB_PRIVATE_ADDRESS": "127.0.0.1:0",
        "WIF_HINT_SECRET": HINT_SECRET,
        "WIF_OPS_PASSWORD": OPS_PASSWORD,
        "WIF_ROLE": "web",
    }
    with _serving(settings, folder / "serve.log") as site:
        pages = [requests.get(f"{site.public}{path}", timeout=20) for path in PUBLIC]
        login = (marker, OPS_PASSWORD)
        pages += [_get(f"{site.private}{path}", login) for path in PRIVATE]
        assert {page.status_code for page in pages} == {200}
        misused = list(_misuse(site, marker))
        assert {page.ok for page in misused} == {False}
    return b"\n".join(map(_whole, [*pages, *misused]))


def _misuse(site: Site, marker: str) -> Iterator[requests.Response]:
    """Markers in the path, in the query, in a header, in a body."""
    for query in ("type", "departement", "mois", "carte"):
        yield requests.get(f"{site.public}/stats", {query: marker}, timeout=20)
    yield requests.get(f"{site.public}/{marker}", headers={"X-Name": marker}, timeout=20)
    yield requests.post(f"{site.public}/hints/{marker}", {"dossier_id": marker}, timeout=20)
    yield requests.post(f"{site.public}/hints/{HINT_SECRET}", {"dossier_id": marker}, timeout=20)
    yield _get(f"{site.private}/ops", ("ops", marker))


def _get(url: str, login: tuple[str, str]) -> requests.Response:
    name, password = (each.encode().decode("latin-1") for each in login)
    return requests.get(url, auth=(name, password), timeout=20)


def _whole(answer: requests.Response) -> bytes:
    headers = "".join(f"{name}: {value}\n" for name, value in answer.headers.items())
    return headers.encode() + answer.content


@contextmanager
def _serving(environment: Mapping[str, str], log: Path) -> Iterator[Site]:
    with (
        log.open("ab") as errors,
        subprocess.Popen(
            [*WIF, "serve"],
            env=dict(environment),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        try:
            lines = [process.stdout.readline() for _ in ("public", "private")]
            assert all(lines), log.read_text()
            yield Site(*(line.split()[1] for line in lines))
        finally:
            process.terminate()
            process.wait(20)
