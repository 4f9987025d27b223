"""Re-routing: undecided dossiers are decided anew under the rule set in force, in batches."""

from dataclasses import dataclass

from routing.ruleset import RuleSet
from service.reassign import move
from service.route import decide_anew
from service.runtime import Runtime
from store import dossiers

BATCH = 100


@dataclass(slots=True)
class RerouteReport:
    """How many dossiers were looked at and how many changed their units."""

    examined: int = 0
    moved: int = 0


def reroute_open(runtime: Runtime) -> RerouteReport:
    """Decide every undecided dossier anew; both offices of a moved one are told, once.

    Pinned dossiers stay where they are. Interrupted, it can be run again: what was
    decided under the rule set in force is not looked at twice.
    """
    rules = runtime.rules()
    report = RerouteReport()
    after = (0, 0)
    while True:
        found = _batch(runtime, rules, after, report)
        if found is None:
            break
        after = found
    runtime.waker.deliver()
    return report


def _batch(
    runtime: Runtime, rules: RuleSet, after: tuple[int, int], report: RerouteReport
) -> tuple[int, int] | None:
    with runtime.database.begin() as connection:
        batch = dossiers.undecided(connection, ruleset=rules.hash, after=after, limit=BATCH)
        for dossier in batch:
            if dossier.facts is None:
                continue
            decision = decide_anew(rules, dossier, dossier.facts, runtime.clock())
            units = move(runtime, rules, connection, dossier, decision)
            report.examined += 1
            report.moved += set(units) != set(dossier.assignment.units)
    return (batch[-1].procedure, batch[-1].number) if batch else None
