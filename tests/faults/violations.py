"""What an invariant is about, and how it can be violated."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from routing.ruleset import RuleSet
from simulator import Truth
from store.audit.log import AuditLog, Step
from tests.faults.office_server import Told

PLACED = frozenset({Step.ROUTED, Step.UNROUTED})


class Kind(StrEnum):
    """What can be wrong."""

    MISSED = "missed"
    """TPS lists a dossier of which nothing is known."""
    UNSETTLED = "unsettled"
    """A dossier is neither routed nor set aside."""
    UNEXPLAINED = "unexplained"
    """A dossier, a delivery or a procedure was set aside without a reason."""
    OUTDATED = "outdated"
    """The facts that are stored are not those that TPS shows."""
    GONE_THOUGH_LISTED = "gone-though-listed"
    LISTED_NO_MORE = "listed-no-more"
    """A dossier that TPS deleted is not gone."""
    NOT_TOLD = "not-told"
    """No delivery tells a unit of a dossier that it has, or has no more."""
    UNFINISHED = "unfinished"
    """A delivery is neither sent, nor dead, nor withdrawn."""
    NEVER_DUE = "never-due"
    """Something waits without a due time, or for longer than anything may."""
    SENT_BY_NOBODY = "sent-by-nobody"
    """A delivery counts as sent and no mailbox has it."""
    UNASKED = "unasked"
    """A mailbox has a message that no delivery accounts for."""
    COPY = "copy"
    """A mailbox has a message twice and no accident accounts for it."""
    MISADDRESSED = "misaddressed"
    TWO_ROWS = "two-rows"
    """Two deliveries have one key."""
    LEASE = "lease"
    """A lease does not end, or outlived the work."""
    AUDIT_MISSING = "audit-missing"
    AUDIT_REPEATED = "audit-repeated"
    AUDIT_ORDER = "audit-order"
    AUDIT_CONTRADICTS = "audit-contradicts"


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong, and with what."""

    kind: Kind
    about: str


@dataclass(slots=True, kw_only=True)
class Evidence:
    """All that the invariants are about, as of one instant.

    Attributes:
        listed: what TPS lists.
        told: what the mailboxes got.
        accidents: for each message id, the copies for which an accident accounts: a process
            died, or a connection was cut, between the acceptance and our knowing of it.
        audit: finds the lines of a dossier.
        rules: the rule set in force.
        now: the present instant.
        steady: whether the clock never went back.
    """

    listed: Sequence[Truth]
    told: Sequence[Told]
    accidents: Counter[str]
    audit: AuditLog
    rules: RuleSet
    now: datetime
    steady: bool = True


@dataclass(slots=True)
class Rows:
    """The database, read in one transaction."""

    dossiers: dict[tuple[int, int], Any]
    deliveries: Sequence[Any]
    procedures: dict[int, Any]
    lines: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))


def name_of(procedure: int, number: int) -> str:
    return f"{procedure}/{number}"
