"""Settings: environment variables (prefix `WIF_`), `.env`, and files for secrets (`…_FILE`).

A setting that is missing or wrong ends the program at start with its name, what is
wrong with it and an example; a secret's value never appears in that message.
"""

import base64
import binascii
import contextlib
import os
import secrets
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    Field,
    PositiveInt,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings.sources import EnvSettingsSource, PydanticBaseSettingsSource

HERE = Path(__file__).resolve().parent
PREFIX = "WIF_"
DOTENV = f"{PREFIX}DOTENV"
"""Names the file of settings to read instead of `.env`."""
MINIMUM_KEY_BYTES = 32


class Environment(StrEnum):
    """Where the service runs; production refuses what is only good for a trial."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class SettingsError(Exception):
    """One or more settings are missing or wrong. Its text is one line for each, without secrets."""


def _http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ValueError("is not an http(s) address")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must not carry a user, a query or a fragment")
    return value.rstrip("/")


def _with_scheme(*schemes: str) -> Any:  # noqa: ANN401
    def check(value: SecretStr) -> SecretStr:
        try:
            parts = urlsplit(value.get_secret_value())
            scheme, _ = parts.scheme, parts.port
        except ValueError:
            raise ValueError("is not an address: host or port cannot be read") from None
        if scheme not in schemes:
            raise ValueError(f"must start with one of {', '.join(f'{s}://' for s in schemes)}")
        return value

    return AfterValidator(check)


HttpUrl = Annotated[str, AfterValidator(_http_url)]

EXAMPLES = {
    "tps_url": "https://tps.example",
    "tps_token": "the API token of the TPS account, or WIF_TPS_TOKEN_FILE=/run/secrets/tps_token",
    "database_url": "postgresql+psycopg://wif@db.example/wif",
    "broker_url": "redis://:password@redis.example:6379/0",
    "smtp_url": "smtp+starttls://user:password@smtp.example:587",
    "mail_from": "Work In France <ne-pas-repondre@wif.example>",
    "ops_mailbox": "exploitation@wif.example",
    "config_dir": "config",
    "audit_key": "the output of: head -c 32 /dev/urandom | base64",
    "env": "production",
    "log_level": "INFO",
}


class Settings(BaseSettings):
    """Every setting of the service, with its unit. Durations are in seconds."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        env_ignore_empty=True,
        validate_default=True,
    )

    env: Environment = Environment.DEVELOPMENT
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    var_dir: Path = Path("var")
    config_dir: Path = HERE

    tps_url: HttpUrl | None = None
    tps_token: SecretStr | None = None
    tps_token_in_query: bool = False
    tps_dossier_url: str = "{tps_url}/procedures/{procedure}/dossiers/{number}"
    tps_connect_timeout: float = Field(default=5, gt=0, le=20)
    tps_read_timeout: float = Field(default=20, gt=0, le=60)
    tps_max_bytes: PositiveInt = 5_000_000
    tps_requests_per_minute: PositiveInt = 6_000
    tps_page_size: int = Field(default=1000, ge=1, le=1000)
    tps_procedures: str = ""

    database_url: (
        Annotated[SecretStr, _with_scheme("sqlite", "postgresql", "postgresql+psycopg")] | None
    ) = None
    broker_url: Annotated[SecretStr, _with_scheme("redis", "rediss", "redis+socket")] | None = None

    smtp_url: Annotated[SecretStr, _with_scheme("smtp", "smtps", "smtp+starttls")] | None = None
    mail_from: str = "Work In France <ne-pas-repondre@workinfrance.example>"
    outbox_dir: Path | None = None
    ops_mailbox: str | None = None
    heartbeat_file: Path | None = None
    heartbeat_url: HttpUrl | None = None

    audit_key: SecretStr | None = None
    audit_previous_keys: SecretStr | None = None
    seal_key_file: Path | None = None

    poll_interval: PositiveInt = 60
    scan_interval: PositiveInt = 900
    sweep_interval: PositiveInt = 60
    alarm_unread_after: PositiveInt = 1_800
    alarm_unsent_after: PositiveInt = 1_800
    alarm_poll_lag_after: PositiveInt = 900
    alarm_quarantined_after: PositiveInt = 21_600
    alarm_unrouted_after: PositiveInt = 86_400
    rules_autoreload: bool = False
    retention_days: PositiveInt = 730

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings, SecretFiles(settings_cls), dotenv_settings)

    @field_validator("tps_dossier_url")
    @classmethod
    def _can_be_filled(cls, value: str) -> str:
        try:
            value.format(tps_url="", procedure=1, number=1)
        except (KeyError, IndexError, ValueError):
            raise ValueError("may hold {tps_url}, {procedure} and {number}, nothing else") from None
        return value

    @model_validator(mode="after")
    def _ready_for_production(self) -> Self:
        if self.env is not Environment.PRODUCTION:
            return self
        connections = ("tps_url", "tps_token", "database_url", "broker_url", "smtp_url")
        needed = (*connections, "audit_key", "seal_key_file")
        missing = [name for name in needed if getattr(self, name) is None]
        if self.mail_from in {"", type(self).model_fields["mail_from"].default}:
            missing.append("mail_from")  # its default is a placeholder
        if missing:
            names = ", ".join(f"{PREFIX}{name.upper()}" for name in missing)
            raise ValueError(f"{names}: needed when {PREFIX}ENV=production")
        if self.tps_url and urlsplit(self.tps_url).scheme != "https":
            raise ValueError(f"{PREFIX}TPS_URL: must be https when {PREFIX}ENV=production")
        return self

    @property
    def in_production(self) -> bool:
        """Whether placeholders and what is only good for a trial are refused."""
        return self.env is Environment.PRODUCTION

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the database, the SQLite file below `var_dir` when none is set."""
        if self.database_url is None:
            return f"sqlite:///{(self.var_dir / 'wif.sqlite3').absolute()}"
        url = self.database_url.get_secret_value()
        return url.replace("postgresql://", "postgresql+psycopg://", 1)

    @property
    def outbox(self) -> Path:
        """Where messages are written as `.eml` files while there is no SMTP server."""
        return self.outbox_dir or self.var_dir / "outbox"

    @property
    def seal_key(self) -> Path | None:
        """The private key that signs seals of the audit log, made on first use outside production.

        None when production was given none: then nothing is sealed.
        """
        made_here = None if self.env is Environment.PRODUCTION else self.var_dir / "seal.key"
        return self.seal_key_file or made_here

    @property
    def seal_journal(self) -> Path:
        """Where the seals are written a second time, outside the database."""
        return self.var_dir / "seals.jsonl"

    @property
    def only_procedures(self) -> frozenset[int]:
        """Procedures to poll when not all configured ones; empty for all."""
        return frozenset(int(number) for number in self.tps_procedures.replace(",", " ").split())

    def audit_keys(self) -> tuple[bytes, ...]:
        """The secret keys of the audit log: the current one, then those used before it.

        Outside production a key is made on first use and kept in `var_dir`.

        Raises:
            SettingsError: a key is not base64 or is too short.
        """
        current = self.audit_key.get_secret_value() if self.audit_key else self._own_audit_key()
        previous = self.audit_previous_keys.get_secret_value() if self.audit_previous_keys else ""
        keys = [_decoded("AUDIT_KEY", current)]
        keys += [_decoded("AUDIT_PREVIOUS_KEYS", key) for key in previous.replace(",", " ").split()]
        return tuple(keys)

    def _own_audit_key(self) -> str:
        path = self.var_dir / "audit.key"
        create_private(path, base64.b64encode(secrets.token_bytes(MINIMUM_KEY_BYTES)))
        return path.read_text().strip()


class SecretFiles(EnvSettingsSource):
    """Reads `WIF_NAME_FILE` for each setting whose `WIF_NAME` is not given: container secrets."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        wanted = {f"{PREFIX}{name}".upper() for name in self.settings_cls.model_fields}
        found: dict[str, str | None] = {}
        given = {**dotenv_values(os.environ.get(DOTENV, ".env")), **os.environ}
        for variable, path in given.items():
            name = variable.upper().removesuffix("_FILE")
            if path and variable.upper().endswith("_FILE") and name in wanted - {variable.upper()}:
                found[name.lower()] = _secret_file(variable, path)
        return found


