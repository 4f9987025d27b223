"""How long `/metrics` takes at a million dossiers, and what keeping its tallies in step costs."""

import time
from typing import NamedTuple

from sqlalchemy import text

from benchmarks.parts import Parts, configured_forms, simulated_tps
from benchmarks.result import Figure, Result
from benchmarks.service import vacuum
from benchmarks.throughput import run_service
from benchmarks.usage import cpu_seconds
from config.settings import read
from service.prepare import prepare
from service.register import register_procedures
from service.runtime import Runtime
from store import tallies
from web.metrics.page import page

PAGE_MILLISECONDS = 50.0
SHARE = 0.05
TURNS = 20
BACKLOG = 20_000
"""Deltas that nobody has summed up yet: a minute of a busy service."""

BATCH = 50
FINISHED = 10

FILL = (
    """
    INSERT INTO dossiers (procedure, number, status, seen_at, last_listed_at, state, filed_at,
                          changed_at, permit_type, department, department_source, filer,
                          facts_hash, units, rule, ruleset, unrouted, assignment, decided_at,
                          ended_at)
    SELECT (SELECT array_agg(number ORDER BY number) FROM procedures)[1 + n % 74], n,
           CASE WHEN n % 1000 = 0 THEN 'quarantined' ELSE 'routed' END,
           now(), now(), CASE WHEN n % 50 = 0 THEN 'initiated' ELSE 'closed' END, filed, filed,
           (ARRAY['apprentissage', 'professionnalisation', 'interne-medecine', 'doctorat',
                  'accord-franco-algerien'])[1 + n % 5],
           lpad((1 + (n % 74) + (n % 97 = 0)::integer)::text, 2, '0'), 'residence-permit',
           'student', encode(sha256(n::text::bytea), 'hex'), 'UD075', 'etudiants', 'r',
           n % 500 = 0, 1, now(),
           CASE WHEN n % 50 > 0 THEN least(now(), filed + (n % 240) * interval '1 hour') END
    FROM (SELECT n, now() - (:count - n) * :apart * interval '1 second' AS filed
          FROM generate_series(1, :count) AS n) AS made
    """,
    """
    INSERT INTO deliveries (procedure, number, event, unit, channel, assignment, state, attempts,
                            created_at, finished_at)
    SELECT procedure, number, 'filed', 'UD075', 'mail', 1, 'sent', 1, now(), now() FROM dossiers
    """,
)

_DELTAS = """
    INSERT INTO tally_deltas (metric, procedure, permit_type, department, outcome, amount)
    SELECT 'dossiers', number, 'doctorat', '75', 'routed', 1 - 2 * (n % 2)
    FROM procedures, generate_series(1, :count / 74) AS n
"""

_LIFE = (
    """
    INSERT INTO dossiers (procedure, number, status, seen_at, last_listed_at, filed_at)
    SELECT 1, n, 'pending', now(), now(), now()
    FROM generate_series(CAST(:first AS integer), CAST(:last AS integer)) AS n
    """,
    "UPDATE dossiers SET lease_token = 'x' WHERE procedure = 1 AND number BETWEEN :first AND :last",
    """
    UPDATE dossiers SET status = 'routed', permit_type = 'doctorat', department = '75'
    WHERE procedure = 1 AND number BETWEEN :first AND :last
    """,
    """
    INSERT INTO deliveries (procedure, number, event, unit, channel, assignment, state, created_at)
    SELECT 1, n, 'filed', 'UD075', 'mail', 1, 'pending', now()
    FROM generate_series(CAST(:first AS integer), CAST(:last AS integer)) AS n
    """,
    """
    UPDATE deliveries SET state = 'sending', attempts = 1
    WHERE procedure = 1 AND number BETWEEN :first AND :last
    """,
)
_FINISH = """
    UPDATE deliveries SET state = 'sent', finished_at = now()
    WHERE procedure = 1 AND number BETWEEN :first AND :last
"""


