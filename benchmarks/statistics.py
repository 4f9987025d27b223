"""How long publishing a month and the public page take at a million dossiers."""

import time
from collections.abc import Callable

from sqlalchemy import text

from benchmarks.parts import Parts
from benchmarks.result import Figure, Result
from benchmarks.service import vacuum
from config.settings import read
from service.prepare import prepare
from service.register import register_procedures
from service.runtime import Runtime
from service.statistics.publish import publish_when_due
from web.stats import page
from web.stats.public_figures import read_choices, read_public_figures
from web.stats.selection import read_selection
from web.stats.view import view

COUNT_SECONDS = 60.0
"""The budget of a task."""

PAGE_MILLISECONDS = 300.0
MONTHS = 24

_FILL = """
    INSERT INTO dossiers (procedure, number, status, seen_at, last_listed_at, state, filed_at,
                          changed_at, ended_at, permit_type, department, department_source, filer,
                          facts_hash)
    SELECT (SELECT array_agg(number ORDER BY number) FROM procedures)[1 + n % 74], n, 'routed',
           now(), now(), 'closed', filed, filed + taken, filed + taken,
           (ARRAY['apprentissage', 'professionnalisation', 'interne-medecine', 'doctorat',
                  'accord-franco-algerien'])[1 + n % 5],
           lpad((1 + hashed % 95 + (hashed % 95 > 18)::integer)::text, 2, '0'), 'residence-permit',
           'student', encode(sha256(n::text::bytea), 'hex')
    FROM (SELECT n, now() - (:days * n / CAST(:count AS float)) * interval '1 day' AS filed,
                 (n % 240) * interval '1 hour' AS taken,
                 (n % 9973) * (n % 9973) AS hashed
          FROM generate_series(1, :count) AS n) AS made
"""


def run(parts: Parts, *, dossiers: int) -> Result:
    """Count, publish and show `dossiers` of two years."""
    url = parts.databases.create()
    runtime = Runtime(read(database_url=url, var_dir=parts.folder))
    prepare(runtime)
    register_procedures(runtime)
    with runtime.database.begin() as connection:
        given = {"count": dossiers, "days": MONTHS * 30}
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text(_FILL), given)
        connection.execute(text("UPDATE procedures SET scanned_at = now(), polled_at = now()"))
    vacuum(runtime.database)
    published = _timed(lambda: publish_when_due(runtime))
    written = min(_timed(lambda: _page(runtime)) for _ in range(5))
    size = len(_page(runtime).encode())
    runtime.close()
    parts.databases.drop(url)
    return Result(
        "stats",
        [
            Figure(
                name=f"a month of {dossiers // MONTHS:,} dossiers counted and published",
                value=published / MONTHS,
                unit="s",
                goal=COUNT_SECONDS,
                note=f"the mean of {MONTHS} months, once a month; what is older costs nothing",
            ),
            Figure(
                name="the page of a month",
                value=written * 1000,
                unit="ms",
                goal=PAGE_MILLISECONDS,
                note="made anew; it is remembered until a month comes",
            ),
            Figure(name="its size", value=size / 1000, unit="kB", goal=300),
        ],
    )


def _timed(work: Callable[[], object]) -> float:
    started_at = time.perf_counter()
    work()
    return time.perf_counter() - started_at


def _page(runtime: Runtime) -> str:
    selection = read_selection({}, read_choices(runtime))
    return page.served(view(read_public_figures(runtime, selection), selection))
