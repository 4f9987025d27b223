"""Publishing rules: the configuration folder becomes the rule set in force for all workers."""

from sqlalchemy import Connection

from config.document import compile_document, document_hash
from config.ruleset import read_directory
from config.settings import Settings
from routing.ruleset import RuleSet
from service.runtime import Runtime
from store import rulesets, schema
from store.audit.log import AuditEntry, Step


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
    runtime: Runtime,
    connection: Connection,
    document: str,
    *,
    action: str = "publish",
    note: str = "",
) -> str:
    """Put a checked document in force from the commit of `connection` on; returns its hash."""
    now = runtime.clock()
    digest = document_hash(document)
    rulesets.store_document(connection, digest=digest, document=document, at=now)
    rulesets.activate(
        connection,
        digest=digest,
        at=now,
        action=action,
        note=note,
        actor=runtime.actor,
        environment=runtime.settings.env.value,
    )
    entry = AuditEntry(step=Step.RULES_PUBLISHED, event=action, ruleset=digest, actor=runtime.actor)
    runtime.audit.append(connection, now, [entry])
    return digest


def publish_first(runtime: Runtime) -> str:
    """Publish the configuration unless another process did; returns the hash in force.

    Raises:
        ConfigurationError: the configuration is wrong.
    """
    document = configured_document(runtime.settings)
    with runtime.database.begin() as connection:
        if (active := rulesets.active(connection)) is not None:
            return active
        return publish(runtime, connection, document, note="first start")


def prepare(runtime: Runtime) -> None:
    """Bring the database to the newest schema, and publish rules where none ever were."""
    schema.upgrade(runtime.database)
    runtime.rules()
