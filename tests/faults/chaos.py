"""Anything in any order: a machine that lets faults, deaths and changes happen at random.

Whatever happened, the invariants hold at any moment; and when all faults are over, everything
gets done without a hand but that of the person whom a paused procedure waits for.
"""

import shutil
import tempfile
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from routing.facts import DossierState
from service.reassign import reassign, unpin
from service.reroute import reroute_open
from service.resume import resume
from simulator import Fault as TpsFault
from simulator import FaultKind, SimulatedDossier
from store import deliveries, dossiers
from store.audit.log import AuditEntry, Step
from store.deliveries import DeliveryState, Filter
from tests.faults.system import FORMS, System, publish_variant, system
from tests.faults.worker_processes import WorkerProcess
from tests.fixtures.smtp_faults import At
from tests.fixtures.smtp_faults import Fault as MailFault

DEPARTMENTS = ("02", "10", "13", "21", "75", "2A", "971")
TYPES = ("apprentissage", "professionnalisation", "interne-medecine", "doctorat")
UNITS = ("UD002", "UD010", "UD013", "UD075")

TPS_FAULTS = (
    TpsFault(kind=FaultKind.HTML, status=500),
    TpsFault(kind=FaultKind.HTML, status=503),
    TpsFault(kind=FaultKind.HTML, status=429, headers={"Retry-After": "90"}),
    TpsFault(kind=FaultKind.JSON, status=401),
    TpsFault(kind=FaultKind.JSON, status=404),
    TpsFault(kind=FaultKind.HTML, status=200),
    TpsFault(kind=FaultKind.TRUNCATED),
    TpsFault(kind=FaultKind.RESET),
    TpsFault(kind=FaultKind.MALFORMED),
)

MAIL_FAULTS = (
    MailFault(at=At.RCPT, reply="451 4.7.1 greylisted"),
    MailFault(at=At.RCPT, reply="550 5.1.1 no such user"),
    MailFault(at=At.MAIL, reply="421 4.7.0 slow down", drop=True),
    MailFault(at=At.CONTENT, reply="554 5.6.0 not like this"),
    MailFault(at=At.CONTENT, drop=True),
    MailFault(at=At.CONTENT, drop=True, accept=True),
    MailFault(at=At.GREETING, drop=True),
)

WAITS = (
    timedelta(seconds=20),
    timedelta(minutes=2),
    timedelta(minutes=5),
    timedelta(hours=1),
    timedelta(hours=13),
)

TIMES = st.sampled_from([1, 2, 5, 1_000])
"""How often a fault is played; the largest is for as long as it is there."""

BY_HAND = timedelta(seconds=1)
"""What a person does, and what the same person did before, do not bear one instant."""

PAGE = 4


@cache
def _published() -> Path:
    """A migrated SQLite file with the shipped rules in force."""
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    with system(f"sqlite:///{folder / 'wif.sqlite3'}", folder):
        pass
    return folder / "wif.sqlite3"


class _OneSystem(RuleBasedStateMachine):
    """One system, and what happened to it.

    Attributes:
        tally: what happened, in all runs of this process.
    """

    tally: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        shutil.copy(_published(), folder / "wif.sqlite3")
        self.system: System = self._stack.enter_context(
            system(
                f"sqlite:///{folder / 'wif.sqlite3'}",
                folder,
                forms=FORMS[:2],
                tps_options={"fixed_page": PAGE},
                poll_interval=1_800,
                scan_interval=3_600,
                tps_read_timeout=0.2,
            )
        )
        self.count("systems")

    def count(self, what: str, number: int = 1) -> None:
        """Count something that happened."""
        self.tally[what] += number

    def some(self, which: int) -> SimulatedDossier:
        """One of the dossiers that there are."""
        truths = self.system.tps.truths
        return self.system.tps.dossier(truths[which % len(truths)].number)


class _Filing(_OneSystem):
    """What people do in TPS."""

    @initialize(count=st.integers(1, 12))
    def begin(self, count: int) -> None:
        self.file(count, 0)

    @rule(count=st.integers(1, 6), form=st.integers(0, 1))
    def file(self, count: int, form: int) -> None:
        self.system.file(count, forms=[self.system.forms[form]])
        self.count("dossiers", count)

    @precondition(lambda self: self.system.tps.truths)
    @rule(which=st.integers(0, 99), department=st.sampled_from(DEPARTMENTS))
    def move(self, which: int, department: str) -> None:
        self.system.tps.change(self.some(which).number, department=department)
        self.count("moved")

    @precondition(lambda self: self.system.tps.truths)
    @rule(which=st.integers(0, 99), permit_type=st.sampled_from(TYPES))
    def retype(self, which: int, permit_type: str) -> None:
        self.system.tps.change(self.some(which).number, permit_type=permit_type)
        self.count("retyped")

    @precondition(lambda self: self.system.tps.truths)
    @rule(which=st.integers(0, 99), state=st.sampled_from(DossierState))
    def decide(self, which: int, state: DossierState) -> None:
        self.system.tps.change(self.some(which).number, state=state)
        self.count("decided or reopened")

    @precondition(lambda self: len(self.system.tps.truths) > 1)
    @rule(which=st.integers(0, 99))
    def delete(self, which: int) -> None:
        self.system.tps.delete(self.some(which).number)
        self.count("deleted")

    @precondition(lambda self: self.system.tps.truths)
    @rule(which=st.integers(0, 99), defect=st.sampled_from([None, "champs", "state", "id"]))
    def spoil(self, which: int, defect: str | None) -> None:
        self.system.tps.change(self.some(which).number, defect=defect)
        self.count("spoilt or mended")


