"""What a database of years takes: sizes, and the time of what is done with it."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from benchmarks import audit, metrics
from benchmarks.parts import Parts
from benchmarks.plans import Plans, planned
from benchmarks.result import Figure, Result
from benchmarks.service import vacuum
from cli.status import look
from config.settings import read
from service.claim import claim_due
from service.clock import utc_now
from service.guards.limits import LEASE
from service.monthly_report import previous_month
from service.prepare import prepare
from service.purge import purge
from service.register import register_procedures
from service.runtime import Runtime
from service.statistics.publish import publish_when_due
from service.sweep import sweep
from store import delivery_claims, published_figures, tallies
from store.audit.check import verify
from store.audit.seal_keys import SigningKey
from store.audit.seals import seal_pending
from store.engine import Database, Timing
from store.leases import Lease
from store.partitions import partition

MEGABYTE = 1024 * 1024
TURNS = 20
FILL_SECONDS = 3600.0
DUE = 1_000
"""Dossiers and deliveries that wait, as after some minutes without workers."""
OVERDUE = 10_000
"""Dossiers whose time has passed: what a purge of the night may find."""
APART = 25
"""Seconds between two deposits: the country's hundred thousand a month."""
MONTHS = 270 * 24 * 3600 * 1000.0
"""Milliseconds over which the audit lines are spread: nine months, so ten partitions."""

_SHARES = (
    "UPDATE dossiers SET filed_at = now() - interval '900 days', "
    "changed_at = now() - interval '800 days', seen_at = now() - interval '900 days', "
    "decided_at = now() - interval '900 days', ended_at = now() - interval '800 days' "
    "WHERE number <= :overdue",
    "UPDATE deliveries SET created_at = now() - interval '900 days', "
    "finished_at = now() - interval '800 days' WHERE number <= :overdue",
    "UPDATE dossiers SET status = 'pending', next_attempt_at = now() "
    "WHERE procedure = :procedure AND number IN (SELECT number FROM dossiers "
    "WHERE procedure = :procedure AND number > :overdue ORDER BY number LIMIT :due)",
    "UPDATE deliveries SET state = 'pending', next_attempt_at = now(), finished_at = NULL "
    "WHERE id IN (SELECT id FROM deliveries WHERE number > :overdue ORDER BY id LIMIT :due)",
)
_SIZES = """
    SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'm') AND c.relname LIKE :named
"""


def run(parts: Parts, *, dossiers: int, lines: int) -> Result:
    """Fill a database with `dossiers` and `lines` of audit, and time what is done with it."""
    url = parts.databases.create()
    runtime = Runtime(read(database_url=url, var_dir=parts.folder))
    prepare(runtime)
    register_procedures(runtime)
    _fill(runtime, url, dossiers, lines)
    clock = Clock(runtime.database)
    sizes = _sizes(runtime)
    _work(runtime, clock)
    _evidence(runtime, clock, lines)
    runtime.close()
    parts.databases.drop(url)
    details = {"dossiers": dossiers, "lines": lines, "plans": clock.plans}
    return Result("years", [*sizes, *clock.figures], details)


