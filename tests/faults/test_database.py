"""A database that goes away in the midst of a transaction, or whose disk is full."""

import os
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, event, make_url, text

from store import (
    deliveries,
    delivery_claims,
    delivery_outcomes,
    dossier_claims,
    dossier_outcomes,
    listing,
)
from tests.faults.conftest import MakeSystem
from tests.faults.office_server import Told
from tests.faults.safeguards import sending
from tests.faults.system import FORMS, HOUR, MINUTE, System, system
from tests.faults.violations import Kind, Violation
from tests.fixtures.postgres import PostgresServer, Stop

postgres_only = pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
sqlite_only = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

CUT = ["OperationalError", "InternalError", "DBAPIError"]
"""What tasks end with when the database goes away."""

MOMENTS = {
    "storing-a-page": (listing, "note_listed"),
    "claiming-dossiers": (dossier_claims, "claim"),
    "settling": (dossier_outcomes, "write_settlements"),
    "queueing": (deliveries, "queue"),
    "claiming-deliveries": (delivery_claims, "claim"),
    "finishing": (delivery_outcomes, "finish_sent"),
}
"""Where in a transaction something happens: before and after this has been done."""


def kinds(violations: list[Violation]) -> set[Kind]:
    return {violation.kind for violation in violations}


def at_the_moment(
    patch: pytest.MonkeyPatch, moment: str, intervene: Callable[[], None], *, times: int = 1
) -> None:
    """Let `intervene` happen in the midst of a transaction, after its statement was executed."""
    module, name = MOMENTS[moment]
    function = getattr(module, name)
    left = [times]

    def done(connection: Connection, *args: Any, **options: Any) -> Any:  # noqa: ANN401
        result = function(connection, *args, **options)
        if left[0] > 0:
            left[0] -= 1
            intervene()
        return result

    patch.setattr(module, name, done)


def copies(system: System) -> int:
    ids = [told.message_id for told in system.offices.told]
    return len(ids) - len(set(ids))


# --- a connection that is cut -----------------------------------------------------------------


def cutter(system: System) -> Callable[[], None]:
    """Ends every session on the system's database, as a failover does."""
    url = make_url(system.settings.database)

    def cut() -> None:
        others = (
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text(others))
        engine.dispose()

    return cut


@postgres_only
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_connection_that_is_cut_in_a_transaction_costs_nothing(
    make_system: MakeSystem, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    system = make_system(forms=FORMS[:1])
    system.file(25)
    at_the_moment(monkeypatch, moment, cutter(system))

    assert system.settle(tolerated=CUT) == []
    assert copies(system) == 0


@postgres_only
def test_control_deliveries_that_are_queued_after_the_commit_are_lost_with_the_connection(
    make_system: MakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = make_system(forms=FORMS[:1])
    system.file(25)
    at_the_moment(monkeypatch, "queueing", cutter(system))
    sending.one_commit(monkeypatch)

    assert Kind.NOT_TOLD in kinds(system.settle(within=HOUR, tolerated=CUT))


# --- a server that restarts -------------------------------------------------------------------


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """A PostgreSQL that writes through and that nobody else uses."""
    with PostgresServer(fsync=True) as server:
        yield server


@pytest.fixture
def own_system(own_server: PostgresServer, tmp_path: Path) -> Iterator[System]:
    """A system on a database of that server."""
    name = f"faults_{os.urandom(4).hex()}"
    engine = create_engine(own_server.url(), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    with system(own_server.url(name), tmp_path, forms=FORMS[:1]) as made:
        yield made


@pytest.mark.parametrize("mode", Stop)
@pytest.mark.parametrize("moment", ["storing-a-page", "queueing", "finishing"])
def test_a_server_that_restarts_in_a_transaction_loses_nothing(
    own_server: PostgresServer,
    own_system: System,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    mode: Stop,
) -> None:
    own_system.file(25)
    at_the_moment(monkeypatch, moment, lambda: own_server.restart(mode))

    assert own_system.settle(tolerated=CUT) == []
    assert copies(own_system) == 0


# --- a disk that is full ----------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of that size; only root can have one."""
    disk = folder / "disk"
    disk.mkdir()
    options = f"size={kilobytes}k"
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["/bin/umount", "--lazy", disk], check=True)


def mounts() -> bool:
    """Whether this user may mount a file system."""
    if os.geteuid() != 0:
        return False
    tried = subprocess.run(["/usr/bin/unshare", "--mount", "/bin/true"], check=False)
    return tried.returncode == 0


class Disk:
    """Where a database lies, and how it becomes full and has room again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, system: System) -> None:
        """Leave no room."""
        with (self.folder / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
            while ballast.write(bytes(4096)):
                pass

    def clear(self, system: System) -> None:
        """Make room again."""
        (self.folder / "ballast").unlink()


class LimitedFile(Disk):
    """A database that SQLite itself keeps from growing: for those who may not mount."""

    def fill(self, system: System) -> None:
        event.listen(system.runtime.database.engine, "connect", self._limit)

    def clear(self, system: System) -> None:
        event.remove(system.runtime.database.engine, "connect", self._limit)

    @staticmethod
    def _limit(connection: Any, _record: object) -> None:  # noqa: ANN401
        # A limit below the size of the file is raised to that size.
        connection.execute("PRAGMA max_page_count=1")


@pytest.fixture(params=["file", *(["mount"] if mounts() else [])])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """A disk that can be filled."""
    if request.param == "file":
        yield LimitedFile(tmp_path)
        return
    with small_disk(tmp_path, 2_000) as folder:
        yield Disk(folder)


def full_for_hours(system: System, disk: Disk, *, hours: int, after: int) -> None:
    """The disk is full from the `after`th message on, for some hours."""
    left = [after]

    def accepted(_: Told) -> None:
        left[0] -= 1
        if left[0] == 0:
            disk.fill(system)
        if left[0] <= 0:
            # A file may have free pages: what is sent again could be stored while it is full.
            system.note_accident()

    system.offices.on_accept = accepted
    system.run(timedelta(hours=hours), every=2 * MINUTE)
    assert left[0] <= 0
    system.offices.on_accept = None
    disk.clear(system)
    system.note_accident()


@contextmanager
def system_on(disk: Disk, folder: Path) -> Iterator[System]:
    url = f"sqlite:///{disk.folder / 'wif.sqlite3'}"
    with system(url, folder, forms=FORMS[:1]) as made:
        yield made


@pytest.mark.parametrize("after", [1, 10, 35])
def test_a_full_disk_costs_a_copy_of_the_last_messages_and_nothing_else(
    disk: Disk, tmp_path: Path, after: int
) -> None:
    with system_on(disk, tmp_path) as made:
        made.file(40)
        full_for_hours(made, disk, hours=1, after=after)
        made.file(10)

        assert made.settle(tolerated=CUT) == []
        times = Counter(told.message_id for told in made.offices.told)
        assert max(times.values()) <= 2


def test_control_where_an_unknown_outcome_leaves_no_line_copies_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending.lines_of_lost_attempts(monkeypatch)
    disk = LimitedFile(tmp_path)
    with system_on(disk, tmp_path) as made:
        made.file(40)
        full_for_hours(made, disk, hours=1, after=7)

        times = Counter(told.message_id for told in made.offices.told)
        assert max(times.values()) > 2
