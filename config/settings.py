"""Settings: environment variables (prefix `WIF_`), `.env`, and files for secrets (`…_FILE`).

A setting that is missing or wrong ends the program at start with its name, what is
wrong with it and an example; a secret's value never appears in that message.
"""

import base64
import binascii
import contextlib
import difflib
import os
import re
import secrets
from collections.abc import Mapping
from enum import Enum, StrEnum
from functools import lru_cache
from pathlib import Path
from string import hexdigits
from typing import Annotated, Any, NamedTuple, Self
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

from config.files import read_regular

HERE = Path(__file__).resolve().parent
PREFIX = "WIF_"
DOTENV = f"{PREFIX}DOTENV"
"""Names the file of settings to read instead of `.env`."""
MINIMUM_KEY_BYTES = 32
LARGEST_SECRET = 65_536
"""Bytes of a file that holds a secret."""

KEY_DIGITS = 64
"""Of a public key in hex."""


class Environment(StrEnum):
    """Where the service runs; production refuses what is only good for a trial."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


_TPS = ("tps_url", "tps_token")
_STATE = ("database_url", "broker_url", "audit_key")
_MAIL = ("smtp_url", "mail_from")
ROLES: Mapping[str, tuple[str, ...]] = {
    "all": (*_TPS, *_STATE, *_MAIL, "seal_key_file"),
    "poll": (*_TPS, *_STATE),
    "route": (*_TPS, *_STATE),
    "deliver": ("tps_url", *_STATE, *_MAIL),
    "upkeep": (*_STATE, *_MAIL, "seal_key_file"),
    "beat": ("broker_url",),
    "flower": ("broker_url",),
    "migrate": ("database_url",),
    "web": ("database_url", "broker_url"),
}
"""What a process needs in production, by what it does: it is given no other secret."""


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


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """`HOST:PORT` with an IP address or a name; an IPv6 address stands in brackets.

        Raises:
            ValueError: it is not of that form.
        """
        parts = urlsplit(f"//{text}")
        wrong = (parts.path, parts.query, parts.fragment, parts.username, parts.password)
        if not parts.hostname or parts.port is None or any(wrong):
            raise ValueError
        return cls(parts.hostname, parts.port)


def _listening_address(value: str) -> str:
    try:
        Address.parse(value)
    except ValueError:
        raise ValueError("is not HOST:PORT") from None
    return value


def _secret_path(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[A-Za-z0-9_-]{24,128}", value.get_secret_value()):
        raise ValueError("is not 24 to 128 letters, digits, - and _")
    return value


ListeningAddress = Annotated[str, AfterValidator(_listening_address)]

HttpUrl = Annotated[str, AfterValidator(_http_url)]

EXAMPLES = {
    "tps_url": "https://tps.example",
    "tps_token": "the API token of the TPS account, or WIF_TPS_TOKEN_FILE=/run/secrets/tps_token",
    "database_url": "postgresql+psycopg://wif@db.example/wif",
    "broker_url": "redis://:password@redis.example:6379/0",
    "smtp_url": "smtp+starttls://user:password@smtp.example:587",
    "mail_from": "Work In France <ne-pas-repondre@wif.example>",
    "ops_mailbox": "exploitation@wif.example",
    "alarm_url": "https://chat.example/hooks/alarms, or syslog:///dev/log",
    "hint_secret": "the output of: openssl rand -hex 24",  # pragma: allowlist secret
    "tps_webhook_secrets": "/run/secrets/tps-webhooks",
    "config_dir": "config",
    "audit_key": "the output of: head -c 32 /dev/urandom | base64",
    "seal_key_file": "/run/secrets/seal_key",
    "seal_public_keys": "the first key that `wif audit seals public-key --hex` prints",
    "actors": "regional-admin,national-admin",
    "actor": "regional-admin",
    "contact": "Cellule nationale, 01 00 00 00 00",
    "role": "route,deliver",
    "flower_hosts": "flower.wif.example",
    "smtp_clear_hosts": "relay.wif.example",
    "database_role": "wif",
    "tps_procedures": "13760,14131",
    "outbox_dir": "var/outbox",
    "heartbeat_file": "var/heartbeat",
    "heartbeat_url": "https://watch.example/wif",
    "audit_previous_keys": "the keys used before, separated by commas",
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
    role: str = "all"
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
    database_role: str | None = Field(default=None, pattern="^[a-z_][a-z0-9_]{0,62}$")
    broker_url: Annotated[SecretStr, _with_scheme("redis", "rediss", "redis+socket")] | None = None
    flower_hosts: str = ""

    smtp_url: Annotated[SecretStr, _with_scheme("smtp", "smtps", "smtp+starttls")] | None = None
    mail_from: str = "Work In France <ne-pas-repondre@workinfrance.example>"
    smtp_clear_hosts: str = ""
    outbox_dir: Path | None = None
    ops_mailbox: str | None = None
    alarm_url: Annotated[SecretStr, _with_scheme("https", "http", "syslog")] | None = None
    heartbeat_file: Path | None = None
    heartbeat_url: HttpUrl | None = None

    web_address: ListeningAddress = "127.0.0.1:8080"
    web_private_address: ListeningAddress = "127.0.0.1:8081"
    hint_secret: Annotated[SecretStr, AfterValidator(_secret_path)] | None = None
    tps_webhook_secrets: Path | None = None

    actor: str | None = None
    actors: str = ""
    audit_key: SecretStr | None = None
    audit_previous_keys: SecretStr | None = None
    seal_key_file: Path | None = None
    seal_public_keys: str = ""

    poll_interval: PositiveInt = 60
    scan_interval: PositiveInt = 900
    sweep_interval: PositiveInt = 60
    alarm_unread_after: PositiveInt = 1_800
    alarm_unsent_after: PositiveInt = 1_800
    alarm_poll_lag_after: PositiveInt = 900
    alarm_quarantined_after: PositiveInt = 21_600
    alarm_unrouted_after: PositiveInt = 86_400
    subject_prefix: str = Field(default="[WIF]", max_length=40)
    contact: str | None = Field(default=None, max_length=200)
    notify_decided: bool = False
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
    def _acts_in_a_known_role(self) -> Self:
        known = self.actors.replace(",", " ").split()
        if any(not re.fullmatch(r"[a-z][a-z0-9-]{1,31}", role) for role in known):
            raise ValueError(
                f"{PREFIX}ACTORS: is not a list of codes; for example: {EXAMPLES['actors']}"
            )
        if self.actor is not None and self.actor not in known:
            raise ValueError(
                f"{PREFIX}ACTOR: is none of {PREFIX}ACTORS; for example: {EXAMPLES['actor']}"
            )
        return self

    @model_validator(mode="after")
    def _ready_for_production(self) -> Self:
        if self.env is not Environment.PRODUCTION:
            return self
        placeholder = type(self).model_fields["mail_from"].default
        given = {
            name
            for name in set().union(*ROLES.values())
            if getattr(self, name) not in {None, "", placeholder}
        }
        needed = dict.fromkeys(name for role in self.roles for name in ROLES[role])
        if missing := [name for name in needed if name not in given]:
            names = ", ".join(f"{PREFIX}{name.upper()}" for name in missing)
            example = f"{PREFIX}{missing[0].upper()}={EXAMPLES[missing[0]]}"
            raise ValueError(f"{names}: needed when {PREFIX}ENV=production; for example: {example}")
        self._refuse_trials()
        return self

    def _refuse_trials(self) -> None:
        """Refuse what is only good for a trial.

        Raises:
            ValueError: a setting is.
        """
        production = f"when {PREFIX}ENV=production"
        if self.tps_url and urlsplit(self.tps_url).scheme != "https":
            raise ValueError(
                f"{PREFIX}TPS_URL: must be https {production}; for example: {EXAMPLES['tps_url']}"
            )
        if self.tps_token_in_query:
            raise ValueError(
                f"{PREFIX}TPS_TOKEN_IN_QUERY: puts the token into access logs, refused "
                f"{production}; for example: false"
            )
        smtp = urlsplit(self.smtp_url.get_secret_value() if self.smtp_url else "")
        near = {"localhost", "127.0.0.1", "::1", *self.smtp_clear_hosts.replace(",", " ").split()}
        if smtp.scheme == "smtp" and smtp.hostname not in near:
            raise ValueError(
                f"{PREFIX}SMTP_URL: sends mails in clear to another host, refused {production}; "
                f"use smtps:// or smtp+starttls://, or name the host in {PREFIX}SMTP_CLEAR_HOSTS; "
                f"for example: {EXAMPLES['smtp_url']}"
            )

    @field_validator("seal_public_keys")
    @classmethod
    def _are_keys(cls, value: str) -> str:
        for key in value.lower().replace(",", " ").split():
            if len(key) != KEY_DIGITS or set(key) - set(hexdigits.lower()):
                raise ValueError("is not a list of public keys of 64 hex digits each")
        return value

    @field_validator("role")
    @classmethod
    def _known_roles(cls, value: str) -> str:
        if not value.strip(", ") or set(value.replace(",", " ").split()) - ROLES.keys():
            raise ValueError(f"is a list of {', '.join(ROLES)}")
        return value

    @property
    def roles(self) -> tuple[str, ...]:
        """What this process does."""
        return tuple(self.role.replace(",", " ").split())

    @property
    def in_production(self) -> bool:
        """Whether placeholders and what is only good for a trial are refused."""
        return self.env is Environment.PRODUCTION

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the database, the SQLite file below `var_dir` when none is set.

        Raises:
            SettingsError: none is set, in production.
        """
        if self.database_url is None and self.in_production:
            raise SettingsError(
                f"{PREFIX}DATABASE_URL: needed here; for example: {EXAMPLES['database_url']}"
            )
        if self.database_url is None:
            return f"sqlite:///{(self.var_dir / 'wif.sqlite3').absolute()}"
        url = self.database_url.get_secret_value()
        return url.replace("postgresql://", "postgresql+psycopg://", 1)

    @property
    def public_address(self) -> Address:
        """Where pages and hints are served."""
        return Address.parse(self.web_address)

    @property
    def private_address(self) -> Address:
        """Where metrics and the ops page are served."""
        return Address.parse(self.web_private_address)

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
    def seal_pins(self) -> frozenset[str]:
        """Public keys (hex) that seals must lead back to, whatever files beside the key say."""
        return frozenset(self.seal_public_keys.lower().replace(",", " ").split())

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
        if self.in_production:
            raise SettingsError(f"{PREFIX}AUDIT_KEY: needed here; give {EXAMPLES['audit_key']}")
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
        return read_regular(Path(path), most=LARGEST_SECRET, whole=True).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{variable}: the file that it names cannot be read ({type(error).__name__}); "
            "give the path of a regular UTF-8 file of {LARGEST_SECRET} bytes at most"
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
    return f"{PREFIX}{name.upper()}: {text}; for example: {example_of(name)}"


def example_of(name: str) -> str:
    """A value that the setting `name` may have: one of the examples, else its default."""
    default = Settings.model_fields[name].default
    plain = default.value if isinstance(default, Enum) else default
    return EXAMPLES.get(name) or (str(plain).lower() if isinstance(plain, bool) else str(plain))


def unknown_settings() -> list[str]:
    """What is set under our prefix and read by nobody, each in one line with the likely name."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    known |= {f"{name}_FILE" for name in known} | {DOTENV}
    given = {*dotenv_values(os.environ.get(DOTENV, ".env")), *os.environ}
    wrong = sorted(name for name in given if name.upper().startswith(PREFIX) and name not in known)
    lines = []
    for name in wrong:
        near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.6)
        lines.append(f"{name}: no such setting" + (f"; did you mean {near[0]}?" if near else ""))
    return lines


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
