"""The rules that the repository ships, read once: that takes as long as a test of a use case."""

from functools import cache

from config.ruleset import read_directory
from config.settings import HERE
from service.publish_rules import publish as publish_document
from service.runtime import Runtime
from store import rulesets


@cache
def document() -> str:
    """The document of the shipped configuration."""
    return read_directory(HERE)


def publish(runtime: Runtime) -> None:
    """Put the shipped rules in force where none are."""
    with runtime.database.begin() as connection:
        if rulesets.active(connection) is None:
            publish_document(runtime, connection, document(), note="tests")
