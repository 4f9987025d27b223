"""Settings: environment variables (prefix `WIF_`), `.env`, and files for secrets (`…_FILE`).

A setting that is missing or wrong ends the program at start with its name, what is
wrong with it and an example; a secret's value never appears in that message.
"""

import base64
import secrets
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from pydantic import (
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings.sources import PydanticBaseSettingsSource

from config import setting_sources
from config.files import read_regular, write_whole
from config.messages import joined, tr
from config.setting_examples import example_of_own
from config.setting_fields import HERE, Environment, SettingFields
from config.setting_refusals import (
    MINIMUM_KEY_BYTES,
    ROLES,
    decoded_key,
    needed_in_production,
    refuse_early_escalation,
    refuse_escalation_alone,
    refuse_missing,
    refuse_signatures_that_fail,
    refuse_trials,
    refuse_unknown_actor,
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
    Address,
    said,
    words,
)
from routing.forms import TpsApi

__all__ = [
    "DOTENV",
    "HERE",
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

LARGEST_KEY = 4_096
"""Bytes of a file that holds a key."""


class Settings(SettingFields):
    """The settings of a process: read, refused where they do not fit, and what follows of them."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        env_ignore_empty=True,
        validate_default=True,
    )

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
        refuse_unknown_actor(self)
        if self.in_production:
            refuse_missing(self)
            refuse_trials(self)
        refuse_escalation_alone(self)
        refuse_early_escalation(self)
        refuse_signatures_that_fail(self)
        return self

    def requests_per_minute(self, api: TpsApi) -> int:
        """Requests to TPS that are allowed in a minute by a version of its API."""
        return self.tps_requests_per_minute or api.requests_per_minute

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the database, the SQLite file below `var_dir` when none is set.

        Raises:
            SettingsError: none is set, in production.
        """
        if self.database_url is None and self.in_production:
            raise SettingsError(needed_in_production("database_url"))
        if self.database_url is None:
            return f"sqlite:///{(self.var_dir / 'wif.sqlite3').absolute()}"
        url = self.database_url.get_secret_value()
        return url.replace("postgresql://", "postgresql+psycopg://", 1)

    def require_broker(self) -> str | None:
        """The URL of the broker, for a process that works with others; None: any that is near.

        `wif run-once` and commands need none.

        Raises:
            SettingsError: none is set, in production.
        """
        if self.broker_url is not None:
            return self.broker_url.get_secret_value()
        if self.in_production:
            raise SettingsError(needed_in_production("broker_url"))
        return None

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
        before = (decoded_key("AUDIT_PREVIOUS_KEYS", key) for key in words(self._previous_keys()))
        return decoded_key("AUDIT_KEY", current), *before

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
            raise SettingsError(needed_in_production("audit_key"))
        return _kept_key(self.own_audit_key)


def _kept_key(path: Path) -> str:
    """The audit key of a file, made on first use.

    Raises:
        SettingsError: it cannot be kept there.
    """
    try:
        if not path.exists():
            key = base64.b64encode(secrets.token_bytes(MINIMUM_KEY_BYTES))
            write_whole(path, key, replace=False)
        return read_regular(path, most=LARGEST_KEY).decode(errors="replace").strip()
    except OSError as error:
        raise SettingsError(
            tr(
                "WIF_VAR_DIR: the audit key cannot be kept there ({name}); for example: {example}",
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
        raise SettingsError(joined(lines)) from None
