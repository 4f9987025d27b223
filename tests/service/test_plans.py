"""What is done all day reads by index: no plan of PostgreSQL grows with what was done before.

A full scan is left out: it compares a whole list with all that is stored of its procedure,
and runs on its own slow schedule.
"""

import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text, update

from service import sweep, watch_health
from service.deliver import deliver
from service.monthly_report import previous_month
from service.poll import PollOutcome, poll
from service.purge import purge
from service.route import route
from service.seal import seal
from service.statistics.publish import publish_when_due
from simulator import Server, Simulator
from store import dossiers, published_figures, tallies
from store.engine import Database
from store.models import Procedure
from tests.fixtures.harness import PARIS_FORM, Harness, make_harness
from tests.fixtures.postgres import Databases

pytestmark = [
    pytest.mark.parametrize("engine_name", ["postgres"], indirect=True),
    pytest.mark.xdist_group("plans"),
]

PAST = 60_000
"""Dossiers that were routed and told of before."""

GROWING = {"dossiers", "deliveries", "audit_lines"}

FEW = 1_000
"""Rows that a step may be expected to give: more than any page or batch, less than the past."""

DEAR = 1_200.0
"""What a plan may cost, in the planner's units: twice the dearest batch. To read an index of the
past to its end, and leave out most of what it gives, costs more."""

_DOSSIERS = text(
    """
    INSERT INTO dossiers (procedure, number, status, seen_at, last_listed_at, state, filed_at,
                          changed_at, department, department_source, filer, facts_hash, units,
                          rule, ruleset, assignment, decided_at)
    SELECT :procedure, n, 'routed', :now, :now, 'initiated', :now, :now, '75', 'residence-permit',
           'student', encode(sha256(n::text::bytea), 'hex'), 'UD075', 'etudiants', 'r', 1, :now
    FROM generate_series(1, :past) AS n
    """
)
_OVER_YEARS = text(
    """
    UPDATE dossiers SET state = 'closed', filed_at = at - interval '2 days', ended_at = at
    FROM (SELECT n, CAST(:now AS timestamptz) - n * CAST(:span AS interval) / :past AS at
          FROM generate_series(1, :past) AS n) AS spread
    WHERE number = n AND status = 'routed'
    """
)
"""Over ten years, 500 a month."""
_DELIVERIES = text(
    """
    INSERT INTO deliveries (procedure, number, event, unit, channel, assignment, state, attempts,
                            created_at, finished_at)
    SELECT :procedure, n, 'filed', 'UD075', 'mail', 1, 'sent', 1, :now, :now
    FROM generate_series(1, :past) AS n
    """
)
_LINES = text(
    """
    INSERT INTO audit_lines (at, step, procedure, dossier_ref, key_id)
    SELECT :now, 'sent', :procedure, encode(sha256(n::text::bytea), 'hex'), '0123456789abcdef'
    FROM generate_series(1, :past) AS n
    """
)


@dataclass
class Plans:
    """The plan of each statement that was executed."""

    statements: list[str] = field(default_factory=list)
    growing: list[str] = field(default_factory=list)

    def look(self, statement: str, plan: dict[str, Any]) -> None:
        """Note a statement, and which of its steps reads what grows."""
        self.statements.append(statement)
        if plan["Total Cost"] > DEAR:
            self.growing.append(f"costs {plan['Total Cost']}: {statement}")
        for step, rows in _steps(plan, math.inf):
            table, kind = step.get("Relation Name"), step["Node Type"]
            if table in GROWING and (kind == "Seq Scan" or rows > FEW):
                self.growing.append(f"{kind} on {table}, {rows} rows: {statement}")


def _steps(plan: dict[str, Any], most: float) -> Iterator[tuple[dict[str, Any], float]]:
    """Each step with the rows that it is to give; below a limit no more than that."""
    rows = min(plan["Plan Rows"], most)
    yield plan, rows
    for below in plan.get("Plans", ()):
        yield from _steps(below, rows if plan["Node Type"] == "Limit" else math.inf)


