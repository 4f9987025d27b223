"""Sealing: the audit lines that are final go under signed seals, and these into a second place."""

from config.settings import SettingsError
from store.seal_file import extend_seals
from store.seal_keys import SigningKey, load_or_create_signing_key, load_signing_key
from store.seals import SealReport, seal_pending
from tasks.runtime import Runtime


def seal(runtime: Runtime) -> SealReport:
    """Seal what is pending and write the new seals to the journal as well.

    Raises:
        SettingsError: production was given no key.
        SealKeyError: the key cannot be used.
        SealFileError: the journal cannot be written, or contradicts the database.
    """
    key = signing_key(runtime)
    report = seal_pending(runtime.database, key, now=runtime.clock())
    extend_seals(runtime.database, runtime.settings.seal_journal)
    return report


def signing_key(runtime: Runtime) -> SigningKey:
    """The key that signs; made on first use where settings allow it.

    Raises:
        SettingsError: production was given no key.
        SealKeyError: the key cannot be used.
    """
    settings = runtime.settings
    if settings.seal_key is None:
        raise SettingsError(
            "WIF_SEAL_KEY_FILE: needed when WIF_ENV=production; "
            "make one with: wif audit seals new-key /run/secrets/seal.key"
        )
    if settings.seal_key_file is not None:
        return load_signing_key(settings.seal_key)
    return load_or_create_signing_key(settings.seal_key)
