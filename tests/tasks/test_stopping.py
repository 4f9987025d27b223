"""A worker that gets SIGTERM finishes or gives back what it holds, within the soft shutdown."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import celery.__main__
import pytest
from sqlalchemy import select

import tasks.celery
from service.guards.limits import FINISH_WITHIN, SOFT_SHUTDOWN
from service.poll import poll
from service.route import route
from simulator import FaultKind, Server
from simulator.seen import Seen
from store.models import Delivery, Dossier, Procedure
from tasks import stopping
from tasks.stopping import StopFlag
from tests.fixtures.forked_programs import ForkedProgram, fork
from tests.fixtures.harness import PARIS_FORM, Harness, make_harness
from tests.fixtures.processes import ROOT, clean_environment, until
from tests.fixtures.redis import redis_server
from tests.fixtures.smtp import SmtpServer
from tests.fixtures.smtp_faults import At, Fault

QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")


def work() -> None:
    """A worker that cuts off what hangs when it was told to stop, after as many seconds."""
    after = timedelta(seconds=float(sys.argv[1]))
    vars(tasks.celery)["cut_off_later"] = partial(stopping.cut_off_later, after=after)
    queues = "--queues=poll,route,deliver,upkeep"
    sys.argv = ["celery", "-A", "tasks", "worker", "--concurrency=2", *QUIET, queues]
    celery.__main__.main()


@contextmanager
def worker(harness: Harness, broker: str, *, cut_off_after: float) -> Iterator[ForkedProgram]:
    """A real worker on the harness's database, TPS and mail server; killed at the end."""
    settings = harness.runtime.settings
    smtp = settings.smtp_url.get_secret_value() if settings.smtp_url else ""
    environment = {
        "WIF_BROKER_URL": broker,
        "WIF_DATABASE_URL": settings.database_url.get_secret_value(),  # type: ignore[union-attr]
        "WIF_TPS_URL": str(settings.tps_url),
        "WIF_TPS_API": settings.tps_api.value,
        "WIF_TPS_TOKEN": harness.tps.token,
        "WIF_TPS_PROCEDURES": str(PARIS_FORM),
        "WIF_TPS_READ_TIMEOUT": "60",
        "WIF_VAR_DIR": str(settings.var_dir),
        "WIF_SMTP_URL": smtp,
    }
    process = fork(
        work,
        ["worker", str(cut_off_after)],
        environment=clean_environment(environment),
        folder=ROOT,
        output=settings.var_dir / "worker.log",
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def harness(database_url: str, tps: Server, smtp: SmtpServer, tmp_path: Path) -> Iterator[Harness]:
    """A harness whose clock is the machine's, because a worker's is."""
    made = make_harness(database_url, tps, tmp_path, smtp_url=smtp.url)
    made.runtime.clock = lambda: type(made.now).now(made.now.tzinfo)
    made.now = made.runtime.clock()
    yield made
    made.runtime.close()


def queue(harness: Harness, count: int) -> None:
    """List `count` dossiers, so that the sweep wakes a worker for them."""
    for _ in range(count):
        harness.file()
    harness.register()
    poll(harness.runtime, PARIS_FORM, full=True)


def claims(harness: Harness) -> int:
    """How many rows are claimed."""
    with harness.runtime.database.read() as connection:
        return sum(
            len(connection.execute(select(model).where(model.lease_token.is_not(None))).all())
            for model in (Dossier, Delivery, Procedure)
        )


def attempts(harness: Harness, *states: str) -> list[int]:
    with harness.runtime.database.read() as connection:
        query = select(Dossier.attempts).where(Dossier.status.in_(states))
        return list(connection.execute(query).scalars())


def stop(process: ForkedProgram) -> float:
    """Stop it as an operator would; the seconds that it took."""
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(SOFT_SHUTDOWN.total_seconds())
    return time.monotonic() - started


def slowly(_seen: Seen) -> None:
    time.sleep(0.3)


def test_a_batch_under_way_is_cut_short_and_the_rest_given_back(harness: Harness) -> None:
    queue(harness, 45)
    harness.tps.on_request = slowly
    with redis_server() as broker, worker(harness, broker.url, cut_off_after=10) as process:
        until(lambda: harness.tps.served > 6, "some dossiers are read")
        assert claims(harness) > 0
        took = stop(process)
        read = harness.tps.served
    assert took < 5
    assert claims(harness) == 0
    assert attempts(harness, "routed")
    assert attempts(harness, "pending") == [0] * (45 - len(attempts(harness, "routed")))
    assert read < 45
    harness.tps.on_request = None
    harness.run()
    assert len(attempts(harness, "routed")) == 45


def test_a_call_that_hangs_is_cut_off_and_given_back_without_an_attempt(harness: Harness) -> None:
    queue(harness, 3)
    served = harness.tps.served
    harness.tps.fail_all(FaultKind.HANG)
    with redis_server() as broker, worker(harness, broker.url, cut_off_after=1) as process:
        until(lambda: harness.tps.served > served and claims(harness) >= 3, "a call hangs")
        took = stop(process)
    assert took < 8
    assert claims(harness) == 0
    assert attempts(harness, "pending") == [0, 0, 0]
    harness.tps.heal()
    harness.run()
    assert len(attempts(harness, "routed")) == 3


def test_without_the_cut_off_the_hanging_call_is_waited_for(harness: Harness) -> None:
    queue(harness, 3)
    served = harness.tps.served
    harness.tps.fail_all(FaultKind.HANG)
    with redis_server() as broker, worker(harness, broker.url, cut_off_after=600) as process:
        until(lambda: harness.tps.served > served and claims(harness) >= 3, "a call hangs")
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(6)


def test_messages_under_way_are_stored_and_the_rest_given_back(
    harness: Harness, smtp: SmtpServer
) -> None:
    queue(harness, 30)
    with harness.runtime.database.read() as connection:
        assert connection.execute(select(Delivery.id)).first() is None
    while route(harness.runtime, PARIS_FORM).more:
        pass
    smtp.play(Fault(at=At.CONTENT, recipient="moe.ud075@direccte.example"))
    with redis_server() as broker, worker(harness, broker.url, cut_off_after=1) as process:
        until(lambda: smtp.commands[At.RCPT] > 0 and claims(harness) >= 30, "a message hangs")
        took = stop(process)
    assert took < 8
    assert claims(harness) == 0
    states = sorted((each.state, each.attempts) for each in harness.deliveries())
    assert states == [("pending", 0)] * 29 + [("pending", 1)]
    smtp.behave()
    harness.runtime.clock = lambda: harness.now
    harness.wait(hours=1)
    harness.run()
    assert len(smtp.messages) == 30


def test_the_flag_is_seen_by_children_forked_before() -> None:
    flag = StopFlag()
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(ready, 1)
        os._exit(7 if flag() else 1)
    flag.set()
    os.write(told, b".")
    _, status = os.waitpid(child, 0)
    os.close(ready)
    os.close(told)
    assert os.waitstatus_to_exitcode(status) == 7


def test_what_is_cut_off_still_has_time_to_be_given_back() -> None:
    assert FINISH_WITHIN.total_seconds() <= SOFT_SHUTDOWN.total_seconds() - 10
