"""A service, its TPS and its offices, all in one process and on a clock that stands still.

TPS and the mail server are real servers on loopback, the database is a real one. Only
Celery is left out: its messages wait in a list, and the bodies of the real tasks run
one after the other. So twelve hours of an outage pass in a second or two.
"""

import shutil
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import ColumnElement, func, select

import tasks.celery as celery_tasks
from config.ruleset import read_directory
from config.settings import HERE, Settings, read
from routing.facts import DossierState
from service.clock import Clock
from service.publish_rules import publish
from service.runtime import Runtime
from simulator import SimulatedForm, Simulator
from store import schema
from store.deliveries import DeliveryState
from store.models import Delivery, Dossier, Procedure
from tests.faults.clock import CLOCK, MovableClock, SimulatedClock
from tests.faults.invariants import check_invariants
from tests.faults.office_server import OfficeServer
from tests.faults.unsynced_sqlite import without_fsync
from tests.faults.violations import Evidence, Violation
from tests.fixtures import shipped_rules

STUDENT = "apt-etudiant"
FORMS = tuple(
    SimulatedForm(number, department, STUDENT)
    for number, department in ((19147, "02"), (16146, "10"), (12858, "13"), (22884, "21"))
)
"""Four public forms of the shipped configuration."""

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

SOON = timedelta(hours=6)
"""Within this everything is done that nothing hinders: a few full scans, a few retries."""


@dataclass
class InProcessWorkers:
    """Celery without processes: a list for a broker, and the real task bodies run one by one.

    Attributes:
        runtime: what the tasks work with; this workers is its waker.
        messages: what was sent and not yet worked on: task and arguments.
        failed: kinds of the exceptions that tasks ended with; Celery would log them.
    """

    runtime: Runtime
    messages: deque[tuple[str, tuple[int | str, ...]]] = field(default_factory=deque)
    failed: Counter[str] = field(default_factory=Counter)

    def poll(self, procedure: int) -> None:
        self.messages.append(("wif.poll-procedure", (procedure,)))

    def route(self, procedure: int) -> None:
        self.messages.append(("wif.route-dossiers", (procedure,)))

    def deliver(self, channel: str) -> None:
        self.messages.append(("wif.deliver", (channel,)))

    def tick(self) -> None:
        """What beat sends every minute."""
        self.messages.append(("wif.poll-due", ()))
        self.messages.append(("wif.sweep", ()))

    def work(self, random: Random | None = None) -> None:
        """Work until no message is left, in their order or in a random one."""
        while self.messages:
            if random is not None:
                self.messages.rotate(random.randrange(len(self.messages)))
            self.run(*self.messages.popleft())

    def run(self, task: str, arguments: tuple[int | str, ...] = ()) -> None:
        """One task; what it raises is counted, as Celery would go on."""
        try:
            with celery_tasks.process.using(self.runtime):
                celery_tasks.app.tasks[task](*arguments)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next task runs
            # A task that says with a code why its work failed has stored everything.
            if not isinstance(error, celery_tasks.WorkFailed):
                self.failed[type(error).__name__] += 1


