"""What metrics show: one look at the database and at what workers share, without a scan."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from connectors.channels import CHANNELS
from routing.ruleset import RuleSet
from routing.territory import departments
from service.guards.breakers import TPS, BreakerState, Kind, Target, address, procedure, way
from service.runtime import Runtime
from store import heartbeats, hints, incidents, overview, procedures, rulesets, tallies
from store.audit.seal_age import SealAge, seal_age
from store.heartbeats import Pulse
from store.hints import HeardSource
from store.models import Procedure
from store.overview import Waits
from store.rulesets import Activation
from store.tallies import Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The service at one instant.

    Attributes:
        at: the instant.
        rules: the rule set in force; None before the first.
        activation: when it was put in force.
        cells: of the tallies.
        procedures: the rows of the procedures in force.
        waits: what waits, and since when.
        incidents: how many last, by kind.
        seals: how far sealing has come.
        pulses: parts of the service that were ever seen.
        sources: webhooks that were ever heard.
        breakers: how many are not closed, by kind; None without a broker to share them.
        limit_used: the share of the TPS limit that is used up; None without a broker.
    """

    at: datetime
    rules: RuleSet | None
    activation: Activation | None
    cells: Sequence[Cell]
    procedures: Sequence[Procedure]
    waits: Waits
    incidents: Mapping[str, int]
    seals: SealAge
    pulses: Sequence[Pulse]
    sources: Sequence[HeardSource]
    breakers: Mapping[Kind, int] | None
    limit_used: float | None

    @property
    def departments(self) -> frozenset[str]:
        """The codes of the territory."""
        return frozenset(departments())


def take(runtime: Runtime) -> Snapshot:
    """The service now.

    Raises:
        SQLAlchemyError: the database is away.
    """
    with runtime.database.read() as connection:
        activation = next(iter(rulesets.history(connection, limit=1)), None)
    rules = runtime.rule_sets.get(activation.hash) if activation else None
    with runtime.database.read() as connection:
        return _look(runtime, connection, rules, activation)


def _look(
    runtime: Runtime, connection: Connection, rules: RuleSet | None, activation: Activation | None
) -> Snapshot:
    polled = _polled(runtime, rules)
    return Snapshot(
        at=runtime.clock(),
        rules=rules,
        activation=activation,
        cells=tallies.read(connection),
        procedures=[row for row in procedures.listing(connection) if row.number in polled],
        waits=overview.waits(connection, polled),
        incidents=Counter(each.kind.value for each in incidents.lasting(connection)),
        seals=seal_age(connection),
        pulses=heartbeats.listing(connection),
        sources=hints.sources(connection),
        breakers=_breakers(runtime, rules),
        limit_used=runtime.throttle.used(),
    )


def _polled(runtime: Runtime, rules: RuleSet | None) -> frozenset[int]:
    configured = frozenset(rules.forms) if rules else frozenset[int]()
    return configured & (runtime.settings.only_procedures or configured)


def _breakers(runtime: Runtime, rules: RuleSet | None) -> Mapping[Kind, int] | None:
    """How many are not closed, by kind."""
    if runtime.redis_state.client is None or rules is None:
        return None
    runtime.breakers.refresh()
    targets: list[Target] = [TPS, *map(way, CHANNELS)]
    targets += [procedure(number) for number in rules.forms]
    targets += [address(channel, unit) for channel in CHANNELS for unit in rules.units]
    counted = dict.fromkeys(Kind, 0)
    for target in targets:
        counted[target.kind] += runtime.breakers.state(target) is not BreakerState.CLOSED
    return counted
