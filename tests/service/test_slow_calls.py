"""While TPS or the mail server is spoken to, no database connection is held."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from aiosmtpd.smtp import Envelope
from sqlalchemy import QueuePool, make_url

from simulator import Server
from tests.fixtures.harness import Harness, make_harness
from tests.fixtures.smtp import SmtpServer


class Watch:
    """Looks whether the service holds a connection, or a lock that others would wait for."""

    def __init__(self, harness: Harness) -> None:
        self._database = harness.runtime.database
        self._url = make_url(harness.runtime.settings.database)
        self.held: list[int] = []

    def look(self, *_: object) -> None:
        pool = self._database.engine.pool
        self.held.append(pool.checkedout() if isinstance(pool, QueuePool) else self._locked())

    def _locked(self) -> int:
        """Whether somebody has a transaction in which SQLite lets nobody else write."""
        with closing(sqlite3.connect(str(self._url.database), timeout=0.2)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return 1
            return 0


class Watched(SmtpServer):
    watch: Watch | None = None

    def keep(self, envelope: Envelope, generation: int) -> bool:
        if self.watch is not None:
            self.watch.look()
        return super().keep(envelope, generation)


@pytest.fixture
def smtp_server() -> Iterator[Watched]:
    with Watched() as server:
        yield server


def test_nothing_is_held_during_a_slow_call(
    database_url: str, tps: Server, smtp_server: Watched, tmp_path: Path
) -> None:
    harness = make_harness(
        database_url, tps, tmp_path, smtp_url=smtp_server.url, ops_mailbox="ops@wif.example"
    )
    watch = Watch(harness)
    for _ in range(12):
        harness.file()
    bad = harness.file()
    harness.tps.fail_detail(bad, 500)
    harness.tps.on_request = watch.look
    smtp_server.watch = watch
    harness.run()
    assert len(smtp_server.messages) == 12
    assert len(watch.held) >= 12 + 12 + 3
    assert set(watch.held) == {0}
    with harness.runtime.database.begin():
        watch.look()
    assert watch.held[-1] == 1, "the control: it would have been seen"
    harness.runtime.close()
