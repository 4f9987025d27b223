"""Several workers on the same rows: claims, leases that run out, and what a late one may do."""

from collections import Counter
from typing import Any

import pytest

from service.deliver import deliver
from store import deliveries
from tests.faults import safeguards
from tests.faults.conftest import MakeWorld
from tests.faults.oracle import Finding, Kind
from tests.faults.victims import PATIENCE, Contact, Victim, is_detail, is_list, is_mail, start
from tests.faults.world import FORMS, HOUR, World


def kinds(findings: list[Finding]) -> set[Kind]:
    return {finding.kind for finding in findings}


def with_queued_deliveries(make_world: MakeWorld, count: int) -> World:
    world = make_world()
    world.file(count)
    world.crew.run("wif.poll-due")
    while world.crew.messages:
        task, arguments = world.crew.messages.popleft()
        if task != "wif.deliver":
            world.crew.run(task, arguments)
    return world


def deliver_with(world: World, workers: int, *, without: list[str]) -> None:
    """Let as many processes deliver at the same time, until nothing is due."""
    processes = [start(world, without=without, tasks=["wif.deliver"]) for _ in range(workers)]
    for process in processes:
        process.join(PATIENCE)
        assert process.exitcode == 0


def test_eight_workers_make_five_hundred_deliveries_once_each(make_world: MakeWorld) -> None:
    world = with_queued_deliveries(make_world, 500)

    deliver_with(world, 8, without=[])

    assert len(world.offices.told) == 500
    assert world.ask() == []


def test_control_without_claims_eight_workers_send_copies(make_world: MakeWorld) -> None:
    world = with_queued_deliveries(make_world, 100)

    deliver_with(world, 8, without=["delivery_claims"])

    assert Kind.COPY in kinds(world.ask())


# --- a worker that stalls until its lease is over ---------------------------------------------

STALLS = [(is_list, 3), (is_detail, 1), (is_detail, 11), (is_mail, 1), (is_mail, 15)]


def ready(make_world: MakeWorld) -> World:
    world = make_world(forms=FORMS[:1], tps_options={"fixed_page": 6})
    world.file(24)
    return world


@pytest.mark.parametrize(("point", "at"), STALLS)
def test_a_worker_that_stalls_longer_than_its_lease_changes_nothing_when_it_goes_on(
    make_world: MakeWorld, point: Contact, at: int
) -> None:
    world = ready(make_world)
    Victim(world, at=at, counts=point).stalled(meanwhile=lambda: _settled(world))

    assert world.settle() == []
    ids = Counter(told.message_id for told in world.offices.told)
    assert sum(count - 1 for count in ids.values()) <= at


@pytest.mark.parametrize(("point", "at"), [(is_detail, 11), (is_mail, 15)])
def test_control_without_fencing_a_late_worker_writes_over_what_others_did(
    make_world: MakeWorld, point: Contact, at: int
) -> None:
    world = ready(make_world)
    Victim(world, at=at, counts=point, without=["fencing"]).stalled(
        meanwhile=lambda: _settled(world)
    )

    assert Kind.AUDIT_REPEATED in kinds(world.settle(within=HOUR))


def test_control_without_a_time_budget_a_late_worker_goes_on_sending(
    make_world: MakeWorld,
) -> None:
    world = ready(make_world)
    Victim(world, at=3, counts=is_mail, without=["work_budget"]).stalled(
        meanwhile=lambda: _settled(world)
    )

    assert Kind.COPY in kinds(world.settle(within=HOUR))


def test_where_fencing_fails_the_unique_key_still_keeps_a_second_message_back(
    make_world: MakeWorld,
) -> None:
    world = ready(make_world)
    Victim(world, at=11, counts=is_detail, without=["fencing"]).stalled(
        meanwhile=lambda: _settled(world)
    )
    world.run(HOUR)

    assert kinds(world.ask()) == {Kind.AUDIT_REPEATED}
    assert len(world.offices.told) == 24


def test_control_without_the_unique_key_it_is_sent(make_world: MakeWorld) -> None:
    world = ready(make_world)
    with world.runtime.database.begin() as connection:
        safeguards.drop_unique_key(connection)
    Victim(world, at=11, counts=is_detail, without=["fencing"]).stalled(
        meanwhile=lambda: _settled(world)
    )
    world.run(HOUR)

    assert Kind.TWO_ROWS in kinds(world.ask())
    assert len(world.offices.told) > 24


def _settled(world: World) -> None:
    assert world.settle() == []


# --- withdrawing what another one is about to send --------------------------------------------


def move_while_others_deliver(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """A dossier moves before its mail is sent; the mail is claimed while it is withdrawn."""
    number = world.file(1)[0]
    world.offices.stop()
    world.turn()
    world.offices.start()
    world.tps.change(number, department="75")
    world.clock.move(HOUR)
    other = world.second_runtime()
    withdraw = deliveries.withdraw

    def deliver_first(*args: Any) -> None:  # noqa: ANN401
        deliver(other)
        withdraw(*args)

    with monkeypatch.context() as patch:
        patch.setattr(deliveries, "withdraw", deliver_first)
        for form in world.forms:
            world.crew.poll(form.procedure)
        world.crew.work()
    other.close()
    return world.settle(within=HOUR)


# On SQLite a transaction that writes keeps all others from beginning.
interleaving = pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)


@interleaving
def test_what_is_being_withdrawn_is_not_claimed_in_the_meantime(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world()

    assert move_while_others_deliver(world, monkeypatch) == []
    assert {told.unit for told in world.offices.told} == {"UD075"}


@interleaving
def test_control_without_a_lock_an_office_keeps_what_it_lost(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    safeguards.withdrawal_locks(monkeypatch)
    world = make_world()

    found = move_while_others_deliver(world, monkeypatch)
    assert Kind.AUDIT_REPEATED in kinds(found)
    assert {told.unit for told in world.offices.told} == {"UD002", "UD075"}
