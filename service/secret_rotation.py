"""Taking on a secret whose file was replaced, without a restart."""

from collections.abc import Collection

from config import logs
from config.setting_sources import PREFIX
from config.settings import Settings, SettingsError, load, read

log = logs.get_logger("service")


def renewed(settings: Settings, names: Collection[str], files: Collection[str]) -> Settings:
    """The settings with all of `files` as their files say now, of which those of `names` changed.

    Where they cannot be read, or are wrong, all stays as it was: a secret that works is better than
    one that does not. What was wrong before is taken on with the next that changes: a key and its
    certificate are two files.
    """
    try:
        fresh = read()
    except SettingsError:
        for name in sorted(names):
            log.error("secret-not-renewed", setting=f"{PREFIX}{name.upper()}")  # noqa: TRY400 - its text is no code
        return settings
    for name in sorted(names):
        log.warning("secret-renewed", setting=f"{PREFIX}{name.upper()}")
    return settings.model_copy(update={name: getattr(fresh, name) for name in files})


def settings_now() -> Settings:
    """The settings as the files say at this moment; those of the start where they are wrong."""
    try:
        return read()
    except SettingsError:
        log.error("settings-not-read")  # noqa: TRY400
        return load()
