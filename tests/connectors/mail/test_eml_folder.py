"""Without an SMTP server each message is one whole file."""

import os
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from connectors.mail.eml_folder import EmlFolder
from routing.failures import Cause, Failure
from tests.connectors.mail.samples import mail


def test_a_message_becomes_a_file_whose_name_tells_what_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "outbox"

    with EmlFolder(folder) as made:
        made.send(mail())

    (file,) = folder.iterdir()
    assert file.name.startswith("UD075_filed_3272-1234567_wif-")
    assert file.suffix == ".eml"
    assert message_from_bytes(file.read_bytes(), policy=policy.SMTP)["To"] == "moe@ud75.example"


def test_a_message_sent_again_replaces_its_own_file_only(tmp_path: Path) -> None:
    folder = EmlFolder(tmp_path)

    for key in ("a", "b", "a"):
        folder.send(mail(key=key))

    assert len(list(tmp_path.iterdir())) == 2


def test_a_unit_code_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    folder = EmlFolder(tmp_path / "outbox")

    folder.send(mail(unit="../../etc/UD075", key="../../x"))

    (file,) = (tmp_path / "outbox").iterdir()
    assert file.name.startswith("etc-UD075_filed")


def test_a_folder_that_is_a_file_is_a_failure_without_a_path(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("")

    with pytest.raises(Failure) as caught:
        EmlFolder(tmp_path / "outbox").send(mail())

    assert caught.value.cause is Cause.MAIL_UNWRITABLE
    assert caught.value.__context__ is None
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is full")
def test_a_full_disk_is_a_failure_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fdopen

    def full(descriptor: int, mode: str) -> object:
        os.close(descriptor)
        return real(os.open("/dev/full", os.O_WRONLY), mode)

    monkeypatch.setattr(os, "fdopen", full)

    with pytest.raises(Failure) as caught:
        EmlFolder(tmp_path).send(mail())

    assert caught.value.cause is Cause.MAIL_UNWRITABLE
    assert list(tmp_path.iterdir()) == []
