"""Many rows in one statement do what one statement for each row would."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from store.bulk import insert_rows, update_leased
from store.engine import Database
from store.models import AuditLine, Dossier

NOW = datetime(2026, 11, 23, 8, 0, 0, 123_456, tzinfo=UTC)
LEASE = "a" * 32
FIXED = (("attempts", 0), ("lease_token", None))


def newcomer(number: int, **values: object) -> dict[str, Any]:
    return {
        "procedure": 1,
        "number": number,
        "status": "pending",
        "seen_at": NOW,
        "last_listed_at": NOW,
        "listed_change_at": None,
        **values,
    }


def found(database: Database, *columns: str) -> list[tuple[Any, ...]]:
    table = Dossier.__table__.c
    query = select(*(table[name] for name in columns)).order_by(Dossier.number)
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(query)]


def test_rows_arrive_with_their_instants_and_with_what_the_table_gives_to_the_rest(
    database: Database,
) -> None:
    with database.begin() as connection:
        insert_rows(connection, Dossier, [newcomer(2), newcomer(3)])
    assert found(database, "number", "seen_at", "listed_change_at", "attempts", "units") == [
        (2, NOW, None, 0, ()),
        (3, NOW, None, 0, ()),
    ]


def test_a_row_whose_key_is_taken_is_left_as_it_is(database: Database) -> None:
    with database.begin() as connection:
        insert_rows(connection, Dossier, [newcomer(2)])
        insert_rows(connection, Dossier, [newcomer(2, status="gone"), newcomer(3, status="gone")])
    assert found(database, "number", "status") == [(2, "pending"), (3, "gone")]


def test_no_rows_are_no_statement(database: Database) -> None:
    with database.begin() as connection:
        insert_rows(connection, Dossier, [])
        update_leased(connection, Dossier, [], keys=("number",), fixed=FIXED, lease=LEASE)
    assert found(database, "number") == []


def settled(number: int, **values: object) -> dict[str, Any]:
    row = {"procedure": 1, "number": number, "status": "routed", "ended_at": None}
    return {**row, "units": ("UD075", "UD02A"), "unrouted": False, "decided_at": NOW, **values}


def settle(database: Database, *rows: dict[str, Any]) -> None:
    with database.begin() as connection:
        update_leased(
            connection,
            Dossier,
            rows,
            keys=("procedure", "number"),
            fixed=FIXED,
            first=("ended_at",),
            lease=LEASE,
        )


def claimed(database: Database, *numbers: int, lease: str = LEASE) -> None:
    with database.begin() as connection:
        insert_rows(connection, Dossier, [newcomer(number) for number in numbers])
        connection.execute(
            update(Dossier).where(Dossier.number.in_(numbers)).values(lease_token=lease, attempts=3)
        )


def test_each_row_is_written_over_its_own_and_gives_its_lease_back(database: Database) -> None:
    claimed(database, 2, 3)
    settle(database, settled(2), settled(3, units=(), unrouted=True))
    columns = ("number", "status", "units", "unrouted", "decided_at", "attempts", "lease_token")
    assert found(database, *columns) == [
        (2, "routed", ("UD075", "UD02A"), False, NOW, 0, None),
        (3, "routed", (), True, NOW, 0, None),
    ]


def test_a_row_that_somebody_else_holds_is_not_touched(database: Database) -> None:
    claimed(database, 2)
    claimed(database, 3, lease="b" * 32)
    settle(database, settled(2), settled(3))
    assert found(database, "number", "status") == [(2, "routed"), (3, "pending")]


def test_a_first_value_stays_until_it_is_taken_away(database: Database) -> None:
    later = NOW + timedelta(days=1)
    for given_at, expected in ((NOW, NOW), (later, NOW), (None, None), (later, later)):
        claimed(database, 2)
        settle(database, settled(2, ended_at=given_at))
        assert found(database, "ended_at") == [(expected,)]


def test_an_instant_without_a_timezone_is_refused(database: Database) -> None:
    naive = newcomer(2, seen_at=NOW.replace(tzinfo=None))
    with pytest.raises(Exception, match="naive"), database.begin() as connection:
        insert_rows(connection, Dossier, [naive])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=32),
        min_size=1,
        max_size=20,
    )
)
def test_whatever_a_text_holds_arrives_unchanged(database: Database, texts: list[str]) -> None:
    with database.begin() as connection:
        rows = [newcomer(number, status=text[:16]) for number, text in enumerate(texts)]
        connection.execute(delete(Dossier))
        insert_rows(connection, Dossier, rows)
    assert found(database, "status") == [(text[:16],) for text in texts]


def test_lines_of_the_audit_keep_their_order(database: Database) -> None:
    steps = [f"step-{number}" for number in range(500)]
    with database.begin() as connection:
        insert_rows(connection, AuditLine, [{"at": NOW, "step": step} for step in steps])
    with database.read() as connection:
        stored = connection.execute(select(AuditLine.step).order_by(AuditLine.id)).scalars()
        assert list(stored) == steps
