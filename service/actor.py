"""The actor of a command: a role named by the settings, else a keyed hash of the account."""

import hmac
import os
import pwd
from collections.abc import Sequence

from config.settings import Settings

SERVICE = "service"
"""Who acts where no person does: at the first start, and when edited rules are reloaded."""

_CONTEXT = b"wif-account/"
_DIGITS = 16


def actor_of(settings: Settings) -> str:
    """The code of the actor of this process, for history and audit.

    Raises:
        SettingsError: the audit key cannot be had.
    """
    return settings.actor or hashed(account(), settings.audit_keys()[0])


def account() -> str:
    """The name of the operating system's account, its number when it has none."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def hashed(name: str, key: bytes) -> str:
    """An account as it is recorded: `account-` and 16 hex digits of its HMAC-SHA256."""
    return f"account-{hmac.digest(key, _CONTEXT + name.encode(), 'sha256').hex()[:_DIGITS]}"


def accounts(keys: Sequence[bytes]) -> dict[str, str]:
    """The accounts of this machine by the codes that they have under each of `keys`."""
    names = {entry.pw_name for entry in pwd.getpwall()} | {account()}
    return {hashed(name, key): name for key in keys for name in names}
