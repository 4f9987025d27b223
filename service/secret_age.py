"""How old secrets are: what is not replaced for years is known to more and more people."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from config.secret_files import secret_files
from config.setting_sources import PREFIX
from config.settings import Settings


@dataclass(frozen=True, slots=True)
class SecretAge:
    """One secret in a file.

    Attributes:
        setting: its name, with `_FILE` where it is given so.
        written_at: when its file was written.
        days: since then.
    """

    setting: str
    written_at: datetime
    days: int


def secret_ages(settings: Settings, now: datetime) -> Iterator[SecretAge]:
    """The age of each secret that is in a file; of one given as a value none is known."""
    for name, path in sorted(_files(settings).items()):
        if path.is_file():
            written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            yield SecretAge(name, written_at, (now - written_at).days)


def _files(settings: Settings) -> dict[str, Path]:
    """The files that hold secrets, by the setting that names each."""
    found = {f"{PREFIX}{name}_FILE".upper(): path for name, path in secret_files().items()}
    if settings.seal_key:
        found[f"{PREFIX}SEAL_KEY_FILE"] = settings.seal_key
    if settings.audit_key is None and not settings.in_production:
        found[f"{PREFIX}AUDIT_KEY"] = settings.own_audit_key
    # The ones used before are old by nature, and a certificate says itself until when it is good.
    for name in ("AUDIT_PREVIOUS_KEYS", "SMIME_CERTIFICATE"):
        found.pop(f"{PREFIX}{name}_FILE", None)
    return found
