"""Publishing rules: the configuration folder becomes the rule set in force for all workers."""

from sqlalchemy import Connection

from config.document import compile_document, document_hash
from config.messages import mark
from config.ruleset import read_directory
from config.settings import Settings
from routing.ruleset import RuleSet
from service.actor import SERVICE
from service.connections import Connections
from store import rulesets
from store.audit.log import AuditEntry, Step

NOTES = {
    "first-start": mark("the first start"),
    "files-changed": mark("the files changed"),
    "office-opened": mark("an office opens, or takes part now"),
    "office-closed": mark("an office closes, or another one follows it"),
    "mailbox-changed": mark("a mailbox or a contact changed"),
    "competence-changed": mark("another office is competent"),
    "form-changed": mark("a form came, went or changed"),
    "law-changed": mark("the law or an instruction changed"),
    "workload": mark("the work is spread anew"),
    "correction": mark("a mistake is corrected"),
    "trial": mark("a trial"),
    "undone": mark("the change before is undone"),
}
"""Why rules were put in force: a closed list, because free text could hold personal data."""


def configured_document(settings: Settings) -> str:
    """The document of the configuration folder, published or not.

    Raises:
        ConfigurationError: the configuration is wrong.
    """
    return read_directory(settings.config_dir, production=settings.in_production)


def configured_rules(settings: Settings) -> RuleSet:
    """The rule set of the configuration folder, published or not.

    Raises:
        ConfigurationError: the configuration is wrong.
    """
    return compile_document(configured_document(settings))


def publish(
    connections: Connections,
    connection: Connection,
    document: str,
    *,
    action: str = "publish",
    note: str = "",
) -> str:
    """Put a checked document in force from the commit of `connection` on; returns its hash.

    Args:
        note: why, a code of `NOTES` or of the reasons that the document lists.
    """
    now, actor = connections.clock(), connections.actor or SERVICE
    digest = document_hash(document)
    rulesets.store_document(connection, digest=digest, document=document, at=now)
    rulesets.activate(
        connection,
        digest=digest,
        at=now,
        action=action,
        note=note,
        actor=actor,
        environment=connections.settings.env.value,
    )
    entry = AuditEntry(
        step=Step.RULES_PUBLISHED, event=action, ruleset=digest, reason=note or None, actor=actor
    )
    connections.audit.append(connection, now, [entry])
    return digest


def publish_first(connections: Connections) -> str:
    """Publish the configuration unless another process did; returns the hash in force.

    Raises:
        ConfigurationError: the configuration is wrong.
    """
    document = configured_document(connections.settings)
    with connections.database.begin() as connection:
        if (active := rulesets.active(connection)) is not None:
            return active
        return publish(connections, connection, document, note="first-start")
