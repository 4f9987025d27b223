"""The time limits hold together: no two workers can ever hold the same claim."""

from datetime import timedelta

import pytest
from annotated_types import Le

import celeryconfig
from config.settings import Settings
from connectors.mail.smtp_session import Timeouts
from service.guards import limits
from service.guards.limits import LimitsOutOfOrder
from tasks import schedule

SERVER_ANSWERS = timedelta(seconds=30)
"""How long a statement or two may take besides: much longer than they do."""


def test_budget_below_soft_below_hard_below_lease_below_visibility() -> None:
    ordered = [
        limits.WORK_BUDGET,
        limits.SOFT_TIME_LIMIT,
        limits.HARD_TIME_LIMIT,
        limits.LEASE,
        limits.VISIBILITY_TIMEOUT,
    ]
    assert ordered == sorted(set(ordered))
    limits.check()


def test_celery_is_given_these_limits() -> None:
    soft, hard = celeryconfig.task_soft_time_limit, celeryconfig.task_time_limit
    visibility = celeryconfig.broker_transport_options["visibility_timeout"]
    assert soft == limits.SOFT_TIME_LIMIT.total_seconds()
    assert hard == limits.HARD_TIME_LIMIT.total_seconds()
    assert visibility == limits.VISIBILITY_TIMEOUT.total_seconds()
    assert celeryconfig.worker_soft_shutdown_timeout == limits.SOFT_SHUTDOWN.total_seconds()
    assert soft < hard < limits.LEASE.total_seconds() < visibility


def test_a_tps_answer_that_begins_in_the_last_moment_ends_before_the_soft_limit() -> None:
    (largest,) = (
        bound.le
        for bound in Settings.model_fields["tps_connect_timeout"].metadata
        if isinstance(bound, Le)
    )
    assert timedelta(seconds=float(str(largest))) <= limits.TPS_CONNECT
    assert limits.WORK_BUDGET + limits.TPS_ANSWER + limits.TPS_CONNECT < limits.SOFT_TIME_LIMIT


def test_a_message_that_begins_in_the_last_moment_ends_before_the_soft_limit() -> None:
    times = Timeouts()
    longest = timedelta(seconds=times.before + times.acceptance)
    assert longest < limits.SMTP_CONVERSATION
    assert limits.WORK_BUDGET + limits.SMTP_CONVERSATION < limits.SOFT_TIME_LIMIT


def test_a_lease_outlives_work_that_no_time_limit_ends() -> None:
    """`wif run-once` runs without Celery and its limits."""
    assert limits.WORK_BUDGET + limits.LONGEST_CALL + SERVER_ANSWERS < limits.LEASE


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("WORK_BUDGET", limits.SOFT_TIME_LIMIT),
        ("SOFT_TIME_LIMIT", limits.HARD_TIME_LIMIT),
        ("HARD_TIME_LIMIT", limits.LEASE),
        ("LEASE", limits.VISIBILITY_TIMEOUT),
        ("VISIBILITY_TIMEOUT", limits.LEASE),
    ],
)
def test_limits_out_of_order_end_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, wrong: timedelta
) -> None:
    monkeypatch.setattr(limits, name, wrong)
    with pytest.raises(LimitsOutOfOrder, match=name):
        limits.check()


def test_every_tick_expires_before_the_next_one() -> None:
    for name, entry in schedule.beat_entries(Settings()).items():
        assert 0 < entry["options"]["expires"] < entry["schedule"], name
