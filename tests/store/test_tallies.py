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
from store.count_models import Tally, TallyDelta
from store.models import Delivery, Dossier
from store.tallies import BEYOND, BUCKETS, SUM, Cell, Metric
from tests.fixtures.harness import PARIS_FORM, START, Harness
from tests.fixtures.processes import until


def cells(harness: Harness, metric: Metric) -> list[Cell]:
    with harness.runtime.database.read() as connection:
        return [cell for cell in tallies.read(connection) if cell.metric == metric]


def sum_up(harness: Harness) -> None:
    harness.runtime.database.run(tallies.sum_up)


def counted(harness: Harness) -> Counter[tuple[int, str, str, str]]:
    """Dossiers by procedure, permit type, département and outcome, counted one by one."""
    columns = (Dossier.procedure, Dossier.permit_type, Dossier.department, Dossier.status)
    with harness.runtime.database.read() as connection:
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


def tallied(harness: Harness) -> Counter[tuple[int, str, str, str]]:
    return Counter(
        {
            (cell.procedure, cell.permit_type, cell.department, cell.outcome): cell.amount
            for cell in cells(harness, Metric.DOSSIERS)
        }
    )


def outcomes(harness: Harness, metric: Metric) -> dict[str, int]:
    return {cell.outcome: cell.amount for cell in cells(harness, metric)}


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
def test_any_changes_leave_the_tallies_in_step(harness: Harness, seed: int) -> None:
    chosen = random.Random(seed)
    with harness.runtime.database.begin() as connection:
        connection.execute(insert(Dossier), [row(number, chosen) for number in range(1, 40)])
    for _ in range(20):
        first, last = sorted(chosen.sample(range(1, 41), 2))
        some = Dossier.number.between(first, last)
        values = row(0, chosen)
        kept = {"status", "unrouted", "permit_type", "department"}
        with harness.runtime.database.begin() as connection:
            if chosen.random() < 0.2:
                connection.execute(delete(Dossier).where(some, Dossier.number % 5 == 0))
            else:
                changed = {name: values[name] for name in chosen.sample(sorted(kept), 2)}
                connection.execute(update(Dossier).where(some).values(changed))
        if chosen.random() < 0.3:
            sum_up(harness)
        assert tallied(harness) == counted(harness)


def test_what_is_rolled_back_is_not_counted(harness: Harness) -> None:
    with harness.runtime.database.engine.connect() as connection:
        connection.execute(insert(Dossier), [row(1, random.Random(1))])
        connection.rollback()
    assert tallied(harness) == Counter()


def test_the_service_is_counted_as_it_works(harness: Harness) -> None:
    for _ in range(3):
        harness.file()
    harness.wait(seconds=20)
    harness.run()
    assert tallied(harness) == counted(harness)
    assert outcomes(harness, Metric.DELIVERIES) == {"sent": 3}
    assert outcomes(harness, Metric.ATTEMPTS) == {"sent": 3}
    sum_up(harness)
    assert tallied(harness) == counted(harness)
    assert {cell.procedure for cell in cells(harness, Metric.DOSSIERS)} == {PARIS_FORM}


def test_latencies_are_counted_in_their_buckets(harness: Harness) -> None:
    harness.run()
    harness.wait(hours=1)
    harness.file()
    harness.wait(seconds=20)
    harness.run()
    expected = {"30": 1, SUM: 20}
    assert outcomes(harness, Metric.FILED_TO_SEEN) == expected
    assert outcomes(harness, Metric.FILED_TO_SENT) == expected
    sum_up(harness)
    assert outcomes(harness, Metric.FILED_TO_SEEN) == expected
    assert outcomes(harness, Metric.FILED_TO_SENT) == expected


def test_what_is_caught_up_on_is_no_latency(harness: Harness) -> None:
    harness.file(filed_at=START - timedelta(days=30))
    harness.run()
    assert outcomes(harness, Metric.FILED_TO_SEEN) == {}
    assert outcomes(harness, Metric.FILED_TO_SENT) == {}


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    [(-3, "5"), (0, "5"), (5, "5"), (6, "15"), (86_400, "86400"), (86_401, BEYOND)],
)
def test_a_latency_falls_into_one_bucket(harness: Harness, seconds: int, bucket: str) -> None:
    new = row(1, random.Random(1)) | {"filed_at": START - timedelta(seconds=seconds)}
    with harness.runtime.database.begin() as connection:
        connection.execute(insert(Dossier), [new])
    found = outcomes(harness, Metric.FILED_TO_SEEN)
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
    harness: Harness, before: dict[str, object], after: dict[str, object], event: str | None
) -> None:
    with harness.runtime.database.begin() as connection:
        connection.execute(insert(Delivery), [delivery(**before)])
    with harness.runtime.database.begin() as connection:
        connection.execute(update(Delivery).values(**after))
    assert outcomes(harness, Metric.ATTEMPTS) == ({event: 1} if event else {})
    waiting = {"sending": "pending"}.get(str(after["state"]), after["state"])
    assert outcomes(harness, Metric.DELIVERIES) == {waiting: 1}
    with harness.runtime.database.begin() as connection:
        connection.execute(delete(Delivery))
    assert outcomes(harness, Metric.DELIVERIES) == {}
    assert outcomes(harness, Metric.ATTEMPTS) == ({event: 1} if event else {})


def test_requests_are_added(harness: Harness) -> None:
    for _ in range(2):
        with harness.runtime.database.begin() as connection:
            tallies.add_requests(connection, {"200": 3, "tps-timeout": 1})
        sum_up(harness)
    assert outcomes(harness, Metric.REQUESTS) == {"200": 6, "tps-timeout": 2}


def test_summing_up_leaves_no_delta(harness: Harness) -> None:
    harness.file()
    harness.run()
    sum_up(harness)
    with harness.runtime.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(TallyDelta)) == 0
        assert connection.scalar(select(func.count()).select_from(Tally))


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
def test_two_that_sum_up_at_once_count_once(harness: Harness) -> None:
    harness.file()
    harness.run()
    before = tallied(harness)
    other = threading.Thread(target=sum_up, args=[harness])
    with harness.runtime.database.begin() as connection:
        tallies.sum_up(connection)
        other.start()
        until(lambda: _waits(harness), "the other one waits")
    other.join(10)
    assert tallied(harness) == before


def _waits(harness: Harness) -> bool:
    query = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with harness.runtime.database.read() as connection:
        return bool(connection.scalar(query))


def test_the_migration_counts_what_is_there(harness: Harness) -> None:
    for _ in range(2):
        harness.file()
    harness.run()
    before = {metric: cells(harness, metric) for metric in (Metric.DOSSIERS, Metric.DELIVERIES)}
    with harness.runtime.database.begin() as connection:
        command.downgrade(schema._config(connection), "0007")
    schema.upgrade(harness.runtime.database)
    assert {metric: cells(harness, metric) for metric in before} == before
