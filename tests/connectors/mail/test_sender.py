"""The settings choose between a server and a folder."""

from pathlib import Path

import pytest

from connectors.mail.eml_folder import EmlFolder
from connectors.mail.sender import open_sender
from connectors.mail.smtp import SmtpSender
from tests.connectors.mail.samples import SENDER, mail
from tests.fixtures.smtp import SmtpServer


def test_a_server_gets_the_message_when_there_is_one(smtp: SmtpServer, tmp_path: Path) -> None:
    with open_sender(smtp.url, tmp_path / "outbox", SENDER) as sender:
        assert isinstance(sender, SmtpSender)
        sender.send(mail())

    assert [received.message_id for received in smtp.messages] == [mail().message_id]
    assert not (tmp_path / "outbox").exists()


@pytest.mark.parametrize("url", [None, ""])
def test_without_a_server_the_message_is_a_file(url: str | None, tmp_path: Path) -> None:
    with open_sender(url, tmp_path / "outbox", SENDER) as sender:
        assert isinstance(sender, EmlFolder)
        sender.send(mail())

    assert len(list((tmp_path / "outbox").iterdir())) == 1


@pytest.mark.parametrize(
    ("url", "sender"), [("smtp://", SENDER), ("smtp://smtp.example", "Work In France")]
)
def test_wrong_settings_are_refused_before_anything_is_sent(
    url: str, sender: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="write"):
        open_sender(url, tmp_path, sender)
