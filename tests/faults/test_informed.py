"""Units for information under faults: each is told of each dossier once, whoever has it."""

import json
from collections import Counter

import pytest

from service.publish_rules import publish
from service.reassign import reassign, unpin
from store import deliveries
from tests.faults.conftest import MakeSystem
from tests.faults.safeguards import sending
from tests.faults.system import FORMS, MINUTE, System
from tests.faults.violations import Kind
from tests.faults.worker_processes import WorkerProcess, is_mail
from tests.fixtures import shipped_rules
from tests.fixtures.smtp_faults import At, Fault

INFORMED = ("UD010", "UD075")
HAS_IT = "UD002"


@pytest.fixture
def system(make_system: MakeSystem) -> System:
    """A system whose forms all go to one office, and whose rules inform two others."""
    made = make_system(forms=FORMS[:1])
    content = json.loads(shipped_rules.document())
    for rule in content["rules"]:
        rule["inform"] = [*INFORMED]
    document = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    with made.runtime.database.begin() as connection:
        publish(made.runtime, connection, document, note="faults")
    return made


def told(system: System) -> Counter[tuple[int, str, str]]:
    """Number, event and unit of each message, copies of one counted once."""
    subjects = {each.message_id: each.subject[1:] for each in system.offices.told}
    return Counter(subjects.values())


def wanted(numbers: list[int]) -> Counter[tuple[int, str, str]]:
    said = [("filed", HAS_IT), *(("informed", unit) for unit in INFORMED)]
    return Counter((number, event, unit) for number in numbers for event, unit in said)


@pytest.mark.parametrize("at", [1, 2, 8])
def test_killed_between_acceptance_and_commit_a_copy_for_information_has_the_same_id(
    system: System, at: int
) -> None:
    numbers = system.file(6)
    assert WorkerProcess(system, at, counts=is_mail).killed()

    assert system.settle() == []
    assert told(system) == wanted(numbers)
    assert len(system.offices.told) > len(told(system))


def test_processes_that_die_or_stall_anywhere_inform_each_unit_once(system: System) -> None:
    numbers = []
    for at in range(1, 10, 2):
        numbers += system.file(3)
        WorkerProcess(system, at).killed()
        WorkerProcess(system, at + 1).stalled(system.turn)

    assert system.settle() == []
    assert told(system) == wanted(numbers)


def test_an_informed_unit_that_refuses_its_mail_keeps_it_from_nobody_else(system: System) -> None:
    numbers = system.file(5)
    mailbox = system.runtime.rules().units["UD010"].channels[0].address
    system.offices.play(Fault(at=At.RCPT, reply="550 5.1.1 no such user", recipient=mailbox))

    assert system.settle() == []
    refused = {(number, "informed", "UD010") for number in numbers}
    assert told(system) == wanted(numbers) - Counter(refused)


def moved_to_and_fro(system: System) -> list[int]:
    """A dossier is given to another office and back, while processes die."""
    numbers = system.file(2)
    WorkerProcess(system, 4).killed()
    system.run(10 * MINUTE)
    for number in numbers:
        reassign(system.runtime, FORMS[0].procedure, number, unit="UD013", reason="moved")
    WorkerProcess(system, 1, counts=is_mail).killed()
    system.run(10 * MINUTE)
    for number in numbers:
        unpin(system.runtime, FORMS[0].procedure, number)
    WorkerProcess(system, 2, counts=is_mail).killed()
    return numbers


def test_a_dossier_that_moves_informs_nobody_again(system: System) -> None:
    numbers = moved_to_and_fro(system)

    assert system.settle() == []
    informed = {key: count for key, count in told(system).items() if key[1] == "informed"}
    assert informed == {(number, "informed", unit): 1 for number in numbers for unit in INFORMED}


def test_control_that_forgets_whom_it_told_informs_again(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "told", lambda *_: {})
    moved_to_and_fro(system)
    system.settle()

    assert max(count for key, count in told(system).items() if key[1] == "informed") > 1


def test_control_under_an_id_of_each_sending_it_is_told_twice(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.file(4)
    assert WorkerProcess(system, 2, counts=is_mail).killed()
    sending.stable_message_ids(monkeypatch)
    system.run(10 * MINUTE)

    assert Kind.UNASKED in {violation.kind for violation in system.check()}
