"""The port by v2 over a simulated TPS, on a clock that a test moves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.tps.port import ListedDossier, Page
from connectors.tps.transport import Limits, Transport
from connectors.tps.v2.adapter import TpsV2
from connectors.tps.v2.client import V2Client
from connectors.tps.v2.cursor import Cursor, decode
from routing.facts import Facts
from routing.forms import Form
from simulator import Server, Simulator
from tests.connectors.tps.samples import PERMIT_TYPES, student_form

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
FORM = student_form(1)
MOST_PAGES = 200


@dataclass
class Reader:
    """What polls a procedure, without a store: it keeps the cursor.

    Attributes:
        port: the port.
        server: the TPS.
        form: that is read.
        now: the clock of both.
        cursor: as the store would have it.
        pages: of the latest walk.
    """

    port: TpsV2
    server: Server
    form: Form = FORM
    now: datetime = START
    cursor: str | None = None
    pages: list[Page] = field(default_factory=list)

    @property
    def tps(self) -> Simulator:
        """The simulated TPS."""
        return self.server.simulator

    @property
    def at(self) -> Cursor:
        """The cursor, read."""
        return decode(self.cursor)

    def wait(self, **duration: float) -> None:
        """Let time pass."""
        self.now += timedelta(**duration)

    def changes(self) -> dict[int, ListedDossier]:
        """Walk through what changed; the last row of each dossier."""
        return self._walk(self.port.changes)

    def everything(self) -> dict[int, ListedDossier]:
        """Walk through everything; the last row of each dossier."""
        return self._walk(self.port.everything)

    def begun(self) -> "Reader":
        """After the first walk through everything and the changes meanwhile."""
        self.everything()
        self.changes()
        return self

    def facts(self, number: int) -> Facts:
        """The facts of one dossier."""
        return self.port.facts(self.form, PERMIT_TYPES, number, self.cursor)

    def requests(self) -> int:
        """Requests since the last time that this was asked."""
        count = len(self.tps.requests)
        self.tps.requests.clear()
        return count

    def deleted(self) -> list[int]:
        """Numbers that the latest walk listed as deleted."""
        return [number for page in self.pages for number in page.deleted]

    def _walk(self, ask: Any) -> dict[int, ListedDossier]:  # noqa: ANN401
        rows: dict[int, ListedDossier] = {}
        self.pages = []
        while len(self.pages) < MOST_PAGES:
            page = ask(self.form, PERMIT_TYPES, self.cursor)
            self.pages.append(page)
            self.cursor = page.cursor
            rows |= {row.number: row for row in page.rows}
            if not page.more:
                return rows
        raise AssertionError("the walk does not end")


@contextmanager
def reader(form: Form = FORM, **limits: Any) -> Iterator[Reader]:  # noqa: ANN401
    """A reader of an empty form.

    Args:
        form: that is read.
        limits: of the transport, over those of a test.
    """
    simulator = Simulator()
    simulator.open(form)
    with simulator.serve() as server:
        chosen = {
            "connect": 10.0,
            "read": 20.0,
            "whole": 30.0,
            "size": 5_000_000,
            "quick_retries": 1,
        }
        transport = Transport(
            base_url=server.url,
            token=lambda: simulator.token,
            token_in_query=False,
            limits=Limits(**{**chosen, **limits}),
        )
        made: Reader | None = None

        def clock() -> datetime:
            return made.now if made else START

        port = TpsV2(V2Client(transport), clock=clock)
        made = Reader(port, server, form)
        simulator.clock = clock
        yield made
        port.close()