@dataclass
class Clock:
    """Times pieces of work, and keeps the plans of their statements."""

    database: Database
    figures: list[Figure] = field(default_factory=list)
    plans: dict[str, Any] = field(default_factory=dict)

    def time(self, name: str, work: Callable[[], object], turns: int = 1) -> None:
        """The median of `turns`, in milliseconds on the clock."""
        with planned(self.database) as plans:
            taken = [self._turn(work, plans) for _ in range(turns)]
        median = sorted(taken)[len(taken) // 2]
        print(f"  {name}: {median:,.0f} ms", file=sys.stderr, flush=True)
        self.figures.append(Figure(name=name, value=median, unit="ms"))
        self.plans[name] = plans.document()

    @staticmethod
    def _turn(work: Callable[[], object], plans: Plans) -> float:
        before, explaining = time.perf_counter(), plans.explaining
        work()
        return (time.perf_counter() - before) * 1000 - (plans.explaining - explaining)


def _fill(runtime: Runtime, url: str, dossiers: int, lines: int) -> None:
    form = next(iter(runtime.rules().forms.values()))
    given = {"overdue": OVERDUE, "due": DUE, "procedure": form.procedure}
    # To fill takes longer than any statement of the service may.
    filler = Database(url, timing=Timing(answer=FILL_SECONDS))
    with filler.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        for statement in metrics.FILL:
            connection.execute(text(statement), {"count": dossiers, "apart": APART})
        for statement in _SHARES:
            connection.execute(text(statement), given)
        connection.execute(audit.FILL, {"count": lines, "apart": MONTHS / lines})
        # Every month is public but the last that is over, and that was listed to its end.
        connection.execute(text("UPDATE procedures SET scanned_at = now(), polled_at = now()"))
        last = previous_month(runtime.clock().date())
        published_figures.publish(connection, previous_month(last), (), runtime.clock())
    while metrics.deltas(runtime):
        filler.run(tallies.sum_up)
    vacuum(filler)
    filler.close()


def _sizes(runtime: Runtime) -> list[Figure]:
    with runtime.database.read() as connection:
        return [
            Figure(
                name=f"size of {table}",
                value=float(connection.scalar(text(_SIZES), {"named": named}) or 0) / MEGABYTE,
                unit="MB",
                note="indexes included",
            )
            for table, named in (
                ("dossiers", "dossiers"),
                ("deliveries", "deliveries%"),
                ("audit_lines", "audit_lines%"),
            )
        ]


def _work(runtime: Runtime, clock: Clock) -> None:
    removed = 0

    def purged() -> None:
        nonlocal removed
        removed = purge(runtime).dossiers

    clock.time("wif status, without its start", lambda: look(runtime), TURNS)
    clock.time("publish a month", lambda: _publish(runtime))
    clock.time("sweep", lambda: sweep(runtime), TURNS)
    clock.time("claim of 50 dossiers", lambda: _claim_dossiers(runtime), TURNS)
    clock.time("claim of 50 deliveries", lambda: _claim_deliveries(runtime), TURNS)
    clock.time(f"purge of {OVERDUE:,} dossiers", purged)
    # One in a thousand is quarantined and stays.
    if not 0.99 * OVERDUE < removed <= OVERDUE:
        raise RuntimeError(f"{removed} dossiers were purged of {OVERDUE}")
    clock.time("purge with nothing to remove", lambda: purge(runtime))


def _publish(runtime: Runtime) -> None:
    if len(publish_when_due(runtime).published) != 1:
        raise RuntimeError("not one month was published")


def _claim_dossiers(runtime: Runtime) -> None:
    rules = runtime.rules()
    claim_due(runtime, rules, next(iter(rules.forms.values())), limit=50)


def _claim_deliveries(runtime: Runtime) -> None:
    now = runtime.clock()
    with runtime.database.begin() as connection:
        lease = Lease(now, LEASE)
        delivery_claims.claim(connection, channel="mail", limit=50, lease=lease, now=now)


def _evidence(runtime: Runtime, clock: Clock, lines: int) -> None:
    key = SigningKey(Ed25519PrivateKey.generate())

    def seal() -> None:
        if seal_pending(runtime.database, key, now=utc_now()).lines < lines:
            raise RuntimeError("not every line was sealed")

    def check() -> None:
        if not verify(runtime.database, trusted=frozenset({key.public})).intact:
            raise RuntimeError("the log is not intact")

    clock.time(f"seal {lines:,} lines", seal)
    clock.time(f"verify {lines:,} lines", check)
    clock.time("partition the audit log", lambda: partition(runtime.database, utc_now()))
    clock.time(f"verify {lines:,} lines in partitions", check)
