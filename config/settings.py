"""Settings: environment variables (prefix `WIF_`), `.env`, and files for secrets (`…_FILE`).

A setting that is missing or wrong ends the program at start with its name, what is
wrong with it and an example; a secret's value never appears in that message.
"""

import base64
import secrets
from collections.abc import Mapping
from enum import Enum, StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    PositiveInt,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings.sources import PydanticBaseSettingsSource

from config import setting_sources
from config.files import read_regular, write_whole
from config.messages import tr
from config.setting_examples import example_of_own
from config.setting_refusals import (
    MINIMUM_KEY_BYTES,
    ROLES,
    decoded_key,
    refuse_missing,
    refuse_signatures_that_fail,
    refuse_trials,
)
from config.setting_sources import (
    DOTENV,
    LARGEST_SECRET,
    PREFIX,
    Dotenv,
    SecretFiles,
    SettingsError,
)
from config.setting_values import (
    PLACEHOLDER_SENDER,
    Address,
    BrokerUrl,
    DatabaseUrl,
    DossierUrl,
    ExistingFolder,
    Folder,
    Hosts,
    HttpUrl,
    ListeningAddress,
    Numbers,
    OneMailbox,
    PublicKeys,
    RoleCodes,
    SecretPath,
    Sender,
    said,
    with_scheme,
    words,
)
from routing.forms import TpsApi

__all__ = [
    "DOTENV",
    "PREFIX",
    "Address",
    "Environment",
    "Settings",
    "SettingsError",
    "example_of",
    "load",
    "read",
    "unknown_settings",
]

HERE = Path(__file__).resolve().parent
LARGEST_KEY = 4_096
"""Bytes of a file that holds a key."""


