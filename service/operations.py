"""What those who run the service look at: everything that waits or went wrong, at one instant."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from routing.calendar import paris_day
from routing.ruleset import RuleSet
from routing.simulation import CaseMove, case_moves
from service.runtime import Runtime
from store import heartbeats, incidents, overview, procedures, rulesets, tallies, to_look_at
from store.heartbeats import Pulse
from store.incidents import StoredIncident
from store.models import Procedure
from store.overview import Waits
from store.rulesets import Activation
from store.tallies import Metric
from store.to_look_at import ToLookAt

FIRST = 20
"""Dossiers or deliveries of a kind that are named."""

RECENT = 10
"""Incidents that are over, and activations of rule sets, that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """The service at one instant.

    Attributes:
        at: the instant.
        pulses: parts of the service that were ever seen.
        lasting: incidents that are not over.
        over: the latest of those that are.
        waits: what waits, and since when.
        unrouted: dossiers with the fallback unit.
        aside: dossiers that cannot be read, or are held.
        dead: deliveries that were given up.
        procedures: the rows of the procedures in force.
        dossiers: by procedure, how many have which status.
        activations: of rule sets, the latest first.
        rules: the rule set in force, None before the first.
    """

    at: datetime
    pulses: Sequence[Pulse]
    lasting: Sequence[StoredIncident]
    over: Sequence[StoredIncident]
    waits: Waits
    unrouted: ToLookAt
    aside: ToLookAt
    dead: ToLookAt
    procedures: Sequence[Procedure]
    dossiers: Mapping[int, Mapping[str, int]]
    activations: Sequence[Activation]
    rules: RuleSet | None


def look(runtime: Runtime) -> Operations:
    """The service now.

    Raises:
        SQLAlchemyError: the database is away.
    """
    digest = runtime.rule_sets.active()
    rules = runtime.rule_sets.get(digest) if digest else None
    with runtime.database.read() as connection:
        return _look(runtime, connection, rules)


def _look(runtime: Runtime, connection: Connection, rules: RuleSet | None) -> Operations:
    configured = frozenset(rules.forms) if rules else frozenset[int]()
    polled = configured & (runtime.settings.only_procedures or configured)
    known = incidents.listing(connection, limit=RECENT * 10)
    return Operations(
        at=runtime.clock(),
        pulses=heartbeats.listing(connection),
        lasting=incidents.lasting(connection),
        over=[each for each in known if each.closed_at is not None][:RECENT],
        waits=overview.waits(connection, polled),
        unrouted=to_look_at.unrouted(connection, limit=FIRST),
        aside=to_look_at.aside(connection, limit=FIRST),
        dead=to_look_at.dead(connection, limit=FIRST),
        procedures=[row for row in procedures.listing(connection) if row.number in polled],
        dossiers=_by_procedure(connection),
        activations=rulesets.history(connection, limit=RECENT),
        rules=rules,
    )


def _by_procedure(connection: Connection) -> Mapping[int, Mapping[str, int]]:
    found: dict[int, Counter[str]] = {}
    for cell in tallies.read(connection):
        if cell.metric == Metric.DOSSIERS:
            found.setdefault(cell.procedure, Counter())[cell.outcome] += cell.amount
    return found


def last_moves(runtime: Runtime, activations: Sequence[Activation]) -> Sequence[CaseMove]:
    """What the last publication sent elsewhere, of all that could come from its day on.

    Args:
        runtime: of this process.
        activations: the latest first.
    """
    if not activations:
        return ()
    last = activations[0]
    before = next((each.hash for each in activations if each.hash != last.hash), None)
    if before is None:
        return ()
    rule_sets = runtime.rule_sets
    return case_moves(rule_sets.get(before), rule_sets.get(last.hash), paris_day(last.at))
