"""Due times that only a clock which was wrong can have set become due; all others stay."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from store.clock_repair import LONGEST_POSTPONEMENT, SKEW, put_right
from store.engine import Database
from store.models import Delivery, Dossier, Procedure
from store.schema import upgrade

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
LEASE = timedelta(minutes=4)
POLL = timedelta(minutes=5)
SCAN = timedelta(hours=6)
SECOND = timedelta(seconds=1)

DOSSIER = {"status": "pending", "seen_at": NOW, "last_listed_at": NOW}
DELIVERY = {
    "number": 1,
    "event": "filed",
    "unit": "UD075",
    "channel": "mail",
    "assignment": 1,
    "state": "queued",
    "created_at": NOW,
}
PROCEDURE = {"next_poll_at": NOW, "next_scan_at": NOW}


def store(database: Database, model: Any, **values: Any) -> None:  # noqa: ANN401
    with database.begin() as connection:
        connection.execute(insert(model).values(**values))


def mend(database: Database, now: datetime = NOW) -> int:
    with database.begin() as connection:
        return put_right(connection, now, lease=LEASE, poll_interval=POLL, scan_interval=SCAN)


def value(database: Database, column: Any) -> Any:  # noqa: ANN401
    with database.read() as connection:
        return connection.scalar(select(column))


PROCEDURES = {
    "poll": ({}, "next_poll_at", POLL),
    "poll-that-failed": ({"reason": "tps-server-error"}, "next_poll_at", LONGEST_POSTPONEMENT),
    "poll-of-a-paused-one": ({"status": "paused"}, "next_poll_at", LONGEST_POSTPONEMENT),
    "scan": ({}, "next_scan_at", SCAN),
}


@pytest.mark.parametrize(("values", "column", "longest"), PROCEDURES.values(), ids=PROCEDURES)
def test_a_procedure_is_polled_and_scanned_no_later_than_any_right_clock_would_say(
    database: Database, values: dict[str, Any], column: str, longest: timedelta
) -> None:
    latest = NOW + SKEW + longest
    for due, becomes, changed in ((latest, latest, 0), (latest + SECOND, NOW, 1)):
        with database.begin() as connection:
            connection.execute(delete(Procedure))
        store(database, Procedure, number=1, **{**PROCEDURE, **values, column: due})

        assert mend(database) == changed
        assert value(database, getattr(Procedure, column)) == becomes


def test_a_procedure_held_for_longer_than_a_lease_is_let_go(database: Database) -> None:
    held = {"lease_token": "a" * 32, "lease_until": NOW + SKEW + LEASE}
    store(database, Procedure, number=1, **PROCEDURE, **held)
    assert mend(database) == 0
    assert value(database, Procedure.lease_token) == "a" * 32

    assert mend(database, NOW - SECOND) >= 1
    assert value(database, Procedure.lease_token) is None
    assert value(database, Procedure.lease_until) is None


CLOCKS = {
    "claimed": ({"lease_token": "a" * 32}, LEASE),
    "waiting": ({}, LONGEST_POSTPONEMENT),
    "made-by-a-clock-that-was-ahead": ({"made": NOW + SKEW + SECOND}, timedelta(0)),
}


@pytest.mark.parametrize(
    ("model", "usual", "made"),
    [(Dossier, DOSSIER, "seen_at"), (Delivery, DELIVERY, "created_at")],
    ids=["dossier", "delivery"],
)
@pytest.mark.parametrize(("values", "longest"), CLOCKS.values(), ids=CLOCKS)
def test_work_is_put_off_no_longer_than_any_right_clock_would(
    database: Database,
    model: Any,  # noqa: ANN401
    usual: dict[str, Any],
    made: str,
    values: dict[str, Any],
    longest: timedelta,
) -> None:
    chosen = {made if name == "made" else name: given for name, given in values.items()}
    latest = NOW + SKEW + longest
    key = {"procedure": 1, "number": 1}
    for due, becomes, changed in ((latest, latest, 0), (latest + SECOND, NOW, 1)):
        with database.begin() as connection:
            connection.execute(delete(model))
        store(database, model, **{**usual, **key, **chosen, "next_attempt_at": due})

        assert mend(database) == changed
        assert value(database, model.next_attempt_at) == becomes


def test_what_waits_for_nothing_is_left_alone(database: Database) -> None:
    store(database, Dossier, procedure=1, number=1, **DOSSIER)
    store(database, Delivery, procedure=1, **DELIVERY)

    assert mend(database) == 0
    assert value(database, Dossier.next_attempt_at) is None
    assert value(database, Delivery.next_attempt_at) is None


@pytest.fixture(scope="module")
def emptied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('clocks') / 'wif.sqlite3'}")
    upgrade(database)
    yield database
    database.close()


@given(
    ahead=st.timedeltas(timedelta(0), timedelta(days=800)),
    off=st.timedeltas(timedelta(0), LONGEST_POSTPONEMENT),
    claimed=st.booleans(),
)
def test_however_far_a_clock_was_ahead_nothing_waits_for_longer_than_it_may(
    emptied: Database, ahead: timedelta, off: timedelta, claimed: bool
) -> None:
    then = NOW + ahead
    work = {
        **DOSSIER,
        "seen_at": then,
        "lease_token": "a" * 32 if claimed else None,
        "next_attempt_at": then + (min(off, LEASE) if claimed else off),
    }
    with emptied.begin() as connection:
        for model in (Dossier, Procedure):
            connection.execute(delete(model))
    store(emptied, Dossier, procedure=1, number=1, **work)
    store(emptied, Procedure, number=1, next_poll_at=then + POLL, next_scan_at=then + SCAN)

    changed = mend(emptied)

    assert value(emptied, Procedure.next_poll_at) <= NOW + SKEW + POLL
    assert value(emptied, Procedure.next_scan_at) <= NOW + SKEW + SCAN
    longest = LEASE if claimed else LONGEST_POSTPONEMENT
    assert value(emptied, Dossier.next_attempt_at) <= NOW + SKEW + longest
    assert mend(emptied) == 0
    assert (changed == 0) or ahead > timedelta(0)
