"""Mail as a channel: one sender for a batch, trials beside notices, settings told apart."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from config.settings import Settings, read
from connectors.channel import ChannelSettingsError
from connectors.mail.channel import MailChannel
from connectors.notice import Trial
from tests.fixtures.smtp import SmtpServer

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TRIAL = Trial(
    unit="UD075",
    unit_name="Unité départementale de Paris",
    sent_at=AT,
    key="trial.UD075.mail.1",
    contact="Cellule nationale",
)


def settings(folder: Path, **given: object) -> Settings:
    return read(var_dir=folder, **given)


def test_a_trial_says_that_it_is_one_and_is_about_no_dossier(tmp_path: Path) -> None:
    with MailChannel().open(settings(tmp_path), lambda: AT, {}) as session:
        session.send(TRIAL, "moe.ud075@direccte.example")
    (path,) = (tmp_path / "outbox").glob("*.eml")
    mail = message_from_bytes(path.read_bytes(), policy=policy.default)
    body = mail.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "Message d’essai" in mail["Subject"]
    assert mail["X-WIF-Event"] == "trial"
    assert "X-WIF-Dossier" not in mail
    assert "aucun dossier" in text
    assert "Cellule nationale" in text
    assert "Ouvrir le dossier" not in text


def test_a_batch_goes_over_one_connection(tmp_path: Path, smtp: SmtpServer) -> None:
    given = settings(tmp_path, smtp_url=smtp.url)
    with MailChannel().open(given, lambda: AT, {}) as session:
        for _ in range(3):
            session.send(TRIAL, "moe.ud075@direccte.example")
    assert len(smtp.messages) == 3
    assert smtp.connections == 1


def test_a_wrong_setting_is_told_by_its_name(tmp_path: Path) -> None:
    class Wrong:
        smtp_url = None
        mail_from = "nobody at all"
        outbox = tmp_path
        smime_certificate = None
        smime_key = None

    with pytest.raises(ChannelSettingsError, match="WIF_MAIL_FROM"):
        MailChannel().open(Wrong(), lambda: AT, {})
