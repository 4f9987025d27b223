"""Who has which dossier, with the facts it was decided on: what simulations are run over."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from routing.facts import Facts
from store.dossiers import DossierStatus, read_facts
from store.models import Dossier

BATCH = 1_000
"""Rows held in memory at a time."""


@dataclass(frozen=True, slots=True)
class RoutedDossier:
    """A dossier that rules placed; one that is pinned by hand is none.

    Attributes:
        units: the units that have it.
        rule: id of the rule that sent it there, None when none matched.
        unrouted: it went to the fallback unit.
    """

    facts: Facts
    units: tuple[str, ...]
    rule: str | None
    unrouted: bool


_COLUMNS = (
    Dossier.procedure,
    Dossier.number,
    Dossier.facts_hash,
    Dossier.state,
    Dossier.filed_at,
    Dossier.changed_at,
    Dossier.permit_type,
    Dossier.department,
    Dossier.department_source,
    Dossier.filer,
    Dossier.fact_reasons,
    Dossier.units,
    Dossier.rule,
    Dossier.unrouted,
)


def stored_decisions(connection: Connection) -> Iterator[RoutedDossier]:
    """Every routed dossier that is not pinned, as a stream, by procedure and number."""
    query = (
        select(*_COLUMNS)
        .where(Dossier.status == DossierStatus.ROUTED.value, Dossier.pinned_unit.is_(None))
        .order_by(Dossier.procedure, Dossier.number)
        .execution_options(yield_per=BATCH)
    )
    for row in connection.execute(query):
        if (facts := read_facts(row)) is not None:
            yield RoutedDossier(facts, row.units, row.rule, row.unrouted)
