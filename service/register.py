"""Which procedures are polled, and their rows in the database."""

from collections.abc import Collection

from config.messages import tr
from config.settings import Settings, SettingsError
from routing.ruleset import RuleSet
from service.runtime import Runtime
from store import procedures


def polled_procedures(runtime: Runtime) -> tuple[int, ...]:
    """The procedures of the rule set in force that the settings do not leave out.

    Raises:
        SettingsError: the settings name a procedure that is not configured.
    """
    return polled_by(runtime.rules(), runtime.settings)


def polled_by(rules: RuleSet, settings: Settings) -> tuple[int, ...]:
    """The procedures of `rules` that the settings do not leave out; errors as above."""
    return _polled(rules.forms, settings.only_procedures)


def register_procedures(runtime: Runtime) -> tuple[int, ...]:
    """Give every polled procedure its row, due at once; returns the polled ones.

    Raises:
        SettingsError: the settings name a procedure that is not configured.
    """
    numbers = polled_procedures(runtime)
    with runtime.database.begin() as connection:
        procedures.register(connection, numbers, runtime.clock())
    return numbers


def _polled(configured: Collection[int], only: Collection[int]) -> tuple[int, ...]:
    if unknown := sorted(set(only) - set(configured)):
        raise SettingsError(
            tr(
                "WIF_TPS_PROCEDURES: {unknown} is not among the configured procedures; see "
                "config/procedures.yaml",
                unknown=unknown[0],
            )
        )
    return tuple(number for number in configured if not only or number in only)
