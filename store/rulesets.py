"""Published rule sets: stored under their content hash; the newest activation is in force."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from store.base import table_of
from store.models import RuleSetActivation, StoredRuleSet


@dataclass(frozen=True, slots=True)
class Activation:
    """A rule set was put in force: `action` is `publish`, `reload` or `rollback`."""

    hash: str
    at: datetime
    action: str
    note: str
    actor: str | None


def store_document(connection: Connection, *, digest: str, document: str, at: datetime) -> None:
    """Keep `document` under its hash; one that is there already is left as it is."""
    known = select(StoredRuleSet.hash).where(StoredRuleSet.hash == digest)
    if connection.execute(known).first() is None:
        row = {"hash": digest, "document": document, "stored_at": at}
        connection.execute(insert(StoredRuleSet).values(row))


def activate(
    connection: Connection,
    *,
    digest: str,
    at: datetime,
    action: str,
    note: str = "",
    actor: str | None = None,
    environment: str | None = None,
) -> None:
    """Put a stored rule set in force, for all workers from the commit on."""
    row = {"hash": digest, "at": at, "action": action, "note": note}
    row |= {"actor": actor, "environment": environment}
    connection.execute(insert(RuleSetActivation).values(row))


_ACTIVATIONS = table_of(RuleSetActivation).c
_ENVIRONMENT = select(_ACTIVATIONS.environment).order_by(_ACTIVATIONS.id.desc()).limit(1)
_ACTIVE = select(_ACTIVATIONS.hash).order_by(_ACTIVATIONS.id.desc()).limit(1)


def active(connection: Connection) -> str | None:
    """Hash of the rule set in force, None when none was ever published."""
    found: str | None = connection.execute(_ACTIVE).scalar()
    return found


def active_environment(connection: Connection) -> str | None:
    """Where the rule set in force was checked, None when nobody knows."""
    found: str | None = connection.execute(_ENVIRONMENT).scalar()
    return found


def document(connection: Connection, digest: str) -> str | None:
    """The document stored under `digest`, None when there is none."""
    stored = select(StoredRuleSet.document).where(StoredRuleSet.hash == digest)
    return connection.execute(stored).scalar()


def history(connection: Connection, *, limit: int = 100) -> Sequence[Activation]:
    """The newest activations, newest first."""
    columns = (
        RuleSetActivation.hash,
        RuleSetActivation.at,
        RuleSetActivation.action,
        RuleSetActivation.note,
        RuleSetActivation.actor,
    )
    newest = select(*columns).order_by(RuleSetActivation.id.desc()).limit(limit)
    return [Activation(*row) for row in connection.execute(newest)]
