"""Several workers on the same rows: claims, leases that run out, and what a late one may do."""

from collections import Counter
from typing import Any

import pytest

from service.deliver import deliver
from store import deliveries
from tests.faults.conftest import MakeSystem
from tests.faults.safeguards import leases, sending
from tests.faults.system import FORMS, HOUR, System
from tests.faults.violations import Kind, Violation
from tests.faults.worker_processes import (
    PATIENCE,
    Contact,
    WorkerProcess,
    is_detail,
    is_list,
    is_mail,
    start,
)


def kinds(violations: list[Violation]) -> set[Kind]:
    return {violation.kind for violation in violations}


def with_queued_deliveries(make_system: MakeSystem, count: int) -> System:
    system = make_system()
    system.file(count)
    system.workers.run("wif.poll-due")
    while system.workers.messages:
        task, arguments = system.workers.messages.popleft()
        if task != "wif.deliver":
            system.workers.run(task, arguments)
    return system


def deliver_with(system: System, workers: int, *, without: list[str]) -> None:
    """Let as many processes deliver at the same time, until nothing is due."""
    processes = [start(system, without=without, tasks=["wif.deliver"]) for _ in range(workers)]
    for process in processes:
        process.join(PATIENCE)
        assert process.exitcode == 0


def test_eight_workers_make_five_hundred_deliveries_once_each(make_system: MakeSystem) -> None:
    system = with_queued_deliveries(make_system, 500)

    deliver_with(system, 8, without=[])

    assert len(system.offices.told) == 500
    assert system.check() == []


def test_control_without_claims_eight_workers_send_copies(make_system: MakeSystem) -> None:
    system = with_queued_deliveries(make_system, 100)

    deliver_with(system, 8, without=["delivery_claims"])

    assert Kind.COPY in kinds(system.check())


# --- a worker that stalls until its lease is over ---------------------------------------------

STALLS = [(is_list, 3), (is_detail, 1), (is_detail, 11), (is_mail, 1), (is_mail, 15)]


def ready(make_system: MakeSystem) -> System:
    system = make_system(forms=FORMS[:1], tps_options={"fixed_page": 6})
    system.file(24)
    return system


@pytest.mark.parametrize(("point", "at"), STALLS)
def test_a_worker_that_stalls_longer_than_its_lease_changes_nothing_when_it_goes_on(
    make_system: MakeSystem, point: Contact, at: int
) -> None:
    system = ready(make_system)
    WorkerProcess(system, at=at, counts=point).stalled(meanwhile=lambda: _settled(system))

    assert system.settle() == []
    ids = Counter(told.message_id for told in system.offices.told)
    assert sum(count - 1 for count in ids.values()) <= at


@pytest.mark.parametrize(("point", "at"), [(is_detail, 11), (is_mail, 15)])
def test_control_without_fencing_a_late_worker_writes_over_what_others_did(
    make_system: MakeSystem, point: Contact, at: int
) -> None:
    system = ready(make_system)
    WorkerProcess(system, at=at, counts=point, without=["fencing"]).stalled(
        meanwhile=lambda: _settled(system)
    )

    assert Kind.AUDIT_REPEATED in kinds(system.settle(within=HOUR))


def test_control_without_a_time_budget_a_late_worker_goes_on_sending(
    make_system: MakeSystem,
) -> None:
    system = ready(make_system)
    WorkerProcess(system, at=3, counts=is_mail, without=["work_budget"]).stalled(
        meanwhile=lambda: _settled(system)
    )

    assert Kind.COPY in kinds(system.settle(within=HOUR))


def test_where_fencing_fails_the_unique_key_still_keeps_a_second_message_back(
    make_system: MakeSystem,
) -> None:
    system = ready(make_system)
    WorkerProcess(system, at=11, counts=is_detail, without=["fencing"]).stalled(
        meanwhile=lambda: _settled(system)
    )
    system.run(HOUR)

    assert kinds(system.check()) == {Kind.AUDIT_REPEATED}
    assert len(system.offices.told) == 24


def test_control_without_the_unique_key_it_is_sent(make_system: MakeSystem) -> None:
    system = ready(make_system)
    with system.runtime.database.begin() as connection:
        sending.drop_unique_key(connection)
    WorkerProcess(system, at=11, counts=is_detail, without=["fencing"]).stalled(
        meanwhile=lambda: _settled(system)
    )
    system.run(HOUR)

    assert Kind.TWO_ROWS in kinds(system.check())
    assert len(system.offices.told) > 24


def _settled(system: System) -> None:
    assert system.settle() == []


# --- withdrawing what another one is about to send --------------------------------------------


def move_while_others_deliver(system: System, monkeypatch: pytest.MonkeyPatch) -> list[Violation]:
    """A dossier moves before its mail is sent; the mail is claimed while it is withdrawn."""
    number = system.file(1)[0]
    system.offices.stop()
    system.turn()
    system.offices.start()
    system.tps.change(number, department="75")
    system.clock.move(HOUR)
    other = system.second_runtime()
    withdraw = deliveries.withdraw

    def deliver_first(*args: Any) -> None:  # noqa: ANN401
        deliver(other)
        withdraw(*args)

    with monkeypatch.context() as patch:
        patch.setattr(deliveries, "withdraw", deliver_first)
        for form in system.forms:
            system.workers.poll(form.procedure)
        system.workers.work()
    other.close()
    return system.settle(within=HOUR)


# On SQLite a transaction that writes keeps all others from beginning.
interleaving = pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)


@interleaving
def test_what_is_being_withdrawn_is_not_claimed_in_the_meantime(
    make_system: MakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = make_system()

    assert move_while_others_deliver(system, monkeypatch) == []
    assert {told.unit for told in system.offices.told} == {"UD075"}


@interleaving
def test_control_without_a_lock_an_office_keeps_what_it_lost(
    make_system: MakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    leases.withdrawal_locks(monkeypatch)
    system = make_system()

    found = move_while_others_deliver(system, monkeypatch)
    assert Kind.AUDIT_REPEATED in kinds(found)
    assert {told.unit for told in system.offices.told} == {"UD002", "UD075"}
