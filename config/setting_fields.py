"""The settings by name: the type of each, its bounds and its default."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, SecretStr, StringConstraints
from pydantic_settings import BaseSettings

from config.setting_values import (
    PLACEHOLDER_SENDER,
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
    with_scheme,
    words,
)
from routing.forms import TpsApi

HERE = Path(__file__).resolve().parent


class Environment(StrEnum):
    """Where the service runs; production refuses what is only good for a trial."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class SettingFields(BaseSettings):
    """Every setting, with its unit. Durations are in seconds."""

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

    @property
    def roles(self) -> tuple[str, ...]:
        """What this process does."""
        return words(self.role)

    @property
    def in_production(self) -> bool:
        """Whether placeholders and what is only good for a trial are refused."""
        return self.env is Environment.PRODUCTION
