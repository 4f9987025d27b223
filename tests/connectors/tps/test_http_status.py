"""What each HTTP status means."""

from connectors.tps.http_status import cause_of
from routing.failures import Action, Cause, Failure


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
