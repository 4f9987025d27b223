"""A wrong setting always comes with an example; files that hold settings are read in bounds."""

import os
from pathlib import Path

import pytest

from config.setting_refusals import ROLES
from config.settings import DOTENV, Settings, SettingsError, example_of, read
from tests.fixtures.french import french_catalogue


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_has_an_example(name: str) -> None:
    assert example_of(name) not in {"", "None"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("poll_interval", "-1"),
        ("tps_page_size", "0"),
        ("tps_url", "ftp://x"),
        ("database_url", "mysql://x"),
        ("seal_public_keys", "abc"),
        ("alarm_url", "gopher://x"),
        ("retention_days", "x"),
        ("retention_days", "9" * 5_000),
        ("tps_read_timeout", "nan"),
        ("notify_decided", "perhaps"),
        ("log_level", "LOUD"),
        ("env", "prod"),
        ("ops_mailbox", "nobody"),
        ("mail_from", "zz"),
        ("config_dir", "/nowhere"),
        ("var_dir", "/dev/null/var"),
        ("outbox_dir", "/dev/null"),
        ("smtp_url", "smtp://"),
        ("broker_url", "redis://"),
        ("tps_procedures", "13760,x"),
        ("flower_hosts", "a host/"),
        ("actors", "Not A Code"),
        ("tps_dossier_url", "{nothing}"),
        ("subject_prefix", "x" * 41),
    ],
)
def test_a_wrong_value_is_told_with_its_name_and_an_example(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"WIF_{name.upper()}", value)
    with pytest.raises(SettingsError) as caught:
        read()
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"WIF_{name.upper()}: ")
    assert "; for example: " in line
    assert "Input" not in line
    assert "{" not in line.replace("{tps_url}, {procedure} and {number}", "").replace(
        "{tps_url}/procedures/{procedure}/dossiers/{number}", ""
    )


@pytest.mark.parametrize(("first", "then", "accepted"), [("5", "4", False), ("5", "5", True)])
def test_nobody_else_is_told_before_the_unit_itself_is_reminded(
    first: str, then: str, monkeypatch: pytest.MonkeyPatch, *, accepted: bool
) -> None:
    monkeypatch.setenv("WIF_REMIND_AFTER", first)
    monkeypatch.setenv("WIF_ESCALATE_AFTER", then)
    if accepted:
        assert read().escalate_after == int(then)
        return
    with pytest.raises(SettingsError, match=r"^WIF_ESCALATE_AFTER: .*; for example: 7$"):
        read()
    with french_catalogue(), pytest.raises(SettingsError, match="relancée d'abord"):
        read()


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            {"WIF_ESCALATE_AFTER": "7"},
            "WIF_ESCALATE_AFTER: has no effect without WIF_REMIND_AFTER; "
            "for example: WIF_REMIND_AFTER=5",
        ),
        (
            {"WIF_REMIND_AFTER": "5", "WIF_ESCALATE_TO": "NATIONAL"},
            "WIF_ESCALATE_TO: has no effect without WIF_ESCALATE_AFTER; "
            "for example: WIF_ESCALATE_AFTER=7",
        ),
    ],
)
def test_an_escalation_that_would_never_come_is_refused(
    given: dict[str, str], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        read()
    assert str(caught.value) == line
    with french_catalogue(), pytest.raises(SettingsError, match="n'a pas d'effet sans"):
        read()


def test_a_secret_in_a_pipe_or_in_a_flood_is_refused_and_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "flood").write_bytes(b"x" * 100_000)
    (tmp_path / "token").write_text("a-token\n")
    (tmp_path / "link").symlink_to(tmp_path / "token")
    for name in ("pipe", "flood"):
        monkeypatch.setenv("WIF_TPS_TOKEN_FILE", str(tmp_path / name))
        with pytest.raises(SettingsError, match="WIF_TPS_TOKEN_FILE: the file") as caught:
            read()
        assert "65536 bytes" in str(caught.value)
    monkeypatch.setenv("WIF_TPS_TOKEN_FILE", str(tmp_path / "link"))
    token = read().tps_token
    assert token is not None
    assert token.get_secret_value() == "a-token"


