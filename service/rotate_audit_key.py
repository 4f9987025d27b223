"""Rotating the audit key: a new one takes over, the old one is kept to find older lines."""

import base64
import secrets
from pathlib import Path

from config.files import read_regular, write_whole
from config.messages import tr
from config.secret_files import secret_files
from config.setting_sources import LARGEST_SECRET, SettingsError
from config.settings import Settings
from store.audit.log import AuditKey

KEY_BYTES = 32


def rotate_audit_key(settings: Settings) -> str:
    """Put a new key in the place of the current one; gives its id.

    The old key is on the disk among the previous ones before the new one takes over, so that no
    line is ever without its key. Workers take both on at their next task.

    Raises:
        SettingsError: the keys are not in files of which this process knows the paths.
        OSError: a file cannot be written.
    """
    current, previous = _files(settings)
    keys = [base64.b64encode(key).decode() for key in settings.audit_keys()]
    made = secrets.token_bytes(KEY_BYTES)
    write_whole(previous, "\n".join(keys).encode() + b"\n", sync=True)
    write_whole(current, base64.b64encode(made) + b"\n", sync=True)
    return AuditKey(made).id


def _files(settings: Settings) -> tuple[Path, Path]:
    files = secret_files()
    if settings.audit_key is None and not settings.in_production:
        return settings.own_audit_key, settings.own_previous_audit_keys
    missing = [name for name in ("audit_key", "audit_previous_keys") if name not in files]
    if missing:
        raise SettingsError(
            tr(
                "WIF_{setting}_FILE: is not set, and a key can be rotated in files only; for "
                "example: WIF_{setting}_FILE=/run/secrets/{missing}",
                setting=missing[0].upper(),
                missing=missing[0],
            )
        )
    # Read before anything is written: a file that cannot be used stops here.
    for path in (files["audit_key"], files["audit_previous_keys"]):
        read_regular(path, most=LARGEST_SECRET)
    return files["audit_key"], files["audit_previous_keys"]
