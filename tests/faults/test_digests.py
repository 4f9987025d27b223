"""Digests under faults: each dossier stands in one of them, however many processes die."""

import json
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from random import Random

import pytest
from sqlalchemy import Connection, update

from routing.calendar import PARIS
from service.digests import make_digests
from service.publish_rules import publish
from store import deliveries, digests
from store.deliveries import DeliveryState, Order
from store.digests import Digest
from store.models import Delivery
from tests.faults.conftest import MakeSystem
from tests.faults.safeguards import sending
from tests.faults.system import FORMS, HOUR, MINUTE, System
from tests.faults.violations import Kind, Violation
from tests.faults.worker_processes import WorkerProcess, is_mail
from tests.fixtures import shipped_rules
from tests.fixtures.smtp_faults import At, Fault

UNIT = "UD002"
DAY = timedelta(days=1)
MONDAY = datetime(2026, 11, 23, 7, 0, tzinfo=PARIS)


@pytest.fixture
def system(make_system: MakeSystem) -> System:
    """A system whose forms all go to one office, which gets digests; it is Monday, 7:00."""
    made = make_system(forms=FORMS[:1])
    made.clock.move(MONDAY - made.clock())
    with made.runtime.database.begin() as connection:
        publish(made.runtime, connection, with_digest(), note="faults")
    return made


def with_digest() -> str:
    content = json.loads(shipped_rules.document())
    for unit in content["units"]:
        if unit["code"] == UNIT:
            unit["digest"] = {"at": ["08:30", "14:00"], "days": "working"}
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def until_it_is_due(system: System, count: int) -> list[int]:
    """File `count` dossiers and let time pass until the digest of the morning is due."""
    numbers = system.file(count)
    system.turn()
    system.clock.move(2 * HOUR)
    return numbers


def listed(system: System) -> list[int]:
    """The dossiers that digests list, each digest counted once however often it came."""
    by_id = {told.message_id: told.carried for told in system.offices.told}
    return sorted(number for carried in by_id.values() for number in carried)


def settle(system: System) -> list[Violation]:
    return system.settle(within=2 * DAY)


@pytest.mark.parametrize("at", [1, 2])
def test_killed_between_acceptance_and_commit_a_digest_comes_again_under_its_own_id(
    system: System, at: int
) -> None:
    numbers = until_it_is_due(system, 30)
    for each in range(at):
        assert WorkerProcess(system, 1, counts=is_mail).killed(), each
    assert settle(system) == []
    assert listed(system) == numbers
    assert len({told.message_id for told in system.offices.told}) == 1
    assert len(system.offices.told) == 1 + at


def test_processes_that_die_or_stall_anywhere_put_each_dossier_into_one_digest(
    system: System,
) -> None:
    chance = Random(15)
    numbers = []
    for at in range(1, 6):
        numbers += until_it_is_due(system, 10)
        WorkerProcess(system, at).killed()
        WorkerProcess(system, at).stalled(system.turn)
        system.clock.move(timedelta(hours=chance.randrange(1, 30)))
    assert settle(system) == []
    assert listed(system) == sorted(numbers)


def test_a_mail_server_that_takes_and_drops_costs_copies_of_one_digest(system: System) -> None:
    numbers = until_it_is_due(system, 20)
    system.offices.play(Fault(at=At.CONTENT, drop=True, accept=True, times=3))
    assert settle(system) == []
    assert listed(system) == numbers
    assert len({told.message_id for told in system.offices.told}) == 1


def raced(system: System, patch: pytest.MonkeyPatch) -> None:
    """Let another process make the digests between the look at what is due and the making."""
    due = digests.due

    def looked_up(connection: Connection, now: datetime) -> list[Digest]:
        found = due(connection, now)
        patch.setattr(digests, "due", due)
        with closing(system.second_runtime()) as other:
            make_digests(other, system.workers)
        return found

    patch.setattr(digests, "due", looked_up)


def test_two_processes_that_see_the_same_digest_make_it_once(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = until_it_is_due(system, 10)
    raced(system, monkeypatch)
    assert settle(system) == []
    assert listed(system) == numbers


def reminded(system: System) -> Counter[tuple[str, int]]:
    """How often each unit was reminded of each dossier, copies of one mail counted once."""
    mails = {each.message_id: each for each in system.offices.told if each.event == "late"}
    return Counter((each.unit, number) for each in mails.values() for number in each.carried)


def weeks_of_reminders(make_system: MakeSystem) -> tuple[System, list[int]]:
    """Two weeks in which processes that send reminders die, each day at another point."""
    system = make_system(forms=FORMS[:1], remind_after=5, escalate_after=7)
    system.clock.move(MONDAY + 3 * HOUR - system.clock())
    numbers = system.file(6)
    begun = system.clock()
    for day in range(12):
        system.clock.move(max(begun + day * DAY - system.clock(), timedelta()))
        for _ in range(2):
            system.workers.run("wif.queue-reminders")
            WorkerProcess(system, day % 3 + 1, counts=is_mail).killed()
            system.turn()
    return system, numbers


def test_processes_that_die_remind_each_unit_of_each_dossier_once_a_working_day(
    make_system: MakeSystem,
) -> None:
    system, numbers = weeks_of_reminders(make_system)

    assert settle(system) == []
    # Five working days after Monday comes Monday; until Friday of that week, that is 5 days.
    assert reminded(system) == Counter(
        {(unit, number): days for unit, days in ((UNIT, 5), ("NATIONAL", 3)) for number in numbers}
    )


def test_control_under_a_key_of_each_look_a_unit_is_reminded_again_and_again(
    make_system: MakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = count()
    queue = deliveries.queue_new

    def anew(connection: Connection, orders: Iterable[Order], now: datetime) -> list[Order]:
        look = next(looks)
        return queue(connection, [replace(each, assignment=look) for each in orders], now)

    monkeypatch.setattr(deliveries, "queue_new", anew)
    system, _ = weeks_of_reminders(make_system)

    assert max(reminded(system).values()) > 5


def test_control_under_an_id_of_each_sending_the_office_has_two_digests(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    until_it_is_due(system, 30)
    assert WorkerProcess(system, 1, counts=is_mail).killed()
    sending.stable_message_ids(monkeypatch)
    system.run(10 * MINUTE)
    assert Kind.UNASKED in {violation.kind for violation in system.check()}


def test_control_without_the_mark_of_what_is_carried_a_digest_is_made_again(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    until_it_is_due(system, 10)
    make = digests.make

    def unmarked(connection: Connection, digest: Digest, now: datetime) -> int:
        made = make(connection, digest, now)
        # Nor the key of the digest, which is that of the first delivery that it carries.
        first = Delivery.procedure == digests.NO_PROCEDURE
        connection.execute(update(Delivery).where(first).values(number=-Delivery.id))
        waiting = {"state": DeliveryState.WAITING.value, "digest_at": now}
        connection.execute(update(Delivery).where(Delivery.carrier.is_not(None)).values(waiting))
        return made

    with monkeypatch.context() as patch:
        patch.setattr(digests, "make", unmarked)
        system.turn()
    system.run(10 * MINUTE)
    assert len({told.message_id for told in system.offices.told}) > 1