def _secret_file(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{variable}: the file that it names cannot be read ({type(error).__name__}); "
            "give the path of a readable UTF-8 file"
        ) from None


def create_private(path: Path, content: bytes) -> None:
    """Create `path` with `content`, readable by its owner only; an existing file is left alone.

    The file appears whole or not at all, so that two processes that start together agree.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()


def _decoded(name: str, key: str) -> bytes:
    try:
        decoded = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if len(decoded) < MINIMUM_KEY_BYTES:
        raise SettingsError(
            f"{PREFIX}{name}: is not base64 of at least {MINIMUM_KEY_BYTES} bytes; "
            f"give {EXAMPLES['audit_key']}"
        )
    return decoded


def _line(error: Mapping[str, Any]) -> str:
    name = ".".join(str(part) for part in error["loc"])
    text = str(error["msg"]).removeprefix("Value error, ")
    if not name:
        return text
    example = EXAMPLES.get(name)
    return f"{PREFIX}{name.upper()}: {text}" + (f"; for example: {example}" if example else "")


@lru_cache(maxsize=1)
def load() -> Settings:
    """The settings of this process, read once.

    Raises:
        SettingsError: something is missing or wrong; one line for each.
    """
    return read()


def read(**overrides: Any) -> Settings:  # noqa: ANN401
    """Settings read anew, with `overrides` over the environment.

    Raises:
        SettingsError: something is missing or wrong; one line for each.
    """
    try:
        settings = Settings(_env_file=os.environ.get(DOTENV, ".env"), **overrides)
        _ = settings.only_procedures
    except ValidationError as error:
        lines = [_line(dict(item)) for item in error.errors(include_input=False)]
        raise SettingsError("\n".join(lines)) from None
    except ValueError:
        raise SettingsError(
            f"{PREFIX}TPS_PROCEDURES: is not a list of numbers; for example: 13760,14131"
        ) from None
    return settings
