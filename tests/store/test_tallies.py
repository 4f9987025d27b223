"""Tallies are in step with what is stored, whatever is done to it."""

import random
import threading
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from alembic import command
from sqlalchemy import delete, func, insert, select, text, update

from store import schema, tallies
from store.models import Delivery, Dossier, Tally, TallyDelta
from store.tallies import BEYOND, BUCKETS, SUM, Cell, Metric
from tests.processes import until
from tests.stage import PARIS_FORM, START, Stage


def cells(stage: Stage, metric: Metric) -> list[Cell]:
    with stage.runtime.database.read() as connection:
        return [cell for cell in tallies.read(connection) if cell.metric == metric]


def sum_up(stage: Stage) -> None:
    stage.runtime.database.run(tallies.sum_up)


def counted(stage: Stage) -> Counter[tuple[int, str, str, str]]:
    """Dossiers by procedure, permit type, département and outcome, counted one by one."""
    columns = (Dossier.procedure, Dossier.permit_type, Dossier.department, Dossier.status)
    with stage.runtime.database.read() as connection:
        rows = connection.execute(select(*columns, Dossier.unrouted)).all()
    return Counter(
        (
            row.procedure,
            row.permit_type or "",
            row.department or "",
            "unrouted" if row.unrouted and row.status == "routed" else row.status,
        )
        for row in rows
    )


def tallied(stage: Stage) -> Counter[tuple[int, str, str, str]]:
    return Counter(
        {
            (cell.procedure, cell.permit_type, cell.department, cell.outcome): cell.amount
            for cell in cells(stage, Metric.DOSSIERS)
        }
    )


def outcomes(stage: Stage, metric: Metric) -> dict[str, int]:
    return {cell.outcome: cell.amount for cell in cells(stage, metric)}


def row(number: int, chosen: random.Random) -> dict[str, object]:
    return {
        "procedure": chosen.choice((1, 2)),
        "number": number,
        "status": chosen.choice(("pending", "routed", "quarantined", "gone")),
        "unrouted": chosen.random() < 0.3,
        "permit_type": chosen.choice((None, "apprentissage", "doctorat")),
        "department": chosen.choice((None, "75", "2A")),
        "seen_at": START,
        "last_listed_at": START,
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_any_changes_leave_the_tallies_in_step(stage: Stage, seed: int) -> None:
    chosen = random.Random(seed)
    with stage.runtime.database.begin() as connection:
        connection.execute(insert(Dossier), [row(number, chosen) for number in range(1, 40)])
    for _ in range(20):
        first, last = sorted(chosen.sample(range(1, 41), 2))
        some = Dossier.number.between(first, last)
        values = row(0, chosen)
        kept = {"status", "unrouted", "permit_type", "department"}
        with stage.runtime.database.begin() as connection:
            if chosen.random() < 0.2:
                connection.execute(delete(Dossier).where(some, Dossier.number % 5 == 0))
            else:
                changed = {name: values[name] for name in chosen.sample(sorted(kept), 2)}
                connection.execute(update(Dossier).where(some).values(changed))
        if chosen.random() < 0.3:
            sum_up(stage)
        assert tallied(stage) == counted(stage)


def test_what_is_rolled_back_is_not_counted(stage: Stage) -> None:
    with stage.runtime.database.engine.connect() as connection:
        connection.execute(insert(Dossier), [row(1, random.Random(1))])
        connection.rollback()
    assert tallied(stage) == Counter()


def test_the_service_is_counted_as_it_works(stage: Stage) -> None:
    for _ in range(3):
        stage.file()
    stage.wait(seconds=20)
    stage.run()
    assert tallied(stage) == counted(stage)
    assert outcomes(stage, Metric.DELIVERIES) == {"sent": 3}
    assert outcomes(stage, Metric.ATTEMPTS) == {"sent": 3}
    sum_up(stage)
    assert tallied(stage) == counted(stage)
    assert {cell.procedure for cell in cells(stage, Metric.DOSSIERS)} == {PARIS_FORM}


def test_latencies_are_counted_in_their_buckets(stage: Stage) -> None:
    stage.run()
    stage.wait(hours=1)
    stage.file()
    stage.wait(seconds=20)
    stage.run()
    expected = {"30": 1, SUM: 20}
    assert outcomes(stage, Metric.FILED_TO_SEEN) == expected
    assert outcomes(stage, Metric.FILED_TO_SENT) == expected
    sum_up(stage)
    assert outcomes(stage, Metric.FILED_TO_SEEN) == expected
    assert outcomes(stage, Metric.FILED_TO_SENT) == expected


def test_what_is_caught_up_on_is_no_latency(stage: Stage) -> None:
    stage.file(filed_at=START - timedelta(days=30))
    stage.run()
    assert outcomes(stage, Metric.FILED_TO_SEEN) == {}
    assert outcomes(stage, Metric.FILED_TO_SENT) == {}


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    [(-3, "5"), (0, "5"), (5, "5"), (6, "15"), (86_400, "86400"), (86_401, BEYOND)],
)
def test_a_latency_falls_into_one_bucket(stage: Stage, seconds: int, bucket: str) -> None:
    new = row(1, random.Random(1)) | {"filed_at": START - timedelta(seconds=seconds)}
    with stage.runtime.database.begin() as connection:
        connection.execute(insert(Dossier), [new])
    found = outcomes(stage, Metric.FILED_TO_SEEN)
    assert found.pop(bucket) == 1
    assert found in ({SUM: seconds}, {})
    assert all(low < high for low, high in pairwise(BUCKETS))


