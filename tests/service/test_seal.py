"""Sealing takes the newest seal outside: a mail a day, while there is something new."""

from pathlib import Path

from service.seal import seal
from simulator import Server
from store.audit.seal_keys import load_signing_key
from store.audit.seals import read_seals
from tests.fixtures.harness import Harness, make_harness
from tests.fixtures.logs import Output
from tests.fixtures.smtp import SmtpServer

OPS = "exploitation@wif.example"


def _mailed(smtp: SmtpServer) -> list[str]:
    return [
        str(each.message["Subject"]) for each in smtp.messages if "seal" in each.message["Subject"]
    ]


def _file_and_seal(harness: Harness) -> None:
    harness.file()
    harness.run()
    seal(harness.runtime)


def test_the_newest_seal_is_mailed_once_a_day(
    database_url: str, tps: Server, smtp: SmtpServer, tmp_path: Path
) -> None:
    harness = make_harness(database_url, tps, tmp_path, smtp_url=smtp.url, ops_mailbox=OPS)
    _file_and_seal(harness)
    _file_and_seal(harness)
    assert _mailed(smtp) == ["[Work In France] Audit log: seal 1"]
    harness.wait(days=1)
    smtp.stop()
    _file_and_seal(harness)
    smtp.start()
    harness.wait(minutes=10)
    seal(harness.runtime)
    assert _mailed(smtp)[1:] == ["[Work In France] Audit log: seal 3"]
    harness.wait(days=1)
    seal(harness.runtime)
    assert len(_mailed(smtp)) == 2
    newest = list(read_seals(harness.runtime.database))[-1]
    key = load_signing_key(tmp_path / "var" / "seal.key").public
    said = smtp.messages[-1].message.get_content()
    assert f"--head 3:{newest.hash}" in said
    assert f"--pin {key}" in said
    harness.runtime.close()


def test_without_a_mailbox_nothing_is_mailed(harness: Harness) -> None:
    _file_and_seal(harness)
    assert len(harness.mails()) == 1


def test_the_public_half_of_a_new_key_is_logged_once(
    harness: Harness, tmp_path: Path, logged: Output
) -> None:
    _file_and_seal(harness)
    _file_and_seal(harness)
    key = load_signing_key(tmp_path / "var" / "seal.key").public
    line = logged.only("seal-key-made")
    assert (line["level"], line["seal_key"]) == ("warning", key)