@pytest.mark.parametrize("kind", ["pipe", "flood", "not-utf-8", "missing"])
def test_a_file_of_settings_that_is_none_is_refused_and_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "flood").write_bytes(b"#" * 2_000_000)
    (tmp_path / "not-utf-8").write_bytes(b"WIF_CONTACT=\xff\n")
    monkeypatch.setenv(DOTENV, str(tmp_path / kind))
    with pytest.raises(SettingsError, match="WIF_DOTENV: the file that it names cannot be read"):
        read()


def test_the_environment_comes_before_the_files_and_secret_files_before_dotenv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("from-the-file\n")
    (tmp_path / "wif.env").write_text(
        f"WIF_CONTACT=from-dotenv\nWIF_TPS_TOKEN=from-dotenv\nWIF_TPS_TOKEN_FILE={tmp_path}/token\n"
    )
    monkeypatch.setenv(DOTENV, str(tmp_path / "wif.env"))
    found = read()
    assert found.contact == "from-dotenv"
    assert found.tps_token is not None
    assert found.tps_token.get_secret_value() == "from-the-file"
    monkeypatch.setenv("WIF_CONTACT", "from-the-environment")
    assert read().contact == "from-the-environment"


def test_an_audit_key_that_is_a_pipe_is_refused_and_nobody_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "audit.key")
    with pytest.raises(SettingsError, match="WIF_VAR_DIR: the audit key"):
        read(var_dir=tmp_path).audit_keys()


VALUES = {
    "tps_url": "https://tps.example",
    "tps_token": "a-token",
    "database_url": "postgresql://wif@db.example/wif",
    "broker_url": "redis://redis.example/0",
    "audit_key": "x" * 44,
    "smtp_url": "smtps://smtp.example",
    "mail_from": "wif@wif.example",
    "seal_key_file": "/run/secrets/seal_key",
    "webhook_secrets": "/run/secrets/webhooks",
}


@pytest.mark.parametrize("role", ROLES)
def test_a_process_is_given_what_its_role_needs_and_starts_without_any_other_secret(
    role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIF_ENV", "production")
    monkeypatch.setenv("WIF_ROLE", role)
    for name in ROLES[role]:
        monkeypatch.setenv(f"WIF_{name.upper()}", VALUES[name])
    assert read().roles == (role,)
    for name in ROLES[role]:
        with monkeypatch.context() as without:
            without.delenv(f"WIF_{name.upper()}")
            with pytest.raises(SettingsError, match=f"WIF_{name.upper()}: needed when"):
                read()


TRIALS = [
    ({"tps_url": "http://tps.example"}, "WIF_TPS_URL: must be https"),
    ({"tps_token_in_query": "true"}, "WIF_TPS_TOKEN_IN_QUERY: puts the token into access logs"),
    ({"smtp_url": "smtp://smtp.example"}, "WIF_SMTP_URL: sends mails in clear to another host"),
]


@pytest.mark.parametrize(("changed", "told"), TRIALS)
def test_production_refuses_what_is_only_good_for_a_trial(
    changed: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIF_ROLE", "deliver")
    for name, value in {**VALUES, **changed}.items():
        monkeypatch.setenv(f"WIF_{name.upper()}", value)
    assert read().roles == ("deliver",)
    monkeypatch.setenv("WIF_ENV", "production")
    with pytest.raises(SettingsError, match=told) as refused:
        read()
    assert VALUES["tps_token"] not in str(refused.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "relay.example"])
def test_production_sends_in_clear_to_this_machine_and_to_hosts_that_are_named(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIF_ENV", "production")
    monkeypatch.setenv("WIF_ROLE", "deliver")
    monkeypatch.setenv("WIF_SMTP_CLEAR_HOSTS", "relay.example")
    for name, value in {**VALUES, "smtp_url": f"smtp://{host}"}.items():
        monkeypatch.setenv(f"WIF_{name.upper()}", value)
    assert read().smtp_url is not None
