"""How long a peer asks to wait: in seconds or until a date, never for ever."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.retry_after import LONGEST_RETRY_AFTER, seconds_to_wait

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 120 ", 120.0),
        ("0", 0.0),
        ("Mon, 23 Nov 2026 08:01:30 GMT", 90.0),
        ("Mon, 23 Nov 2026 09:01:30 +0100", 90.0),
        ("Mon, 23 Nov 2026 07:00:00 GMT", 0.0),
        ("99999999999999999999", LONGEST_RETRY_AFTER),
        ("9" * 10_000, LONGEST_RETRY_AFTER),
        ("Mon, 23 Nov 2099 08:00:00 GMT", LONGEST_RETRY_AFTER),
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("١٢", None),
        ("soon", None),
        ("Mon, 99 Nov 2026 09:31:30 GMT", None),
        ("Mon, 23 Nov 2026 08:01:30 +99999999999", None),
    ],
)
def test_a_header_asks_for_seconds_or_for_nothing(
    header: str | None, seconds: float | None
) -> None:
    assert seconds_to_wait(header, NOW) == seconds


@given(st.text())
def test_whatever_a_peer_writes_the_wait_has_bounds(header: str) -> None:
    seconds = seconds_to_wait(header, NOW)
    assert seconds is None or 0 <= seconds <= LONGEST_RETRY_AFTER


@given(st.integers(min_value=0, max_value=86_400))
def test_a_date_and_the_seconds_until_it_are_the_same(seconds: int) -> None:
    until = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert seconds_to_wait(until, NOW) == seconds_to_wait(str(seconds), NOW) == seconds