@dataclass
class System:
    """Everything of one scenario.

    Attributes:
        clock: of the service, and of TPS.
        tps: the TPS.
        offices: the mail server.
        settings: of the service.
        workers: its workers.
        forms: that TPS has.
        accidents: for each message id, copies for which an accident accounts.
        outlived: what was being sent when the clock was moved past leases of workers that live.
        steady: whether the clock never went back.
    """

    clock: MovableClock
    tps: Simulator
    offices: OfficeServer
    settings: Settings
    workers: InProcessWorkers
    forms: Sequence[SimulatedForm]
    accidents: Counter[str] = field(default_factory=Counter)
    outlived: set[tuple[Any, ...]] = field(default_factory=set)
    steady: bool = True

    @property
    def runtime(self) -> Runtime:
        """The runtime of the workers."""
        return self.workers.runtime

    def file(
        self, count: int, *, forms: Sequence[SimulatedForm] = (), oddities: bool = False
    ) -> list[int]:
        """Let `count` dossiers be filed in TPS, a second apart; their numbers."""
        self.clock.move(timedelta(seconds=count))
        return self.tps.populate(
            forms or self.forms,
            count,
            every=timedelta(seconds=1),
            states=[DossierState.INITIATED, DossierState.RECEIVED],
            oddities=oddities,
        )

    def turn(self) -> None:
        """One tick of beat, and all the work that follows from it."""
        self.workers.tick()
        self.workers.work()

    def run(self, duration: timedelta, *, every: timedelta = MINUTE) -> None:
        """Let time pass, with a tick every minute or so."""
        until = self.clock() + duration
        while self.clock() < until:
            self.turn()
            self.clock.move(every)

    def settle(
        self, *, within: timedelta = SOON, tolerated: Collection[str] = ()
    ) -> list[Violation]:
        """Run until the invariants hold, then an hour more; what is violated then.

        Time in which nothing is due is skipped.

        Args:
            within: how long it may take.
            tolerated: names of exceptions with which tasks may end.

        Raises:
            AssertionError: a task ended with another one.
        """
        violations = self._settle(within)
        assert self.workers.failed.keys() <= {*tolerated}, self.workers.failed
        return violations

    def _settle(self, within: timedelta) -> list[Violation]:
        until = self.clock() + within
        # What a sweep puts right is due at the next tick, not later.
        self.run(2 * MINUTE)
        while (violations := self.check()) and self.clock() < until:
            self.turn()
            self._skip()
        if violations:
            return violations
        self.run(HOUR, every=15 * MINUTE)
        return self.check()

    def _skip(self) -> None:
        """Let time pass until something is due, an hour at most."""
        now = self.clock()
        columns = (Dossier.next_attempt_at, Delivery.next_attempt_at, Procedure.next_poll_at)
        with self.runtime.database.read() as connection:
            due = [
                connection.scalar(select(func.min(column)).where(column > now))
                for column in columns
            ]
        wait = min((at - now for at in due if at), default=HOUR)
        self.clock.move(min(max(wait, timedelta(seconds=1)), HOUR))

    def check(self, *, final: bool = True) -> list[Violation]:
        """The invariants that are violated now."""
        evidence = Evidence(
            listed=self.tps.truths,
            told=self.offices.told,
            accidents=self.accounted,
            audit=self.runtime.audit,
            rules=self.runtime.rules(),
            now=self.clock(),
            steady=self.steady,
        )
        with self.runtime.database.read() as connection:
            return check_invariants(connection, evidence, final=final)

    @property
    def accounted(self) -> Counter[str]:
        """For each message id, the copies that are accounted for: by an accident, by an
        acceptance that its sender did not live to hear of, or by a lease that ended too early."""
        twice = {told.message_id for told in self.offices.told if told.subject in self.outlived}
        return self.accidents + self.offices.unheard + Counter(twice)

    def note_outlived(self) -> None:
        """The clock is moved while workers live: what they hold may be sent once more."""
        self.outlived |= self._subjects(Delivery.state == DeliveryState.SENDING.value)

    def note_accident(self) -> None:
        """A process died, or could not store what it did: whatever was accepted and is not
        known to be may be sent once more."""
        open_ = self._subjects(Delivery.state != DeliveryState.SENT.value)
        copies = Counter(told.message_id for told in self.offices.told if told.subject in open_)
        # A message that stands there twice was hit before: count this accident besides.
        for message_id, count in copies.items():
            self.accidents[message_id] = max(self.accidents[message_id], count)

    def _subjects(self, which: ColumnElement[bool]) -> set[tuple[Any, ...]]:
        columns = (Delivery.procedure, Delivery.number, Delivery.event, Delivery.unit)
        with self.runtime.database.read() as connection:
            found = [tuple(row) for row in connection.execute(select(*columns).where(which))]
        # The mail of a digest, which belongs to procedure 0, names no number.
        return {(procedure, number if procedure else 0, *of) for procedure, number, *of in found}

    def second_runtime(self, *, tps_url: str | None = None, smtp_url: str | None = None) -> Runtime:
        """Another process's view: the same database, its own connections."""
        changes: dict[str, Any] = {}
        if tps_url:
            changes["tps_url"] = tps_url
        if smtp_url:
            changes["smtp_url"] = smtp_url
        return make_runtime(read(**{**self.settings.model_dump(), **changes}), self.clock)


