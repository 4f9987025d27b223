"""Reassignment by hand: a dossier is pinned to a unit, whatever the rules say, until unpinned."""

from dataclasses import replace

from config.diagnostics import did_you_mean, hinted
from config.messages import tr
from routing.calendar import paris_day
from routing.outcome import decide_again
from routing.ruleset import RuleSet
from service.runtime import Runtime
from service.wake import wake_deliveries
from service.write_back import followed_procedures
from store import dossiers
from store.assign import Change
from store.assign import reassign as store_reassignments
from store.audit.log import AuditEntry, Step
from store.dossiers import DossierRecord
from store.states import DossierStatus


class ReassignmentRefused(Exception):
    """The dossier, the unit or the reason will not do; the text says which and what to do."""


def reassign(
    runtime: Runtime, procedure: int, number: int, *, unit: str, reason: str
) -> tuple[str, ...]:
    """Pin a dossier to `unit` and tell both offices; returns the units that have it.

    Args:
        runtime: of this process.
        procedure: id of the procedure.
        number: number of the dossier.
        unit: code of a unit of the rule set in force.
        reason: a code of the list of the rule set in force.

    Raises:
        ReassignmentRefused: unknown dossier or unit, or a reason that is not listed.
    """
    rules = runtime.rules()
    if unit not in rules.units:
        said = tr("{unit}: no unit of the rule set in force has this code", unit=unit)
        hint = did_you_mean(unit, list(rules.units))
        raise ReassignmentRefused(hinted(said, hint))
    if reason not in rules.reasons:
        raise ReassignmentRefused(
            tr(
                "the reason must be one of {names}: free text could hold personal data; "
                "`reasons` in routing.yaml can list others",
                names=", ".join(rules.reasons),
            )
        )
    entry = AuditEntry(
        step=Step.PINNED,
        procedure=procedure,
        number=number,
        unit=unit,
        reason=reason,
        actor=runtime.actor,
    )
    return _change(runtime, rules, procedure, number, pin=(unit, reason), entry=entry)


def unpin(runtime: Runtime, procedure: int, number: int) -> tuple[str, ...]:
    """Give a dossier back to the rules and tell both offices if it moves.

    Raises:
        ReassignmentRefused: the dossier is unknown or was never read.
    """
    entry = AuditEntry(step=Step.UNPINNED, procedure=procedure, number=number, actor=runtime.actor)
    return _change(runtime, runtime.rules(), procedure, number, pin=(None, None), entry=entry)


def unread(key: str, dossier: DossierRecord | None) -> str:
    """Why nothing can be decided of a dossier that is not known or was never read.

    Args:
        key: PROCEDURE/NUMBER.
    """
    if dossier is None:
        return tr("{dossier}: no such dossier; see `wif dossiers list`", dossier=key)
    if dossier.status == DossierStatus.QUARANTINED:
        return tr(
            "{dossier}: quarantined, so it could not be read ({reason}); see `wif dossiers show "
            "{dossier}`",
            dossier=key,
            reason=dossier.reason,
        )
    return tr("{dossier}: not read yet", dossier=key)


def _change(
    runtime: Runtime,
    rules: RuleSet,
    procedure: int,
    number: int,
    *,
    pin: tuple[str | None, str | None],
    entry: AuditEntry,
) -> tuple[str, ...]:
    now = runtime.clock()
    with runtime.database.begin() as connection:
        dossier = dossiers.get(connection, procedure, number, lock=True)
        if dossier is None or dossier.facts is None:
            raise ReassignmentRefused(unread(f"{procedure}/{number}", dossier))
        dossiers.pin(connection, procedure, number, unit=pin[0], reason=pin[1], now=now)
        pinned = replace(dossier, pinned_unit=pin[0], pinned_reason=pin[1])
        decided = decide_again(rules, pinned, dossier.facts, on=paris_day(now))
        changes, followed = [Change(pinned, decided)], followed_procedures(runtime.settings, rules)
        (assigned,) = store_reassignments(connection, rules, changes, now, followed=followed)
        runtime.audit.append(connection, now, [entry, *assigned.entries])
    wake_deliveries(runtime.waker, rules)
    return assigned.assignment.units
