"""A service on one database engine, a simulated TPS and an outbox, with a clock that tests move."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from sqlalchemy import event, select

from config.settings import read
from routing.forms import Form
from service.register import register_procedures
from service.run_once import PassReport, run_once
from service.runtime import Runtime
from simulator import Server, Simulator
from store import deliveries, dossiers
from store.deliveries import Filter, StoredDelivery
from store.dossiers import DossierRecord
from store.models import AuditLine
from tests import shipped

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
PARIS_FORM = 13760
OTHER_FORM = 12828


@dataclass
class Recorder:
    """Remembers wake-ups instead of sending them."""

    woken: Counter[str] = field(default_factory=Counter)

    def poll(self, procedure: int) -> None:
        self.woken[f"poll {procedure}"] += 1

    def route(self, procedure: int) -> None:
        self.woken[f"route {procedure}"] += 1

    def deliver(self, channel: str) -> None:
        self.woken[f"deliver {channel}"] += 1


@dataclass
class Stage:
    """What a test of the use cases plays with."""

    runtime: Runtime
    server: Server
    waker: Recorder
    outbox: Path
    now: datetime = START

    @property
    def tps(self) -> Simulator:
        """The simulated TPS."""
        return self.server.simulator

    def form(self, number: int = PARIS_FORM) -> Form:
        """A configured form."""
        return self.runtime.rules().forms[number]

    def file(self, number: int = PARIS_FORM, **particulars: Any) -> int:  # noqa: ANN401
        """Let one ordinary dossier be filed now, and give its number."""
        moment = {"filed_at": self.now, **particulars}
        return self.tps.add(self.form(number), **moment).number

    def register(self) -> None:
        """Make rows for the procedures, all of them due."""
        register_procedures(self.runtime)

    def wait(self, **duration: float) -> None:
        """Let time pass."""
        self.now += timedelta(**duration)

    def run(self) -> PassReport:
        """One whole pass."""
        return run_once(self.runtime)

    def dossier(self, number: int) -> DossierRecord:
        """A stored dossier."""
        with self.runtime.database.read() as connection:
            found = [d for d in dossiers.listing(connection) if d.number == number]
        assert len(found) == 1
        return found[0]

    def deliveries(self, **wanted: Any) -> list[StoredDelivery]:  # noqa: ANN401
        """Stored deliveries."""
        with self.runtime.database.read() as connection:
            return deliveries.listing(connection, Filter(**wanted))

    def told(self, number: int) -> list[tuple[str, str]]:
        """What was sent of a dossier: event and unit, in order."""
        return [(d.event, d.unit) for d in self.deliveries(number=number) if d.state == "sent"]

    def mails(self) -> list[EmailMessage]:
        """The messages in the outbox."""
        return [
            message_from_bytes(path.read_bytes(), policy=policy.default)
            for path in sorted(self.outbox.glob("*.eml"))
        ]

    def steps(self, number: int | None = None) -> list[str]:
        """The audited steps, of one dossier or of all, in order."""
        query = select(AuditLine.step).order_by(AuditLine.id)
        if number is not None:
            procedure = self.dossier(number).procedure
            refs = self.runtime.audit.refs(procedure, number)
            query = query.where(AuditLine.dossier_ref.in_(refs))
        with self.runtime.database.read() as connection:
            return list(connection.execute(query).scalars())


def make_stage(database_url: str, server: Server, folder: Path, **settings: Any) -> Stage:  # noqa: ANN401
    """A stage on a migrated database; `settings` over the usual ones."""
    waker = Recorder()
    outbox = folder / "outbox"
    chosen: dict[str, Any] = {
        "var_dir": folder / "var",
        "database_url": database_url,
        "tps_url": server.url,
        "tps_api": "v1",
        "tps_token": server.simulator.token,
        "outbox_dir": outbox,
        # Tests move the clock, not the minute in which requests are counted.
        "tps_requests_per_minute": 1_000_000,
        "tps_procedures": f"{PARIS_FORM},{OTHER_FORM}",
        # A populated simulator holds dossiers of every state, and tests count what is told.
        "notify_decided": True,
        **settings,
    }
    runtime = Runtime(read(**chosen), waker=waker, jitter=lambda: 0.0)
    if runtime.database.dialect == "sqlite":
        event.listen(runtime.database.engine, "connect", _without_waiting)
    stage = Stage(runtime, server, waker, outbox)
    runtime.clock = server.simulator.clock = lambda: stage.now
    shipped.publish(runtime)
    server.simulator.open(stage.form(PARIS_FORM), stage.form(OTHER_FORM))
    return stage


def _without_waiting(connection: Any, record: object) -> None:  # noqa: ANN401
    """Let SQLite not wait for the disk: no test of the use cases cuts the power."""
    connection.execute("PRAGMA synchronous=OFF")