def make_runtime(settings: Settings, clock: Clock) -> Runtime:
    """A runtime without chance: retries come when the arithmetic says."""
    runtime = Runtime(settings, clock=clock, jitter=lambda: 0.0)
    without_fsync(runtime.database)
    return runtime


@contextmanager
def system(
    database_url: str,
    folder: Path,
    *,
    forms: Iterable[SimulatedForm] = FORMS[:2],
    clock: MovableClock | None = None,
    tps_options: Mapping[str, Any] | None = None,
    **settings: Any,  # noqa: ANN401
) -> Iterator[System]:
    """A system around a database, which is migrated if it is empty.

    Args:
        database_url: of the database.
        folder: for whatever the service writes.
        forms: that TPS has and the service reads.
        clock: that all go by; a simulated one when not given.
        tps_options: of the simulator.
        settings: of the service, over those that are made here.
    """
    clock = clock or SimulatedClock(folder / CLOCK)
    known = tuple(forms)
    tps = Simulator(clock=clock, **(tps_options or {}))
    tps.open(*known)
    with ExitStack() as stack:
        server = stack.enter_context(tps.serve())
        offices = stack.enter_context(OfficeServer())
        chosen = {**service_settings(server.url, offices.url, known), "database_url": database_url}
        made = read(**{**chosen, "var_dir": folder, **settings})
        runtime = make_runtime(made, clock)
        stack.callback(runtime.close)
        if schema.is_empty(runtime.database):
            schema.upgrade(runtime.database)
        shipped_rules.publish(runtime)
        workers = InProcessWorkers(runtime)
        runtime.waker = workers
        yield System(clock, tps, offices, made, workers, known)


def publish_variant(runtime: Runtime, unit: str | None) -> None:
    """Send one permit type to a unit of its own, or with None to the usual one again."""
    document = shipped_rules.document() if unit is None else _variant(unit)
    with runtime.database.begin() as connection:
        publish(runtime, connection, document, note="faults")


@cache
def _variant(unit: str) -> str:
    with TemporaryDirectory() as folder:
        changed = Path(folder) / "config"
        shutil.copytree(HERE, changed, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        rules = changed / "routing.yaml"
        own = f"""
  - id: autrement
    why: Ce type de permis est instruit ailleurs.
    when: {{ permit_type: doctorat }}
    send_to: {unit}
    examples:
      - given: {{ permit_type: doctorat, department: 75 - Paris }}
        decided: 2026-06-15
        unit: {unit}
"""
        rules.write_text(rules.read_text().replace("\nrules:\n", f"\nrules:\n{own}"))
        return read_directory(changed)


def service_settings(tps_url: str, smtp_url: str, forms: Iterable[SimulatedForm]) -> dict[str, Any]:
    """The settings, by name, of a service that reads `forms` from this TPS."""
    return {
        "tps_url": tps_url,
        "tps_api": "v1",
        "tps_token": Simulator().token,
        "tps_procedures": ",".join(str(form.procedure) for form in forms),
        "tps_connect_timeout": 2.0,
        "tps_read_timeout": 2.0,
        "smtp_url": smtp_url,
        "tps_requests_per_minute": 1_000_000,
        "poll_interval": 300,
        "notify_decided": True,
        "log_level": "ERROR",
    }


Act = Callable[[System], None]
"""Something that happens in a system."""