def delivery(**values: object) -> dict[str, object]:
    return {
        "procedure": 1,
        "number": 1,
        "event": "filed",
        "unit": "UD075",
        "channel": "mail",
        "assignment": 1,
        "state": "pending",
        "created_at": START,
        "attempts": 0,
        **values,
    }


@pytest.mark.parametrize(
    ("before", "after", "event"),
    [
        ({"state": "pending"}, {"state": "sending", "attempts": 1}, None),
        ({"state": "sending", "attempts": 1}, {"state": "sent"}, "sent"),
        ({"state": "sending", "attempts": 1}, {"state": "dead"}, "dead"),
        ({"state": "sending", "attempts": 1}, {"state": "pending"}, "retried"),
        ({"state": "sending", "attempts": 1}, {"state": "pending", "attempts": 0}, None),
        ({"state": "sending", "attempts": 1}, {"state": "sending", "attempts": 2}, "lost"),
        ({"state": "dead"}, {"state": "pending"}, "replayed"),
        ({"state": "pending"}, {"state": "cancelled"}, "cancelled"),
    ],
)
def test_what_happens_to_a_delivery_is_counted(
    stage: Stage, before: dict[str, object], after: dict[str, object], event: str | None
) -> None:
    with stage.runtime.database.begin() as connection:
        connection.execute(insert(Delivery), [delivery(**before)])
    with stage.runtime.database.begin() as connection:
        connection.execute(update(Delivery).values(**after))
    assert outcomes(stage, Metric.ATTEMPTS) == ({event: 1} if event else {})
    waiting = {"sending": "pending"}.get(str(after["state"]), after["state"])
    assert outcomes(stage, Metric.DELIVERIES) == {waiting: 1}
    with stage.runtime.database.begin() as connection:
        connection.execute(delete(Delivery))
    assert outcomes(stage, Metric.DELIVERIES) == {}
    assert outcomes(stage, Metric.ATTEMPTS) == ({event: 1} if event else {})


def test_requests_are_added(stage: Stage) -> None:
    for _ in range(2):
        with stage.runtime.database.begin() as connection:
            tallies.add_requests(connection, {"200": 3, "tps-timeout": 1})
        sum_up(stage)
    assert outcomes(stage, Metric.REQUESTS) == {"200": 6, "tps-timeout": 2}


def test_summing_up_leaves_no_delta(stage: Stage) -> None:
    stage.file()
    stage.run()
    sum_up(stage)
    with stage.runtime.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(TallyDelta)) == 0
        assert connection.scalar(select(func.count()).select_from(Tally))


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
def test_two_that_sum_up_at_once_count_once(stage: Stage) -> None:
    stage.file()
    stage.run()
    before = tallied(stage)
    other = threading.Thread(target=sum_up, args=[stage])
    with stage.runtime.database.begin() as connection:
        tallies.sum_up(connection)
        other.start()
        until(lambda: _waits(stage), "the other one waits")
    other.join(10)
    assert tallied(stage) == before


def _waits(stage: Stage) -> bool:
    query = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with stage.runtime.database.read() as connection:
        return bool(connection.scalar(query))


def test_the_migration_counts_what_is_there(stage: Stage) -> None:
    for _ in range(2):
        stage.file()
    stage.run()
    before = {metric: cells(stage, metric) for metric in (Metric.DOSSIERS, Metric.DELIVERIES)}
    with stage.runtime.database.begin() as connection:
        command.downgrade(schema._config(connection), "0007")
    schema.upgrade(stage.runtime.database)
    assert {metric: cells(stage, metric) for metric in before} == before
