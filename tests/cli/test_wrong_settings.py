"""A setting that is missing or wrong ends the program in one line."""

from pathlib import Path

import pytest

from tests.fixtures.processes import wif


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("WIF_TPS_URL", "ftp://tps.example", "WIF_TPS_URL: is not an http(s) address"),
        ("WIF_DATABASE_URL", "mysql://u:hushhush@db", "WIF_DATABASE_URL: must start with"),
        ("WIF_BROKER_URL", "amqp://u:hushhush@mq", "WIF_BROKER_URL: must start with"),
        ("WIF_AUDIT_KEY", "hushhush", "WIF_AUDIT_KEY: is not base64"),
        ("WIF_TPS_TOKEN_FILE", "/nowhere/hushhush", "WIF_TPS_TOKEN_FILE: the file"),
        ("WIF_ENV", "production", "needed when WIF_ENV=production"),
        ("WIF_REMIND_AT", "9h00", "is no time of the day, written HH:MM"),
    ],
)
def test_a_wrong_setting_ends_with_its_name_and_never_with_its_value(
    tmp_path: Path, setting: str, value: str, says: str
) -> None:
    result = wif("run-once", **{"WIF_VAR_DIR": str(tmp_path), setting: value})
    assert result.returncode == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr
    assert "hushhush" not in result.stderr


def test_production_does_not_send_in_the_name_of_a_placeholder(tmp_path: Path) -> None:
    result = wif("run-once", WIF_VAR_DIR=str(tmp_path), WIF_ENV="production")
    named = result.stderr.split(":")[0].split(", ")
    assert "WIF_MAIL_FROM" in named

    given = {"WIF_ENV": "production", "WIF_MAIL_FROM": "wif@wif.example"}
    result = wif("run-once", WIF_VAR_DIR=str(tmp_path), **given)
    assert "WIF_TPS_TOKEN" in result.stderr
    assert "WIF_MAIL_FROM" not in result.stderr


def test_without_a_server_it_says_what_is_needed(tmp_path: Path) -> None:
    result = wif("run-once", WIF_VAR_DIR=str(tmp_path))
    assert result.returncode == 2
    assert "WIF_TPS_URL and WIF_TPS_TOKEN" in result.stderr
