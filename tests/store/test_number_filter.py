"""A condition on many numbers: one parameter, the same statement however many there are."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from store.base import table_of
from store.engine import Database
from store.models import Procedure
from store.number_filter import number_in
from store.procedures import register

NUMBER = table_of(Procedure).c.number
FOUND = select(NUMBER).where(number_in(NUMBER, "numbers")).order_by(NUMBER)


@pytest.mark.parametrize("wanted", [[], [2], [1, 3], list(range(2_000))], ids=len)
def test_rows_with_one_of_the_numbers_are_found(database_url: str, wanted: list[int]) -> None:
    database = Database(database_url)
    with database.begin() as connection:
        register(connection, [1, 2, 3], datetime(2026, 11, 23, tzinfo=UTC))
        found = connection.execute(FOUND, {"numbers": wanted}).scalars().all()
    assert found == sorted({1, 2, 3} & set(wanted))
    database.close()