class _Faults(_OneSystem):
    """What fails, dies and hangs."""

    @rule(
        fault=st.sampled_from(TPS_FAULTS),
        times=TIMES,
        what=st.sampled_from(["all", "procedure", "detail"]),
        which=st.integers(0, 99),
    )
    def tps_fails(self, fault: TpsFault, times: int, what: str, which: int) -> None:
        chosen = TpsFault(kind=fault.kind, status=fault.status, headers=fault.headers, times=times)
        if what == "all":
            self.system.tps.fail_all(chosen)
        elif what == "procedure":
            self.system.tps.fail_procedure(self.system.forms[which % 2].procedure, chosen)
        elif self.system.tps.truths:
            self.system.tps.fail_detail(self.some(which).number, chosen)
        self.count(f"tps {fault.kind} {fault.status}")

    @rule()
    def tps_heals(self) -> None:
        self.system.tps.heal()

    @rule(fault=st.sampled_from(MAIL_FAULTS), times=TIMES, unit=st.sampled_from([None, *UNITS]))
    def mail_fails(self, fault: MailFault, times: int, unit: str | None) -> None:
        recipient = self._mailbox(unit) if unit and fault.at in {At.RCPT, At.CONTENT} else None
        self.system.offices.play(
            MailFault(
                at=fault.at,
                reply=fault.reply,
                drop=fault.drop,
                accept=fault.accept,
                recipient=recipient,
                times=times,
            )
        )
        self.count(f"mail {fault.at} {fault.reply[:3] or 'cut'}")

    def _mailbox(self, unit: str) -> str:
        return self.system.runtime.rules().units[unit].channels[0].address

    @rule()
    def mail_heals(self) -> None:
        self.system.offices.behave()

    @rule()
    def mail_stops_or_starts(self) -> None:
        if self.system.offices.listening:
            self.system.offices.stop()
        else:
            self.system.offices.start()
        self.count("mail server stopped or started")

    @rule()
    def broker_is_emptied(self) -> None:
        self.system.workers.messages.clear()
        self.count("broker emptied")

    @rule(at=st.integers(1, 30))
    def process_dies(self, at: int) -> None:
        self.count("killed" if WorkerProcess(self.system, at=at).killed() else "survived")

    @rule(at=st.integers(1, 12))
    def process_stalls(self, at: int) -> None:
        if WorkerProcess(self.system, at=at).stalled(meanwhile=self.system.turn):
            # What it stores late bears the instant at which it was done.
            self.system.steady = False
            self.count("stalled")


class Chaos(_Filing, _Faults):
    """Anything in any order; whatever happened, nothing is wrong."""

    @rule(seed=st.integers(0, 2**16))
    def turn(self, seed: int) -> None:
        self.system.workers.tick()
        self.system.workers.work(Random(seed))
        self.count("turns")

    @rule(tasks=st.integers(1, 5))
    def half_a_turn(self, tasks: int) -> None:
        self.system.workers.tick()
        for _ in range(min(tasks, len(self.system.workers.messages))):
            self.system.workers.run(*self.system.workers.messages.popleft())

    @rule(wait=st.sampled_from(WAITS))
    def time_passes(self, wait: timedelta) -> None:
        self.system.clock.move(wait)

    @rule(which=st.integers(0, 99), unit=st.sampled_from([None, *UNITS]))
    def reassigned_by_hand(self, which: int, unit: str | None) -> None:
        with self.system.runtime.database.read() as connection:
            known = [
                dossier
                for dossier in dossiers.listing(connection)
                if dossier.facts and not dossier.facts.state.ended and dossier.assignment.ordinal
            ]
        if not known:
            return
        self.system.clock.move(BY_HAND)
        dossier = known[which % len(known)]
        key = (dossier.procedure, dossier.number)
        if unit is None:
            unpin(self.system.runtime, *key)
        else:
            reassign(self.system.runtime, *key, unit=unit, reason="asked-for")
        self.count("reassigned by hand")

    @rule(unit=st.sampled_from([None, *UNITS]))
    def rules_change(self, unit: str | None) -> None:
        self.system.clock.move(BY_HAND)
        publish_variant(self.system.runtime, unit)
        reroute_open(self.system.runtime)
        self.count("rules changed")

    @rule()
    def dead_letters_are_replayed(self) -> None:
        replay(self.system)

    @rule()
    def procedures_are_resumed(self) -> None:
        resume(self.system.runtime, None)

    @invariant()
    def nothing_is_wrong(self) -> None:
        found = self.system.check(final=False)
        assert found == [], found
        assert not self.system.workers.failed, self.system.workers.failed
        self.count("invariants checked")

    def teardown(self) -> None:
        try:
            self._end()
        finally:
            self._stack.close()

    def _end(self) -> None:
        self.system.tps.heal()
        self.system.offices.behave()
        if not self.system.offices.listening:
            self.system.offices.start()
        found = self.system.settle(within=timedelta(hours=2))
        if found:
            resume(self.system.runtime, None)
            found = self.system.settle(within=timedelta(days=3))
        assert found == [], found
        told = [each.message_id for each in self.system.offices.told]
        self.count("messages", len(told))
        self.count("copies", len(told) - len(set(told)))
        self.count("invariants checked")


def replay(system: System) -> None:
    """What `wif deliveries replay --state dead` does."""
    now = system.clock()
    with system.runtime.database.begin() as connection:
        lines = [
            AuditEntry(
                step=Step.REPLAYED, procedure=procedure, number=number, event=event, unit=unit
            )
            for procedure, number, event, unit in deliveries.replay(
                connection, Filter(state=DeliveryState.DEAD), now
            )
        ]
        system.runtime.audit.append(connection, now, lines)
    system.workers.deliver("mail")