class Environment(StrEnum):
    """Where the service runs; production refuses what is only good for a trial."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """Every setting of the service, with its unit. Durations are in seconds."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        env_ignore_empty=True,
        validate_default=True,
    )

    env: Environment = Environment.DEVELOPMENT
    lang: Literal["fr", "en"] | None = None
    role: str = "all"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    var_dir: Folder = Path("var")
    config_dir: ExistingFolder = HERE

    tps_url: HttpUrl | None = None
    tps_token: SecretStr | None = None
    tps_api: TpsApi = TpsApi.V2
    tps_token_in_query: bool = False
    tps_write_back: bool = False
    tps_write_token: SecretStr | None = None
    tps_dossier_url: DossierUrl = "{tps_url}/procedures/{procedure}/dossiers/{number}"
    tps_connect_timeout: float = Field(default=5, gt=0, le=20)
    tps_read_timeout: float = Field(default=35, gt=0, le=60)
    tps_max_bytes: PositiveInt = 5_000_000
    tps_requests_per_minute: PositiveInt | None = None
    tps_page_size: int = Field(default=1000, ge=1, le=1000)
    tps_procedures: Numbers = ""

    database_url: DatabaseUrl | None = None
    database_role: str | None = Field(default=None, pattern="^[a-z_][a-z0-9_]{0,62}$")
    broker_url: BrokerUrl | None = None
    flower_hosts: Hosts = ""
    flower_url: HttpUrl | None = None
    ops_password: Annotated[SecretStr, Field(min_length=12)] | None = None
    ops_proxy_header: str | None = Field(default=None, pattern="^[A-Za-z][A-Za-z0-9-]{1,63}$")

    smtp_url: Annotated[SecretStr, with_scheme("smtp", "smtps", "smtp+starttls")] | None = None
    mail_from: Sender = PLACEHOLDER_SENDER
    smtp_clear_hosts: Hosts = ""
    smime_certificate: str | None = None
    smime_key: SecretStr | None = None
    outbox_dir: Folder | None = None
    webhook_secrets: Path | None = None
    webhook_allow: Hosts = ""
    sent_log: Path | None = None
    ops_mailbox: OneMailbox | None = None
    alarm_url: Annotated[SecretStr, with_scheme("https", "http", "syslog")] | None = None
    heartbeat_file: Path | None = None
    heartbeat_url: HttpUrl | None = None

    web_address: ListeningAddress = "127.0.0.1:8080"
    web_private_address: ListeningAddress = "127.0.0.1:8081"
    hint_secret: SecretPath | None = None
    tps_webhook_secrets: Path | None = None

    actor: str | None = None
    actors: RoleCodes = ""
    audit_key: SecretStr | None = None
    audit_previous_keys: SecretStr | None = None
    seal_key_file: Path | None = None
    seal_command: str | None = None
    tsa_url: HttpUrl | None = None
    tsa_certificates_file: Path | None = None
    seal_public_keys: PublicKeys = ""

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
    remind_after: PositiveInt | None = None
    escalate_after: PositiveInt | None = None
    escalate_to: str | None = None
    remind_at: Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = (
        "09:00"
    )
    secret_max_age_days: PositiveInt = 365
    monthly_reports: bool = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings, SecretFiles(settings_cls), Dotenv(settings_cls))

    @field_validator("role")
    @classmethod
    def _known_roles(cls, value: str) -> str:
        if not words(value) or set(words(value)) - ROLES.keys():
            raise ValueError(tr("is a list of {names}", names=", ".join(ROLES)))
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.actor is not None and self.actor not in words(self.actors):
            raise ValueError(
                tr(
                    "WIF_ACTOR: is none of WIF_ACTORS; for example: {example}",
                    example=example_of("actor"),
                )
            )
        if self.in_production:
            refuse_missing(self)
            refuse_trials(self)
        refuse_signatures_that_fail(self)
        return self

    def requests_per_minute(self, api: TpsApi) -> int:
        """Requests to TPS that are allowed in a minute by a version of its API."""
        return self.tps_requests_per_minute or api.requests_per_minute

    @property
    def roles(self) -> tuple[str, ...]:
        """What this process does."""
        return words(self.role)

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
                tr(
                    "WIF_DATABASE_URL: needed here; for example: {example}",
                    example=example_of("database_url"),
                )
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
    def webhook_allowed(self) -> frozenset[str]:
        """Hosts that a webhook may be posted to although they are private or without TLS."""
        return frozenset(word.casefold() for word in words(self.webhook_allow))

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
        return frozenset(words(self.seal_public_keys.lower()))

    @property
    def seal_journal(self) -> Path:
        """Where the seals are written a second time, outside the database."""
        return self.var_dir / "seals.jsonl"

    @property
    def only_procedures(self) -> frozenset[int]:
        """Procedures to poll when not all configured ones; empty for all."""
        return frozenset(map(int, words(self.tps_procedures)))

    def audit_keys(self) -> tuple[bytes, ...]:
        """The secret keys of the audit log: the current one, then those used before it.

        Outside production a key is made on first use and kept in `var_dir`.

        Raises:
            SettingsError: a key is not base64 or is too short.
        """
        current = self.audit_key.get_secret_value() if self.audit_key else self._own_audit_key()
        keys = [decoded_key("AUDIT_KEY", current)]
        keys += [decoded_key("AUDIT_PREVIOUS_KEYS", key) for key in words(self._previous_keys())]
        return tuple(keys)

    @property
    def own_audit_key(self) -> Path:
        """Where the audit key is kept that is made on first use, outside production."""
        return self.var_dir / "audit.key"

    @property
    def own_previous_audit_keys(self) -> Path:
        """Where the audit keys are kept that were used before it."""
        return self.var_dir / "audit.previous-keys"

    def _previous_keys(self) -> str:
        if self.audit_previous_keys is not None:
            return self.audit_previous_keys.get_secret_value()
        if self.audit_key is not None or not self.own_previous_audit_keys.exists():
            return ""
        return read_regular(self.own_previous_audit_keys, most=LARGEST_SECRET).decode()

    def _own_audit_key(self) -> str:
        if self.in_production:
            raise SettingsError(
                tr(
                    "WIF_AUDIT_KEY: needed here; for example: {example}",
                    example=example_of("audit_key"),
                )
            )
        path = self.own_audit_key
        try:
            if not path.exists():
                key = base64.b64encode(secrets.token_bytes(MINIMUM_KEY_BYTES))
                write_whole(path, key, replace=False)
            return read_regular(path, most=LARGEST_KEY).decode(errors="replace").strip()
        except OSError as error:
            raise SettingsError(
                tr(
                    "WIF_VAR_DIR: the audit key cannot be kept there ({name}); for example: "
                    "{example}",
                    name=type(error).__name__,
                    example=example_of("var_dir"),
                )
            ) from None


def _line(error: Mapping[str, Any]) -> str:
    name = ".".join(str(part) for part in error["loc"])
    text = said(error)
    if not name:
        return text
    return tr(
        "WIF_{setting}: {text}; for example: {example}",
        setting=name.upper(),
        text=text,
        example=example_of(name),
    )


def example_of(name: str) -> str:
    """A value that the setting `name` may have: one of the examples, else its default."""
    default = Settings.model_fields[name].default
    plain = default.value if isinstance(default, Enum) else default
    return example_of_own(name) or (str(plain).lower() if isinstance(plain, bool) else str(plain))


def unknown_settings() -> list[str]:
    """What is set under our prefix and read by nobody, each in one line with the likely name."""
    return setting_sources.unknown_settings(Settings.model_fields)


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
        return Settings(**overrides)
    except ValidationError as error:
        lines = [_line(dict(item)) for item in error.errors(include_input=False)]
        raise SettingsError("\n".join(lines)) from None
