"""Re-routing: open dossiers are decided anew under the rule set in force, in batches."""

from dataclasses import dataclass

from routing.calendar import paris_day
from routing.outcome import decide_again
from routing.ruleset import RuleSet
from service.report import Totals
from service.runtime import Runtime
from service.wake import wake_deliveries
from service.write_back import followed_procedures
from store import dossiers
from store.assign import Change, reassign

BATCH = 100


@dataclass(frozen=True, slots=True)
class RerouteReport(Totals):
    """How many dossiers were decided anew and how many changed their units."""

    examined: int = 0
    moved: int = 0


@dataclass(frozen=True, slots=True)
class _Rerouted:
    """One batch, and the procedure and number of its last dossier, None when there was none."""

    report: RerouteReport
    last: tuple[int, int] | None


def reroute_open(runtime: Runtime) -> RerouteReport:
    """Decide every open dossier anew; both offices of a moved one are told, once.

    Pinned dossiers stay where they are. Interrupted, it can be run again: what was
    decided under the rule set in force is not decided twice.
    """
    rules = runtime.rules()
    report = RerouteReport()
    after: tuple[int, int] | None = (0, 0)
    while after is not None:
        batch = _batch(runtime, rules, after)
        report, after = report + batch.report, batch.last
    wake_deliveries(runtime.waker, rules)
    return report


def _batch(runtime: Runtime, rules: RuleSet, after: tuple[int, int]) -> _Rerouted:
    now = runtime.clock()
    today, followed = paris_day(now), followed_procedures(runtime.settings, rules)
    with runtime.database.begin() as connection:
        batch = dossiers.open_under_other_rules(
            connection, ruleset=rules.hash, after=after, limit=BATCH
        )
        changes = [
            Change(dossier, decide_again(rules, dossier, dossier.facts, on=today))
            for dossier in batch
            if dossier.facts is not None
        ]
        assigned = reassign(connection, rules, changes, now, followed=followed)
        runtime.audit.append(connection, now, [e for each in assigned for e in each.entries])
    moved = sum(
        set(each.assignment.units) != set(change.dossier.assignment.units)
        for change, each in zip(changes, assigned, strict=True)
    )
    return _Rerouted(RerouteReport(len(changes), moved), batch[-1].key if batch else None)
