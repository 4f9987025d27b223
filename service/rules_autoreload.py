"""Autoreload: with WIF_RULES_AUTORELOAD edits of the configuration folder are published.

A wrong edit is refused, audited and shown; the last good rule set stays in force.
"""

import hashlib
from enum import StrEnum
from pathlib import Path

from config.ruleset import ConfigurationError, document_hash
from service.connections import Connections
from service.publish_rules import configured_document, publish
from store import refusals, rulesets
from store.audit.log import AuditEntry, Step

FINGERPRINT_DIGITS = 32


class ReloadOutcome(StrEnum):
    """What a check of the configuration folder did."""

    OFF = "off"
    UNCHANGED = "unchanged"
    PUBLISHED = "published"
    REFUSED = "refused"


def autoreload(runtime: Connections) -> ReloadOutcome:
    """Publish the configuration folder if it differs from the rule set in force."""
    if not runtime.settings.rules_autoreload:
        return ReloadOutcome.OFF
    folder = runtime.settings.config_dir
    try:
        document = configured_document(runtime.settings)
    except ConfigurationError as error:
        return _refuse(runtime, fingerprint(folder), len(error.mistakes))
    return _publish(runtime, document)


def fingerprint(folder: Path) -> str:
    """A hash of the folder's files, right or wrong."""
    content = hashlib.sha256()
    for path in sorted(folder.glob("*.yaml")):
        content.update(path.name.encode() + b"\0" + path.read_bytes())
    return content.hexdigest()[:FINGERPRINT_DIGITS]


def _publish(runtime: Connections, document: str) -> ReloadOutcome:
    now = runtime.clock()
    digest = document_hash(document)
    with runtime.database.begin() as connection:
        refusals.accept(connection, now)
        if rulesets.active(connection) == digest:
            return ReloadOutcome.UNCHANGED
        publish(runtime, connection, document, action="reload", note="files-changed")
    return ReloadOutcome.PUBLISHED


def _refuse(runtime: Connections, mark: str, mistakes: int) -> ReloadOutcome:
    now = runtime.clock()
    with runtime.database.begin() as connection:
        if not refusals.refuse(connection, mark, mistakes=mistakes, at=now):
            return ReloadOutcome.UNCHANGED
        entry = AuditEntry(step=Step.RULES_REFUSED, event="reload")
        runtime.audit.append(connection, now, [entry])
    return ReloadOutcome.REFUSED
