"""Counts of batches add up; what is not a count is that of the later batch."""

from service.route import RouteReport


def test_counts_add_up_and_the_rest_is_the_later() -> None:
    first = RouteReport(routed=2, queued=1, more=True, cause="tps-timeout")
    second = RouteReport(routed=3, more=False)
    total = first + second
    assert (total.routed, total.queued, total.more, total.cause) == (5, 1, False, "tps-timeout")
    assert (second + first).more
