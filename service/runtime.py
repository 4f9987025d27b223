"""What most use cases work with: context, connections, and the rules in force."""

from functools import cached_property
from typing import TYPE_CHECKING

from config.messages import tr
from config.settings import SettingsError
from service.connections import Connections

if TYPE_CHECKING:
    from routing.ruleset import RuleSet
    from service.rule_sets import RuleSets

# The compiler of rules is imported where it is needed, as clients are in `service.connections`.


class Runtime(Connections):
    """Context and connections of a process, and the rules in force."""

    @cached_property
    def rule_sets(self) -> "RuleSets":
        """The rule sets that are stored."""
        from service.rule_sets import RuleSets  # noqa: PLC0415

        # The database may be opened anew, with a password that was replaced.
        return RuleSets(lambda: self.database)

    def rules(self, *, trial: bool = False) -> "RuleSet":
        """The rule set in force; the configured one is published where none ever was.

        Args:
            trial: take it in production, too, when it was published in development.

        Raises:
            ConfigurationError: nothing was ever published and the configuration is wrong.
            SettingsError: in production, it was published in development.
        """
        digest = self.rule_sets.active()
        if digest is None:
            from service.publish_rules import publish_first  # noqa: PLC0415

            return self.rule_sets.get(publish_first(self))
        checked = trial or not self.settings.in_production or self.rule_sets.is_compiled(digest)
        if not checked and self.rule_sets.is_for_trial():
            raise SettingsError(
                tr(
                    "WIF_ENV=production: the rules in force were published in development, "
                    "where placeholders pass; run `wif rules publish` with WIF_ENV=production"
                )
            )
        return self.rule_sets.get(digest)
