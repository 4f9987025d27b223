"""The rule sets that are stored, compiled once per process."""

from collections.abc import Callable

from config.document import compile_document
from config.settings import Environment
from routing.ruleset import RuleSet
from store import rulesets
from store.engine import Database


class RuleSets:
    """Stored rule sets by the hash of their document. Threads may share it.

    Args:
        database: gives the database of the process, which may be opened anew.
    """

    def __init__(self, database: Callable[[], Database]) -> None:
        self._database = database
        self._compiled: dict[str, RuleSet] = {}

    def active(self) -> str | None:
        """Hash of the rule set in force, None where none was ever published."""
        with self._database().autocommit_read() as connection:
            return rulesets.active(connection)

    def is_for_trial(self) -> bool:
        """Whether the rule set in force was published in development, where placeholders pass."""
        with self._database().autocommit_read() as connection:
            environment = rulesets.active_environment(connection)
        return environment == Environment.DEVELOPMENT.value

    def is_compiled(self, digest: str) -> bool:
        """Whether this process has used the rule set before."""
        return digest in self._compiled

    def get(self, digest: str) -> RuleSet:
        """The rule set of that hash.

        Raises:
            LookupError: it is not stored.
        """
        if digest not in self._compiled:
            with self._database().read() as connection:
                document = rulesets.document(connection, digest)
            if document is None:
                raise LookupError(f"rule set {digest} is not in the database")
            self._compiled[digest] = compile_document(document)
        return self._compiled[digest]