def run(parts: Parts, *, dossiers: int, lives: int, compared: int) -> Result:
    """Read the page at `dossiers`, and take `lives` through the tables with and without triggers.

    Args:
        parts: what it works with.
        dossiers: that are stored.
        lives: dossiers that come and are told of.
        compared: dossiers that the whole service works off, to compare with.
    """
    summed, waiting = page_costs(parts, dossiers)
    kept, bare = (life_seconds(parts, lives, triggers=each) for each in (True, False))
    extra = max(0.0, kept - bare) / lives
    return Result(
        "metrics",
        [
            Figure(
                name=f"/metrics at {dossiers:,} dossiers",
                value=summed.cpu * 1000,
                unit="ms",
                goal=PAGE_MILLISECONDS,
                note=f"processor time, the database's included; {summed.wall * 1000:.0f} ms in all",
            ),
            Figure(
                name=f"the same with {BACKLOG:,} changes not summed up yet",
                value=waiting.cpu * 1000,
                unit="ms",
                goal=PAGE_MILLISECONDS,
                note=f"{waiting.wall * 1000:.0f} ms in all",
            ),
            Figure(
                name="share of the tallies in a dossier",
                value=extra / _cpu_of_a_dossier(parts, compared),
                unit="x",
                goal=SHARE,
                note=f"of the service's processor time; {extra * 1e6:.0f} µs",
            ),
        ],
    )


class Cost(NamedTuple):
    """Seconds of one page: on the clock, and of the processor, the database's included."""

    wall: float
    cpu: float


def page_costs(parts: Parts, count: int) -> tuple[Cost, Cost]:
    """The page with all summed up, and with changes that wait to be."""
    url = parts.databases.create()
    runtime = Runtime(read(database_url=url, var_dir=parts.folder))
    prepare(runtime)
    register_procedures(runtime)
    with runtime.database.begin() as connection:
        for statement in FILL:
            connection.execute(text(statement), {"count": count, "apart": 0})
    while deltas(runtime):
        runtime.database.run(tallies.sum_up)
    vacuum(runtime.database)
    summed = _cost(parts, runtime)
    with runtime.database.begin() as connection:
        connection.execute(text(_DELTAS), {"count": BACKLOG})
    waiting = _cost(parts, runtime)
    runtime.close()
    parts.databases.drop(url)
    return summed, waiting


def deltas(runtime: Runtime) -> int:
    with runtime.database.read() as connection:
        return connection.scalar(text("SELECT count(*) FROM tally_deltas")) or 0


def _cost(parts: Parts, runtime: Runtime) -> Cost:
    page(runtime)
    postgres = [parts.pids()["postgres"]]
    before = time.perf_counter(), time.process_time(), cpu_seconds(postgres)
    for _ in range(TURNS):
        page(runtime)
    after = time.perf_counter(), time.process_time(), cpu_seconds(postgres)
    wall, own, database = ((end - start) / TURNS for start, end in zip(before, after, strict=True))
    return Cost(wall, own + database)


def life_seconds(parts: Parts, count: int, *, triggers: bool) -> float:
    """Seconds of the database's processor time that `count` dossiers take from end to end."""
    url = parts.databases.create()
    runtime = Runtime(read(database_url=url, var_dir=parts.folder))
    prepare(runtime)
    with runtime.database.begin() as connection:
        if not triggers:
            for table in ("dossiers", "deliveries"):
                connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    postgres = [parts.pids()["postgres"]]
    before = cpu_seconds(postgres)
    for first in range(1, count, BATCH):
        _live(runtime, first, first + BATCH - 1)
    spent = cpu_seconds(postgres) - before
    runtime.close()
    parts.databases.drop(url)
    return spent


def _live(runtime: Runtime, first: int, last: int) -> None:
    for statement in _LIFE:
        with runtime.database.begin() as connection:
            connection.execute(text(statement), {"first": first, "last": last})
    for start in range(first, last, FINISHED):
        with runtime.database.begin() as connection:
            given = {"first": start, "last": start + FINISHED - 1}
            connection.execute(text(_FINISH), given)


def _cpu_of_a_dossier(parts: Parts, count: int) -> float:
    """Seconds of processor time that the service takes for one dossier, with its database."""
    with simulated_tps(parts.folder) as tps:
        tps.file(configured_forms(), count)
        done = run_service(parts, tps, count)
    return done.cpu_each("own", "postgres", "redis") / 1000
