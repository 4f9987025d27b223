"""Secrets are secret types, and show in no repr, error, log, URL, title or page."""

import logging
import re
import subprocess
import sys
import traceback
from pathlib import Path
from typing import get_args

import pytest
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from config.settings import Settings, SettingsError, read
from connectors.mail.failure import MailFailure
from connectors.mail.smtp import SmtpSender
from connectors.tps.v1.client import V1Client
from service.mail import mail_sender
from service.runtime import Runtime
from store.audit.log import AuditLog
from store.engine import Database
from tests.fixtures.orphans import free_port
from tests.fixtures.processes import ROOT, clean_environment, wif
from tests.privacy.markers import found

PORT = free_port()
"""Nothing listens there."""

SECRETS = {
    "tps_token": "jeton-Zqkanari951",
    "database_url": f"postgresql://wif:Zqkanari952@127.0.0.1:{PORT}/wif",
    "broker_url": f"redis://:Zqkanari953@127.0.0.1:{PORT}/0",
    "smtp_url": f"smtp://wif:Zqkanari954@127.0.0.1:{PORT}",
    "audit_key": "WnFrYW5hcmk5NTVacWthbmFyaTk1NVpxa2FuYXJpOTU1",
    "audit_previous_keys": "WnFrYW5hcmk5NTZacWthbmFyaTk1Nlpxa2FuYXJpOTU2",
}
ENVIRONMENT = {f"WIF_{name.upper()}": value for name, value in SECRETS.items()}

_SECRET = re.compile(r"token|secret|password|key|(database|broker|smtp)_url")
_HARMLESS = {
    "tps_token_in_query": "a switch",
    "seal_key_file": "a path",
    "tps_webhook_secrets": "a folder",
    "webhook_secrets": "a folder",
    "seal_public_keys": "public",
    "secret_max_age_days": "a number",
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read(
        **SECRETS,
        var_dir=tmp_path,
        tps_url=f"http://127.0.0.1:{PORT}",
        outbox_dir=tmp_path,
    )


def test_the_search_sees_each_of_these_secrets() -> None:
    assert [name for name, value in SECRETS.items() if not found(value.encode())] == []


def test_every_setting_that_sounds_secret_is_of_a_secret_type() -> None:
    for name, field in Settings.model_fields.items():
        if _SECRET.search(name) and name not in _HARMLESS:
            kinds = {field.annotation, *get_args(field.annotation)}
            assert SecretStr in kinds or any(SecretStr in get_args(kind) for kind in kinds), name


def test_settings_show_no_secret(settings: Settings) -> None:
    forms = (repr, str, Settings.model_dump_json, lambda each: repr(each.model_dump()), ascii)
    for form in forms:
        assert found(form(settings).encode()) == set()


WRONG = {
    "WIF_DATABASE_URL": "mysql://wif:Zqkanari901@db.example/wif",
    "WIF_BROKER_URL": "amqp://wif:Zqkanari902@broker.example",
    "WIF_SMTP_URL": "http://wif:Zqkanari903@smtp.example",
    "WIF_TPS_URL": "https://wif:Zqkanari904@tps.example",
    "WIF_HEARTBEAT_URL": "https://watch.example/?key=Zqkanari905",
    "WIF_AUDIT_KEY": "Zqkanari906",
    "WIF_AUDIT_PREVIOUS_KEYS": "Zqkanari907",
    "WIF_TPS_PROCEDURES": "Zqkanari908",
    "WIF_TPS_READ_TIMEOUT": "Zqkanari909",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_setting_that_is_wrong_is_named_and_not_repeated(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WIF_VAR_DIR", str(tmp_path))
    if name == "WIF_AUDIT_PREVIOUS_KEYS":
        monkeypatch.setenv("WIF_AUDIT_KEY", SECRETS["audit_key"])
    monkeypatch.setenv(name, WRONG[name])
    with pytest.raises(SettingsError, match=name) as refused:
        read().audit_keys()
    assert found("".join(traceback.format_exception(refused.value)).encode()) == set()


def test_what_is_made_of_secrets_shows_none(settings: Settings) -> None:
    runtime = Runtime(settings)
    held = (
        *(runtime, runtime.tps, runtime.database, runtime.database.engine, runtime.audit),
        *(runtime.database.engine.url, runtime.audit.keys, mail_sender(settings), vars(runtime)),
    )
    for each in held:
        assert found(f"{each!r} {each!s}".encode()) == set(), type(each)
    assert found(repr(AuditLog(settings.audit_keys()).refs(1, 2)).encode()) == set()
    runtime.close()


def test_a_database_that_is_away_is_told_without_its_password(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    database = Database(settings.database)
    with pytest.raises(SQLAlchemyError) as away, database.read():
        pass
    told = "".join(traceback.format_exception(away.value)) + repr(away.value) + caplog.text
    assert found(told.encode()) == set()


def test_a_mail_server_that_is_away_is_told_without_its_password(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert settings.smtp_url is not None
    sender = SmtpSender(settings.smtp_url.get_secret_value(), sender="wif@wif.example")
    with pytest.raises(MailFailure) as away:
        sender.check()
    shown = traceback.TracebackException.from_exception(away.value, capture_locals=True)
    own = [frame for frame in shown.stack if "/connectors/" in frame.filename]
    told = repr([frame.locals for frame in own]) + "".join(shown.format_exception_only())
    assert found((told + caplog.text + repr(sender)).encode()) == set()


def test_a_client_shows_no_token(settings: Settings) -> None:
    assert settings.tps_token is not None
    client = V1Client(base_url="https://tps.example", token=settings.tps_token)
    assert found(f"{client!r} {vars(client)!r} {vars(client._transport)!r}".encode()) == set()
    client.close()


COMMANDS = (
    ("doctor",),
    ("doctor", "--json"),
    ("status",),
    ("run-once",),
    ("db", "upgrade"),
    ("audit", "verify"),
    ("deliveries", "list"),
)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_no_command_shows_a_secret_when_everything_is_away(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    ended = wif(
        *arguments,
        **ENVIRONMENT,
        WIF_VAR_DIR=str(tmp_path),
        WIF_TPS_URL=f"http://127.0.0.1:{PORT}",
        WIF_LOG_LEVEL="DEBUG",
    )
    assert ended.returncode != 0
    assert "Traceback" not in ended.stderr
    assert found((ended.stdout + ended.stderr).encode()) == set()


def test_celery_reports_its_settings_without_secrets(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "tasks", "report"],
        env=clean_environment({**ENVIRONMENT, "WIF_VAR_DIR": str(tmp_path)}),
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert b"broker_url" in ended.stdout
    assert found(ended.stdout + ended.stderr) == set()
