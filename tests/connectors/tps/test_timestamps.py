"""Instants as TPS has written them over the years."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.tps.timestamps import parse_timestamp


@pytest.mark.parametrize(
    "text",
    [
        "2018-08-20T15:09:30.412Z",
        "2018-08-20T17:09:30.412+02:00",
        " 2018-08-20T15:09:30.412+00:00 ",
        "2018-08-20T05:09:30.412-10:00",
    ],
)
def test_any_offset_names_the_same_instant(text: str) -> None:
    moment = parse_timestamp(text)
    assert moment == datetime(2018, 8, 20, 15, 9, 30, 412_000, tzinfo=UTC)
    assert moment is not None
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "2018-09-013",
        "2018-09-31T10:00:00Z",
        "2018-08-20",
        "2018-08-20T15:09:30",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        1534777770,
        ["2018-08-20T15:09:30Z"],
        True,
    ],
)
def test_what_names_no_instant_is_none(value: object) -> None:
    assert parse_timestamp(value) is None


@given(st.text() | st.datetimes().map(datetime.isoformat))
def test_no_text_breaks_the_reader(text: str) -> None:
    moment = parse_timestamp(text)
    assert moment is None or moment.tzinfo is UTC


@given(
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=365 * 150)),
    st.integers(min_value=-14 * 60, max_value=14 * 60),
)
def test_what_is_written_is_read_again(since: timedelta, minutes: int) -> None:
    written = (datetime(2001, 1, 1, tzinfo=UTC) + since).astimezone(
        timezone(timedelta(minutes=minutes))
    )
    assert parse_timestamp(written.isoformat()) == written
