"""What sealing and verifying the audit log costs, beside what it is that leaves the lines."""

import time
from collections.abc import Callable
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from benchmarks.parts import Parts, configured_forms, simulated_tps
from benchmarks.result import Figure, Result
from benchmarks.service import vacuum
from benchmarks.throughput import run_service
from benchmarks.usage import cpu_seconds
from service.clock import utc_now
from store.audit.check import verify
from store.audit.seal_keys import SigningKey
from store.audit.seals import seal_pending
from store.engine import Database
from store.schema import upgrade

VERIFY_SECONDS_FOR_A_MILLION = 20.0
SHARE = 0.05

LINES_OF_A_DOSSIER = 5
"""Seen, classified, routed, queued, sent."""

FILL = text(
    """
    INSERT INTO audit_lines (at, step, procedure, dossier_ref, key_id, event, channel, unit,
                             rule, ruleset, reason, attempt, duration_ms)
    SELECT timestamptz '2026-11-23 08:00:00.123456Z'
           - (:count - n) * :apart * interval '1 millisecond',
           (ARRAY['seen', 'classified', 'routed', 'queued', 'sent'])[1 + n % 5],
           13760, encode(sha256((n / 5)::text::bytea), 'hex'), '0123456789abcdef',
           CASE WHEN n % 5 >= 3 THEN 'filed' END, CASE WHEN n % 5 >= 3 THEN 'mail' END,
           CASE WHEN n % 5 >= 2 THEN 'UD075' END, CASE WHEN n % 5 = 2 THEN 'etudiants' END,
           CASE WHEN n % 5 = 2 THEN encode(sha256('rules'), 'hex') END,
           CASE WHEN n % 5 = 1 THEN 'residence-permit' END,
           CASE WHEN n % 5 = 4 THEN 1 END, (n % 40)::integer
    FROM generate_series(1, :count) AS n
    """
)


class Cost(NamedTuple):
    """Seconds: on the clock, of our processor time, of the database's."""

    wall: float
    own: float
    database: float

    @property
    def cpu(self) -> float:
        """Seconds of processor time in all."""
        return self.own + self.database


def run(parts: Parts, *, lines: int, dossiers: int) -> Result:
    """Seal and verify `lines`, and work off `dossiers` to compare with."""
    sealing, verifying = seal_and_verify(parts, lines)
    each = _cpu_of_a_dossier(parts, dossiers)
    per_dossier = LINES_OF_A_DOSSIER / lines
    million = 1_000_000 / lines
    return Result(
        "audit",
        [
            Figure(
                name="verify 1 million lines on one core",
                value=verifying.cpu * million,
                unit="s",
                goal=VERIFY_SECONDS_FOR_A_MILLION,
                note="processor time, the database's included",
            ),
            Figure(name="seal 1 million lines", value=sealing.cpu * million, unit="s"),
            Figure(
                name="share of sealing in a dossier",
                value=sealing.cpu * per_dossier / each,
                unit="x",
                goal=SHARE,
                note="of the service's processor time",
            ),
            Figure(
                name="share of verifying in a dossier",
                value=verifying.cpu * per_dossier / each,
                unit="x",
                goal=SHARE,
                note="when each line is verified once",
            ),
        ],
        {"lines": lines, "sealing": sealing._asdict(), "verifying": verifying._asdict()},
    )


def seal_and_verify(parts: Parts, lines: int) -> tuple[Cost, Cost]:
    """What it takes to seal `lines` and to verify them."""
    url = parts.databases.create()
    database = Database(url)
    upgrade(database)
    with database.begin() as connection:
        connection.execute(FILL, {"count": lines, "apart": 20})
    vacuum(database)
    key = SigningKey(Ed25519PrivateKey.generate())

    def seal() -> None:
        if seal_pending(database, key, now=utc_now()).lines != lines:
            raise RuntimeError("not every line was sealed")

    def check() -> None:
        checked = verify(database, trusted=frozenset({key.public}))
        if not checked.intact or checked.lines != lines:
            raise RuntimeError("the log is not intact")

    costs = _cost(parts, seal), _cost(parts, check)
    database.close()
    parts.databases.drop(url)
    return costs


def _cost(parts: Parts, work: Callable[[], None]) -> Cost:
    postgres = [parts.pids()["postgres"]]
    before = Cost(time.monotonic(), time.process_time(), cpu_seconds(postgres))
    work()
    after = Cost(time.monotonic(), time.process_time(), cpu_seconds(postgres))
    return Cost(*(end - start for start, end in zip(before, after, strict=True)))


def _cpu_of_a_dossier(parts: Parts, count: int) -> float:
    """Seconds of processor time that the service takes for one dossier, with its database."""
    with simulated_tps(parts.folder) as tps:
        tps.file(configured_forms(), count)
        done = run_service(parts, tps, count)
    return done.cpu_each("own", "postgres", "redis") / 1000