@contextmanager
def planned(database: Database) -> Iterator[Plans]:
    """Explain each statement just before it is executed, with its own parameters."""
    plans = Plans()

    def explain(
        connection: Connection,
        _cursor: object,
        statement: str,
        parameters: list[Any] | dict[str, Any],
        *_: object,
    ) -> None:
        if statement.split(maxsplit=1)[0] not in {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}:
            return
        given = parameters[0] if isinstance(parameters, list) else parameters
        raw = connection.connection.cursor()
        raw.execute(f"EXPLAIN (FORMAT JSON) {statement}", given)
        row = raw.fetchone()
        assert row is not None
        plans.look(statement, row[0][0]["Plan"])
        raw.close()

    event.listen(database.engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(database.engine, "before_cursor_execute", explain)


@dataclass(frozen=True)
class Past:
    """A database in which much was done before, and the folder of its service."""

    database_url: str
    folder: Path


@pytest.fixture(scope="module")
def past(
    postgres_databases: Databases, migrated_postgres: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Past]:
    """Made once; each test gets a copy."""
    past = Past(
        postgres_databases.create(template=migrated_postgres), tmp_path_factory.mktemp("past")
    )
    with Simulator().serve() as server:
        made = make_harness(past.database_url, server, past.folder)
        _do_much(made)
        made.runtime.close()
    yield past
    postgres_databases.drop(past.database_url)


def _do_much(harness: Harness) -> None:
    given = {"procedure": PARIS_FORM, "past": PAST, "now": harness.now}
    harness.register()
    database = harness.runtime.database
    with database.begin() as connection:
        for statement in (_DOSSIERS, _DELIVERIES, _LINES):
            connection.execute(statement, given)
        later = harness.now + timedelta(hours=6)
        connection.execute(update(Procedure).values(scanned_at=harness.now, next_scan_at=later))
    seal(harness.runtime)
    # As sweeps have done all the while.
    database.run(tallies.sum_up)
    with database.engine.connect() as connection:
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        alone.exec_driver_sql("VACUUM ANALYZE")


@pytest.fixture
def harness(
    engine_name: str, postgres_databases: Databases, past: Past, tps: Server, tmp_path: Path
) -> Iterator[Harness]:
    """A service with a past, in which a few dossiers were just filed."""
    shutil.copytree(past.folder / "var", tmp_path / "var")
    url = postgres_databases.create(template=past.database_url)
    made = make_harness(url, tps, tmp_path)
    for _ in range(60):
        made.file()
    yield made
    made.runtime.close()
    postgres_databases.drop(url)


def a_poll(harness: Harness) -> None:
    assert poll(harness.runtime, PARIS_FORM).outcome is PollOutcome.DONE


def a_batch_of_dossiers(harness: Harness) -> None:
    a_poll(harness)
    assert route(harness.runtime, PARIS_FORM).routed


def a_batch_of_deliveries(harness: Harness) -> None:
    a_batch_of_dossiers(harness)
    assert deliver(harness.runtime).sent


def a_sweep(harness: Harness) -> None:
    sweep.sweep(harness.runtime, harness.waker)
    sweep.wake_due_polls(harness.runtime)
    assert harness.waker.woken


def a_look_at_health(harness: Harness) -> None:
    watch_health.check(harness.runtime)


def a_seal(harness: Harness) -> None:
    a_poll(harness)
    assert seal(harness.runtime).lines


def a_purge_with_nothing_to_remove(harness: Harness) -> None:
    assert purge(harness.runtime).dossiers == 0


def a_purge_of_some(harness: Harness) -> None:
    assert purge(harness.runtime).dossiers


def a_month_to_publish(harness: Harness) -> None:
    before = previous_month(previous_month(harness.now.date()))
    with harness.runtime.database.begin() as connection:
        connection.execute(update(Procedure).values(polled_at=harness.now))
        published_figures.publish(connection, before, (), harness.now)
    assert len(publish_when_due(harness.runtime).published) == 1


def the_first_month_to_publish(harness: Harness) -> None:
    """The search for it: then no time is left to publish any."""
    assert publish_when_due(harness.runtime, within=timedelta(seconds=-1)).waiting


WORK = (
    a_poll,
    a_batch_of_dossiers,
    a_batch_of_deliveries,
    a_sweep,
    a_look_at_health,
    a_seal,
    a_purge_with_nothing_to_remove,
)
OF_YEARS = (
    (a_purge_of_some, "731 days"),  # one of them is over
    (a_month_to_publish, "10 years"),
    (the_first_month_to_publish, "10 years"),
)


@pytest.mark.parametrize(("work", "span"), OF_YEARS)
def test_what_looks_at_a_part_of_the_past_does_not_grow_with_the_rest(
    harness: Harness, work: Callable[[Harness], None], span: str
) -> None:
    database = harness.runtime.database
    given = {"past": PAST, "now": harness.now, "span": span}
    with database.begin() as connection:
        connection.execute(_OVER_YEARS, given)
    with database.engine.connect() as connection:
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        alone.exec_driver_sql("VACUUM ANALYZE dossiers")
    with planned(database) as plans:
        work(harness)

    assert plans.statements
    assert plans.growing == []


@pytest.mark.parametrize("work", WORK)
def test_no_plan_grows_with_the_past(harness: Harness, work: Callable[[Harness], None]) -> None:
    with planned(harness.runtime.database) as plans:
        work(harness)

    assert plans.statements
    assert plans.growing == []


def test_control_what_reads_everything_is_found_out(harness: Harness) -> None:
    with planned(harness.runtime.database) as plans, harness.runtime.database.read() as connection:
        dossiers.counts(connection)
    assert plans.growing

    by_index = text("SELECT number FROM dossiers WHERE procedure = :of AND state = 'closed'")
    with planned(harness.runtime.database) as plans, harness.runtime.database.read() as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        connection.execute(by_index, {"of": PARIS_FORM})
    assert [found for found in plans.growing if found.startswith("costs")]
