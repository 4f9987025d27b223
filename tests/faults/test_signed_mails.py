"""Signed mails under faults: however often one comes, it is one message, and its signature good."""

from collections import Counter, defaultdict
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

import pytest

from connectors.mail.smime import Signer
from tests.faults.conftest import MakeSystem
from tests.faults.safeguards import sending
from tests.faults.system import FORMS, HOUR, MINUTE, System
from tests.faults.violations import Kind
from tests.faults.worker_processes import WorkerProcess, is_mail
from tests.fixtures.certificates import SENDER, pair, verified
from tests.fixtures.smtp_faults import At, Fault

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


@pytest.fixture
def system(make_system: MakeSystem) -> System:
    """A system that signs its mails."""
    used = pair()
    return make_system(
        forms=FORMS[:1],
        smime_certificate=used.certificate,
        smime_key=used.key,
        mail_from=SENDER,
    )


def signed_parts(system: System) -> dict[str, set[bytes]]:
    """What was signed under each id: one and the same, however often it came."""
    found = defaultdict(set)
    for received in system.offices.messages:
        mail = message_from_bytes(received.raw, policy=SMTP)
        entity, _ = mail.iter_parts()
        found[str(mail["Message-ID"])].add(entity.as_bytes())
    return found


def all_good(system: System, folder: Path) -> bool:
    """Whether `openssl` finds every message good that the server took, copies as well."""
    return all(verified(received.raw, folder) for received in system.offices.messages)


@pytest.mark.parametrize("at", [1, 7])
def test_killed_between_acceptance_and_commit_a_signed_mail_comes_again_under_its_id(
    system: System, tmp_path: Path, at: int
) -> None:
    numbers = system.file(12)
    assert WorkerProcess(system, at, counts=is_mail).killed()

    assert system.settle() == []
    ids = Counter(told.message_id for told in system.offices.told)
    assert sorted({told.number for told in system.offices.told}) == numbers
    assert (len(ids), max(ids.values())) == (12, 2)
    assert all(len(parts) == 1 for parts in signed_parts(system).values())
    assert all_good(system, tmp_path)


def test_a_server_that_takes_drops_and_puts_off_costs_copies_whose_signatures_are_good(
    system: System, tmp_path: Path
) -> None:
    numbers = system.file(8)
    system.offices.play(Fault(at=At.CONTENT, drop=True, accept=True, times=2))
    system.turn()
    system.offices.play(Fault(at=At.RCPT, reply="451 4.7.1 greylisted", times=5))
    system.turn()

    assert system.settle() == []
    assert {told.number for told in system.offices.told} == {*numbers}
    assert len(signed_parts(system)) == len(numbers) < len(system.offices.told)
    assert all(len(parts) == 1 for parts in signed_parts(system).values())
    assert all_good(system, tmp_path)


def test_control_under_an_id_of_each_sending_the_office_has_two_messages(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.file(4)
    assert WorkerProcess(system, 1, counts=is_mail).killed()
    sending.stable_message_ids(monkeypatch)
    system.run(10 * MINUTE)

    assert Kind.UNASKED in {violation.kind for violation in system.check()}


def test_control_where_other_line_ends_are_signed_than_are_sent_no_signature_is_good(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign = Signer._signature
    monkeypatch.setattr(
        Signer, "_signature", lambda signer, entity: sign(signer, entity.replace(b"\r\n", b"\n"))
    )
    system.file(1)
    system.run(HOUR)

    assert system.offices.messages
    assert not all_good(system, tmp_path)
