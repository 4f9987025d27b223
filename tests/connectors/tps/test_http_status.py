"""What each HTTP status means, and how long TPS asks to wait."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.retry_after import LONGEST_RETRY_AFTER, seconds_to_wait
from connectors.tps.http_status import cause_of
from routing.failures import Action, Cause, Failure

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def meaning(status: int) -> Action | None:
    """What is done about an answer; None where nothing is wrong with it."""
    if status == 200:
        return None
    if status in {408, 425, *range(500, 600)}:
        return Action.RETRY
    if status == 429:
        return Action.THROTTLED
    if status in {401, 403} or 300 <= status < 400:
        return Action.STOP_PROCEDURE
    return Action.PERMANENT


def test_every_status_has_one_meaning() -> None:
    causes = {status: cause_of(status) for status in range(100, 600)}
    actions = {
        status: Failure(cause, status=status).action if cause else None
        for status, cause in causes.items()
    }
    assert actions == {status: meaning(status) for status in actions}


def test_not_found_is_told_from_rejected() -> None:
    assert [cause_of(status) for status in (404, 410, 400, 204)] == [
        Cause.TPS_NOT_FOUND,
        Cause.TPS_NOT_FOUND,
        Cause.TPS_REJECTED,
        Cause.TPS_REJECTED,
    ]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Mon, 02 Nov 2026 09:31:30 GMT", 90.0),
        ("Mon, 02 Nov 2026 10:31:30 +0100", 90.0),
        ("Mon, 02 Nov 2026 09:00:00 GMT", 0.0),
        ("99999999999999999999999999", LONGEST_RETRY_AFTER),
        ("9" * 10_000, LONGEST_RETRY_AFTER),
        ("Mon, 02 Nov 2099 09:31:30 GMT", LONGEST_RETRY_AFTER),
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("١٢", None),
        ("soon", None),
        ("Mon, 99 Nov 2026 09:31:30 GMT", None),
        ("Mon, 02 Nov 2026 09:31:30 +99999999999", None),
    ],
)
def test_retry_after_is_read_in_seconds_and_as_a_date(
    header: str | None, seconds: float | None
) -> None:
    assert seconds_to_wait(header, NOW) == seconds


@given(st.integers(min_value=0, max_value=86_400))
def test_a_date_and_the_seconds_until_it_are_the_same(seconds: int) -> None:
    until = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert seconds_to_wait(until, NOW) == seconds_to_wait(str(seconds), NOW) == seconds


@given(st.text())
def test_no_header_breaks_the_reader(header: str) -> None:
    waited = seconds_to_wait(header, NOW)
    assert waited is None or 0 <= waited <= LONGEST_RETRY_AFTER
