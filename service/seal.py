"""Sealing: the audit lines that are final go under signed seals, and these into a second place."""

import shlex
from datetime import timedelta
from typing import TYPE_CHECKING

from config import logs
from config.messages import tr
from config.settings import Settings, SettingsError, example_of
from connectors.alarm.seal_head import compose_seal_head
from routing.failures import Failure
from service.connections import Connections
from service.mail import mail_sender
from store.audit import seal_heads
from store.audit.seal_command import load_command_signer
from store.audit.seal_file import extend_seals
from store.audit.seal_keys import (
    Signer,
    known_keys,
    load_or_create_signing_key,
    load_signing_key,
)
from store.audit.seals import SealReport, newest_seal, seal_pending
from store.audit.timestamps import (
    Timestamp,
    keep_timestamp,
    newest_timestamp,
    stamped_message,
)

if TYPE_CHECKING:
    from connectors.timestamp import Authority

TELL_EVERY = timedelta(days=1)
"""How often the newest seal is mailed outside: at most what is younger can be cut off unseen."""

STAMP_EVERY = timedelta(hours=1)
"""How often the timestamp authority is asked: what is younger than that can be rewritten unseen."""

log = logs.get_logger("service")


def seal(runtime: Connections) -> SealReport:
    """Seal what is pending and write the new seals to the journal as well.

    Raises:
        SettingsError: production was given no key.
        SealKeyError: the key cannot be used.
        SealFileError: the journal cannot be written, or contradicts the database.
    """
    key = signing_key(runtime)
    report = seal_pending(runtime.database, key, now=runtime.clock())
    extend_seals(runtime.database, runtime.settings.seal_journal)
    if runtime.settings.tsa_url:
        _stamp_head(runtime, runtime.settings.tsa_url)
    if runtime.settings.ops_mailbox:
        _tell_head(runtime, runtime.settings.ops_mailbox, key)
    return report


def _stamp_head(runtime: Connections, url: str) -> None:
    """Let the timestamp authority see the newest seal, once an hour while there are new ones.

    An authority that is away stops no sealing: the next timestamp covers what it missed.
    """
    from connectors.timestamp import TimestampError, fetch_timestamp  # noqa: PLC0415

    now = runtime.clock()
    with runtime.database.read() as connection:
        head, last = newest_seal(connection), newest_timestamp(connection)
    if head is None or (last and (last.number >= head.number or now - last.at < STAMP_EVERY)):
        return
    try:
        token = fetch_timestamp(url, stamped_message(head), timestamp_authority(runtime.settings))
    except TimestampError as error:
        log.warning("seal-not-timestamped", reason=str(error))
        return
    with runtime.database.begin() as connection:
        keep_timestamp(connection, Timestamp(head.number, now, token))


def timestamp_authority(settings: Settings) -> "Authority":
    """The authority whose certificates the settings name.

    Raises:
        SettingsError: they name none.
        TimestampError: the file cannot be used.
    """
    from connectors.timestamp import Authority  # noqa: PLC0415

    if settings.tsa_certificates_file is None:
        raise SettingsError(
            tr(
                "WIF_TSA_CERTIFICATES_FILE: needed with WIF_TSA_URL; for example: {example}",
                example=example_of("tsa_certificates_file"),
            )
        )
    return Authority.from_file(settings.tsa_certificates_file)


def _tell_head(runtime: Connections, mailbox: str, key: Signer) -> None:
    """Mail the newest seal to those who run the service, once a day while there are new ones."""
    now = runtime.clock()
    with runtime.database.read() as connection:
        head = newest_seal(connection)
        told = seal_heads.last_told(connection)
    if head is None or (told and (told.number >= head.number or now - told.at < TELL_EVERY)):
        return
    mail = compose_seal_head(
        head.number,
        head.hash,
        first_key=first_key(runtime.settings, key),
        sealed_at=head.sealed_at[:16],
        sender=runtime.settings.mail_from,
        recipient=mailbox,
        at=now,
    )
    try:
        with mail_sender(runtime.settings) as sender:
            sender.send(mail)
    except Failure as failure:
        log.warning("seal-not-told", cause=failure.cause.value, status=failure.status)
        return
    with runtime.database.begin() as connection:
        seal_heads.note_told(connection, head.number, now)


def first_key(settings: Settings, key: Signer) -> str:
    """The public key (hex) that all others lead back to."""
    known = known_keys(settings.seal_key) if settings.seal_key else ()
    return known[0].public if known else key.public


def signing_key(runtime: Connections) -> Signer:
    """The key that signs; made on first use where settings allow it.

    Raises:
        SettingsError: production was given no key.
        SealKeyError: the key cannot be used.
    """
    settings = runtime.settings
    if settings.seal_key is None:
        raise SettingsError(
            tr(
                "WIF_SEAL_KEY_FILE: needed when WIF_ENV=production; make one with: wif audit "
                "seals new-key /run/secrets/seal.key"
            )
        )
    if settings.seal_command is not None:
        return load_command_signer(shlex.split(settings.seal_command), settings.seal_key)
    if settings.seal_key_file is not None:
        return load_signing_key(settings.seal_key)
    known = settings.seal_key.exists()
    key = load_or_create_signing_key(settings.seal_key)
    if not known:
        # Above INFO, so that a command says it too: this public key is what is pinned elsewhere.
        log.warning("seal-key-made", seal_key=key.public)
    return key
