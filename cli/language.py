"""The language of messages, prompts, tables and help: `WIF_LANG`, else that of the locale.

Codes, keys of JSON and columns of CSV are the same in every language.
"""

import gettext
import os
from collections.abc import Mapping
from pathlib import Path

from config.dotenv_file import SettingsError, dotenv
from config.messages import speak

DOMAIN = "wif"
LOCALE = Path(__file__).resolve().parent / "locale"
ENGLISH = "en"
LANGUAGES = (ENGLISH, "fr")
SETTING = "WIF_LANG"
LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")


def chosen(environment: Mapping[str, str]) -> str:
    """The language that is asked for: `WIF_LANG`, else the first locale that is set, else English.

    A `WIF_LANG` that is not known counts for nothing here; the settings refuse it later.
    """
    locale = next((environment[name] for name in LOCALE_VARIABLES if environment.get(name)), "")
    asked = environment.get(SETTING) or _from_dotenv() or ""
    return _known(asked) or _known(locale) or ENGLISH


def _known(asked: str) -> str | None:
    language = asked.partition("_")[0].partition(".")[0].lower()
    return language if language in LANGUAGES else None


def _from_dotenv() -> str | None:
    try:
        return dotenv().get(SETTING)
    except SettingsError:
        return None  # said when the settings are read


def use(language: str) -> None:
    """Let this process speak `language`, the parser of the command line included."""
    languages = [language]
    speak(gettext.translation(DOMAIN, LOCALE, languages, fallback=True))
    # The parser asks the standard library, which goes by this variable.
    os.environ["LANGUAGE"] = language
    gettext.bindtextdomain(DOMAIN, LOCALE)
    gettext.textdomain(DOMAIN)
