"""What production refuses: what is missing, and what is only good for a trial."""

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import urlsplit

from config import smime
from config.foreign_messages import translated
from config.messages import tr
from config.setting_examples import example_of_own
from config.setting_fields import SettingFields
from config.setting_sources import PREFIX, SettingsError
from config.setting_values import (
    PLACEHOLDER_SENDER,
    words,
)

MINIMUM_KEY_BYTES = 32

_TPS = ("tps_url", "tps_token")
_RECORD = ("database_url", "audit_key")
_STATE = (*_RECORD, "broker_url")
_MAIL = ("smtp_url", "mail_from")
ROLES: Mapping[str, tuple[str, ...]] = {
    # The broker is asked for by what uses it: one process that does all needs none.
    "all": (*_TPS, *_RECORD, *_MAIL, "seal_key_file"),
    "poll": (*_TPS, *_STATE),
    "route": (*_TPS, *_STATE),
    "deliver": ("tps_url", *_STATE, *_MAIL),
    "webhooks": ("tps_url", *_STATE, "webhook_secrets"),
    "upkeep": (*_STATE, *_MAIL, "seal_key_file"),
    "beat": ("broker_url",),
    "flower": ("broker_url",),
    "migrate": ("database_url",),
    "web": ("database_url", "broker_url"),
}
"""What a process needs in production, by what it does: it is given no other secret."""


def refuse_missing(settings: SettingFields) -> None:
    """Refuse to start in production without what the process needs.

    Raises:
        ValueError: something is missing.
    """
    given = {
        name
        for name in set().union(*ROLES.values())
        if getattr(settings, name) not in {None, "", PLACEHOLDER_SENDER}
    }
    needed = dict.fromkeys(name for role in settings.roles for name in ROLES[role])
    if missing := [name for name in needed if name not in given]:
        raise ValueError(needed_in_production(*missing))


def needed_in_production(*missing: str) -> str:
    """What is said of settings that are missing in production, by their names without prefix."""
    return tr(
        "{names}: needed when WIF_ENV=production; for example: {example}",
        names=", ".join(f"{PREFIX}{name.upper()}" for name in missing),
        example=f"{PREFIX}{missing[0].upper()}={example_of_own(missing[0])}",
    )


def refuse_trials(settings: SettingFields) -> None:
    """Refuse in production what is only good for a trial.

    Raises:
        ValueError: a setting is.
    """
    production = tr("when WIF_ENV=production")
    if settings.tps_url and urlsplit(settings.tps_url).scheme != "https":
        raise ValueError(
            tr(
                "WIF_TPS_URL: must be https {production}; for example: {example}",
                production=production,
                example=example_of_own("tps_url"),
            )
        )
    if settings.tps_token_in_query:
        raise ValueError(
            tr(
                "WIF_TPS_TOKEN_IN_QUERY: puts the token into access logs, refused "
                "{production}; for example: false",
                production=production,
            )
        )
    smtp = urlsplit(settings.smtp_url.get_secret_value() if settings.smtp_url else "")
    near = {"localhost", "127.0.0.1", "::1", *words(settings.smtp_clear_hosts)}
    if smtp.scheme == "smtp" and smtp.hostname not in near:
        raise ValueError(
            tr(
                "WIF_SMTP_URL: sends mails in clear to another host, refused {production}; "
                "use smtps:// or smtp+starttls://, or name the host in WIF_SMTP_CLEAR_HOSTS; "
                "for example: {example}",
                production=production,
                example=example_of_own("smtp_url"),
            )
        )


def refuse_unknown_actor(settings: SettingFields) -> None:
    """Refuse a role that is not in the closed list of roles.

    Raises:
        ValueError: it is not.
    """
    if settings.actor is not None and settings.actor not in words(settings.actors):
        raise ValueError(
            tr(
                "WIF_ACTOR: is none of WIF_ACTORS; for example: {example}",
                example=example_of_own("actor"),
            )
        )


def refuse_escalation_alone(settings: SettingFields) -> None:
    """Refuse to escalate where nobody is reminded, and whom to escalate to without a when.

    Raises:
        ValueError: a setting would have no effect.
    """
    for name, needed in (("escalate_after", "remind_after"), ("escalate_to", "escalate_after")):
        if getattr(settings, name) is not None and getattr(settings, needed) is None:
            setting = f"{PREFIX}{needed.upper()}"
            raise ValueError(
                tr(
                    "WIF_{name}: has no effect without {setting}; for example: {example}",
                    name=name.upper(),
                    setting=setting,
                    example=f"{setting}={example_of_own(needed)}",
                )
            )


def refuse_early_escalation(settings: SettingFields) -> None:
    """Refuse to tell another unit of what waits before the unit itself is reminded.

    Raises:
        ValueError: it would be.
    """
    first, then = settings.remind_after, settings.escalate_after
    if first is not None and then is not None and then < first:
        raise ValueError(
            tr(
                "WIF_ESCALATE_AFTER: is {then}, less than WIF_REMIND_AFTER ({first}): the unit "
                "itself is reminded first; for example: {example}",
                then=then,
                first=first,
                example=first + 2,
            )
        )


def refuse_signatures_that_fail(settings: SettingFields) -> None:
    """Refuse a certificate and a key with which mails cannot be signed.

    Raises:
        ValueError: they cannot.
    """
    key = settings.smime_key.get_secret_value() if settings.smime_key else None
    try:
        smime.check_pair(
            settings.smime_certificate, key, settings.mail_from, production=settings.in_production
        )
    except smime.SmimeError as error:
        name = error.setting
        raise ValueError(
            tr(
                "WIF_{setting}: {text}; for example: {example}",
                setting=name.upper(),
                text=translated(str(error)),
                example=example_of_own(name),
            )
        ) from None


def decoded_key(name: str, key: str) -> bytes:
    """The bytes of a key of the audit log.

    Args:
        name: of the setting, without the prefix.
        key: base64.

    Raises:
        SettingsError: it is no base64, or too short.
    """
    try:
        decoded = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if len(decoded) < MINIMUM_KEY_BYTES:
        raise SettingsError(
            tr(
                "WIF_{name}: is not base64 of at least {least} bytes; for example: {example}",
                name=name,
                least=MINIMUM_KEY_BYTES,
                example=example_of_own("audit_key"),
            )
        )
    return decoded
