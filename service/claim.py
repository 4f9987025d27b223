"""Claiming due dossiers: a lease keeps them from other workers until they are settled."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from routing.forms import Form
from routing.quarantine import LOSSES_BEFORE_ALONE
from routing.ruleset import RuleSet
from service.connections import Connections
from service.guards.limits import LEASE
from service.sent_before_restore import recognise
from store import dossier_claims, procedures
from store.dossiers import DossierRecord
from store.leases import Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Dossiers of one procedure that this worker has.

    Attributes:
        rules: the rule set in force, by which they are decided.
        form: of their procedure.
        lease: of the claim.
        dossiers: as they are stored.
        purged_before: latest deposit of a purged dossier of the procedure, None without any.
        cursor: the stored one of the procedure, None before its first page.
    """

    rules: RuleSet
    form: Form
    lease: Lease
    dossiers: tuple[DossierRecord, ...]
    purged_before: datetime | None
    cursor: str | None

    @property
    def procedure(self) -> int:
        """Id of their procedure."""
        return self.form.procedure

    @property
    def numbers(self) -> tuple[int, ...]:
        """Their numbers."""
        return tuple(dossier.number for dossier in self.dossiers)


def claim_due(runtime: Connections, rules: RuleSet, form: Form, *, limit: int) -> Claim:
    """Claim up to `limit` due dossiers of a procedure; none may be due."""
    now = runtime.clock()
    lease = Lease(now, LEASE)
    with runtime.database.begin() as connection:
        taken = dossier_claims.claim(connection, form.procedure, limit=limit, lease=lease, now=now)
        return _claim(connection, rules, form, lease, recognise(runtime, connection, taken))


def claim_listed(
    runtime: Connections,
    connection: Connection,
    rules: RuleSet,
    form: Form,
    numbers: Collection[int],
) -> Claim:
    """Claim those of `numbers` that are due, in the transaction that stores their page."""
    now = runtime.clock()
    lease = Lease(now, LEASE)
    taken = dossier_claims.claim_listed(connection, form.procedure, numbers, lease=lease, now=now)
    return _claim(connection, rules, form, lease, recognise(runtime, connection, taken))


def isolate(runtime: Connections, claim: Claim) -> Claim:
    """The claim, reduced to its first dossier that workers were lost with, if it has one.

    The others are given back: what ends its worker must not take them along.
    """
    poison = next((d for d in claim.dossiers if d.worker_losses >= LOSSES_BEFORE_ALONE), None)
    if poison is None or len(claim.dossiers) == 1:
        return claim
    others = replace(claim, dossiers=tuple(d for d in claim.dossiers if d is not poison))
    give_back(runtime, others)
    runtime.waker.route(claim.procedure)
    return replace(claim, dossiers=(poison,))


def give_back(runtime: Connections, claim: Claim) -> None:
    """End a claim without settling it: its dossiers are due at once."""
    now = runtime.clock()
    with runtime.database.begin() as connection:
        dossier_claims.give_back(
            connection, claim.procedure, claim.numbers, claim.lease, due_at=now
        )


def _claim(
    connection: Connection,
    rules: RuleSet,
    form: Form,
    lease: Lease,
    taken: Sequence[DossierRecord],
) -> Claim:
    return Claim(
        rules=rules,
        form=form,
        lease=lease,
        dossiers=tuple(taken),
        purged_before=procedures.purged_before(connection, form.procedure) if taken else None,
        cursor=procedures.cursor(connection, form.procedure) if taken else None,
    )
