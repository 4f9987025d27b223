"""Services with 0, 3 and 100,000 dossiers, and a browser that looks at their pages."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert, update

from config.settings import read
from routing.incidents import IncidentKind, PresentIncident
from service.runtime import Runtime
from service.statistics.publish import publish_when_due
from store import heartbeats, incidents
from store.base import table_of
from store.models import Delivery, Dossier, Procedure
from tests.fixtures import shipped_rules
from tests.fixtures.bulk_dossiers import BulkDossiers, store_bulk
from tests.fixtures.web import ANY_PORT
from web.server import WebServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
ENTRY = "correct-horse-battery"
SIZES = (0, 3, 100_000)


@dataclass(frozen=True, slots=True)
class Sites:
    """The addresses of a service."""

    public: str
    private: str


@pytest.fixture(scope="session", params=SIZES)
def size(request: pytest.FixtureRequest) -> int:
    """How many dossiers there are."""
    return int(request.param)


@pytest.fixture(scope="session")
def sites(
    size: int, tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path
) -> Iterator[Sites]:
    """A service with so many dossiers, and in the largest some of everything that goes wrong."""
    folder = tmp_path_factory.mktemp(f"pages-{size}")
    url = f"sqlite:///{shutil.copy(migrated_sqlite, folder / 'wif.sqlite3')}"
    settings = read(var_dir=folder, database_url=url, ops_password=ENTRY, **ANY_PORT)
    runtime = Runtime(settings, clock=lambda: NOW)
    shipped_rules.publish(runtime)
    since = NOW - timedelta(days=400 if size > 3 else 3)
    store_bulk(runtime, BulkDossiers(count=size, since=since, until=NOW))
    if size > 3:
        _trouble(runtime)
    publish_when_due(runtime)
    with _served(runtime) as found:
        yield found


@contextmanager
def _served(runtime: Runtime) -> Iterator[Sites]:
    server = WebServer(runtime)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield Sites(server.public.url, server.private.url)
    server.stop()
    thread.join(10)
    runtime.close()


def _trouble(runtime: Runtime) -> None:
    """Some dossiers are unrouted or aside, a procedure is stopped, deliveries are dead."""
    dossiers, procedures = table_of(Dossier).c, table_of(Procedure).c
    ago = NOW - timedelta(hours=7)
    with runtime.database.begin() as connection:
        heartbeats.note(connection, ["beat", "poll", "route", "deliver", "upkeep"], NOW)
        recent = dossiers.filed_at > NOW - timedelta(days=9)
        for every, values in (
            (97, {"unrouted": True, "decided_at": ago, "reasons": ("department-not-served",)}),
            (193, {"unrouted": True, "decided_at": ago, "reasons": ("permit-type-unknown",)}),
            (151, {"status": "quarantined", "reason": "tps-server-error", "aside_since": ago}),
        ):
            chosen = dossiers.number % every == 0
            connection.execute(update(table_of(Dossier)).where(recent, chosen).values(**values))
        stopped = {"status": "stopped", "reason": "tps-unauthorized", "failures": 3}
        some = procedures.number % 9 == 0
        connection.execute(update(table_of(Procedure)).where(some).values(**stopped))
        connection.execute(insert(table_of(Delivery)), [_dead(n) for n in range(7)])
        for kind, subject, count in (
            (IncidentKind.DEAD_LETTERS, "mail-refused", 7),
            (IncidentKind.STOPPED, "tps-unauthorized", 8),
            (IncidentKind.UNROUTED, "", 31),
        ):
            incidents.note(
                connection, PresentIncident(kind=kind, subject=subject, count=count), NOW
            )


def _dead(number: int) -> dict[str, Any]:
    return {
        "procedure": 13760,
        "number": 1_000_000 + number,
        "event": "filed",
        "unit": f"UD0{75 + number % 3}",
        "channel": "mail",
        "assignment": 0,
        "state": "dead",
        "reason": "mail-refused",
        "created_at": NOW - timedelta(days=3),
        "finished_at": NOW - timedelta(days=1),
    }


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Chromium, as the system has it or as `CHROMIUM` names it."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert found, "Chromium is needed: apt-get install chromium"
    with sync_playwright() as playwright:
        # Nobody but us serves the pages: the sandbox, which a container may lack, guards nothing.
        running = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield running
        running.close()
