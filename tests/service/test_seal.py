"""Sealing takes the newest seal outside: a mail a day, while there is something new."""

from pathlib import Path

from service.seal import seal
from simulator import Server
from store.audit.seal_keys import load_signing_key
from store.audit.seals import read_seals
from tests.fixtures_logs import Output
from tests.fixtures_smtp import SmtpServer
from tests.stage import Stage, make_stage

OPS = "exploitation@wif.example"


def _mailed(smtp: SmtpServer) -> list[str]:
    return [
        str(each.message["Subject"]) for each in smtp.messages if "seal" in each.message["Subject"]
    ]


def _file_and_seal(stage: Stage) -> None:
    stage.file()
    stage.run()
    seal(stage.runtime)


def test_the_newest_seal_is_mailed_once_a_day(
    database_url: str, tps: Server, smtp: SmtpServer, tmp_path: Path
) -> None:
    stage = make_stage(database_url, tps, tmp_path, smtp_url=smtp.url, ops_mailbox=OPS)
    _file_and_seal(stage)
    _file_and_seal(stage)
    assert _mailed(smtp) == ["[Work In France] Audit log: seal 1"]
    stage.wait(days=1)
    smtp.stop()
    _file_and_seal(stage)
    smtp.start()
    stage.wait(minutes=10)
    seal(stage.runtime)
    assert _mailed(smtp)[1:] == ["[Work In France] Audit log: seal 3"]
    stage.wait(days=1)
    seal(stage.runtime)
    assert len(_mailed(smtp)) == 2
    newest = list(read_seals(stage.runtime.database))[-1]
    key = load_signing_key(tmp_path / "var" / "seal.key").public
    said = smtp.messages[-1].message.get_content()
    assert f"--head 3:{newest.hash}" in said
    assert f"--pin {key}" in said
    stage.runtime.close()


def test_without_a_mailbox_nothing_is_mailed(stage: Stage) -> None:
    _file_and_seal(stage)
    assert len(stage.mails()) == 1


def test_the_public_half_of_a_new_key_is_logged_once(
    stage: Stage, tmp_path: Path, logged: Output
) -> None:
    _file_and_seal(stage)
    _file_and_seal(stage)
    key = load_signing_key(tmp_path / "var" / "seal.key").public
    line = logged.only("seal-key-made")
    assert (line["level"], line["seal_key"]) == ("warning", key)
