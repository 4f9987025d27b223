"""Ticks that come twice have one effect, and no second chain of messages grows beside another."""

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from service import sweep
from service.deliver import deliver
from service.guards.limits import LEASE
from service.poll import PollOutcome, poll
from service.route import route
from simulator import Server
from store import dossier_claims
from store.leases import Lease
from tasks.wakeups import Wakeups
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness, make_harness
from tests.fixtures.processes import ROOT, clean_environment
from tests.fixtures.redis import RedisServer, redis_server
from tests.fixtures.redis_state import Share
from tests.fixtures.smtp import SmtpServer


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


# --- notes of messages that wait ----------------------------------------------------------------


def test_one_message_waits_for_each_work(server: RedisServer, share: Share) -> None:
    one, two = (Wakeups(share(server.url)) for _ in range(2))
    assert one.note("wif.route-dossiers", (1,))
    assert not two.note("wif.route-dossiers", (1,))
    assert two.note("wif.route-dossiers", (2,))
    two.taken("wif.route-dossiers", (1,))
    assert one.note("wif.route-dossiers", (1,))


def test_without_redis_every_wake_up_is_sent(server: RedisServer, share: Share) -> None:
    server.kill()
    for shared in (share(None), share(server.url)):
        wakeups = Wakeups(shared)
        assert all(wakeups.note("wif.deliver", ()) for _ in range(3))


def test_an_emptied_broker_forgets_the_notes_with_the_messages(
    server: RedisServer, share: Share
) -> None:
    shared = share(server.url)
    wakeups = Wakeups(shared)
    wakeups.note("wif.deliver", ())
    assert shared.client is not None
    shared.client.flushall()
    assert wakeups.note("wif.deliver", ())


WAKE = """
from tasks.celery import runtime
waker = runtime().waker
for _ in range(5):
    waker.route(1); waker.route(2); waker.deliver("mail")
of_sweep = waker.for_sweep()
of_sweep.route(1)
"""


def test_many_wake_ups_make_one_message_and_the_sweep_one_more(
    server: RedisServer, tmp_path: Path
) -> None:
    settings = {"WIF_BROKER_URL": server.url, "WIF_VAR_DIR": str(tmp_path)}
    command = [sys.executable, "-c", WAKE]
    subprocess.run(command, env=clean_environment(settings), cwd=ROOT, check=True, timeout=60)
    with redis.Redis.from_url(server.url) as client:
        assert client.llen("wif:route") == 3
        assert client.llen("wif:deliver") == 1


# --- ticks that come twice ----------------------------------------------------------------------


def test_a_tick_that_comes_twice_polls_once(harness: Harness) -> None:
    harness.run()
    harness.wait(minutes=1)
    harness.tps.requests.clear()
    for _ in range(2):
        sweep.wake_due_polls(harness.runtime)
        for number in (PARIS_FORM, OTHER_FORM):
            poll(harness.runtime, number, only_due=True)
    lists = Counter(seen.path for seen in harness.tps.requests)
    assert lists == {f"/api/v1/procedures/{n}/dossiers": 1 for n in (PARIS_FORM, OTHER_FORM)}


def test_without_that_check_it_would_be_polled_twice(harness: Harness) -> None:
    harness.run()
    harness.wait(minutes=1)
    harness.tps.requests.clear()
    outcomes = [poll(harness.runtime, PARIS_FORM).outcome for _ in range(2)]
    assert outcomes == [PollOutcome.DONE] * 2


def test_everything_done_twice_at_once_has_one_effect(
    database_url: str, tps: Server, smtp: SmtpServer, tmp_path: Path
) -> None:
    harnesses = [make_harness(database_url, tps, tmp_path, smtp_url=smtp.url) for _ in range(2)]
    for _ in range(30):
        harnesses[0].file()
    harnesses[0].register()
    barrier = threading.Barrier(2)

    def tick(harness: Harness) -> None:
        barrier.wait()
        sweep.wake_due_polls(harness.runtime)
        poll(harness.runtime, PARIS_FORM, only_due=True)
        barrier.wait()
        sweep.sweep(harness.runtime)
        route(harness.runtime, PARIS_FORM)
        barrier.wait()
        sweep.sweep(harness.runtime)
        deliver(harness.runtime)

    threads = [threading.Thread(target=tick, args=[harness]) for harness in harnesses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(smtp.messages) == 30
    assert len({each.message_id for each in smtp.messages}) == 30
    steps = Counter(harnesses[0].steps())
    assert steps["seen"] == steps["queued"] == steps["sent"] == 30
    for harness in harnesses:
        harness.runtime.close()


def test_what_a_dead_worker_held_is_swept_up_when_its_lease_ends(harness: Harness) -> None:
    number = harness.file()
    harness.register()
    poll(harness.runtime, PARIS_FORM, full=True)
    with harness.runtime.database.begin() as connection:
        dossier_claims.claim(
            connection, PARIS_FORM, limit=10, lease=Lease(harness.now, LEASE), now=harness.now
        )
    assert sweep.sweep(harness.runtime).procedures == 0
    harness.now += LEASE
    assert sweep.sweep(harness.runtime).procedures == 1
    route(harness.runtime, PARIS_FORM)
    assert harness.dossier(number).status.value == "routed"


def test_the_sweep_wakes_polls_that_are_due(harness: Harness) -> None:
    """A message that was taken and lost with its worker is still noted to wait."""
    harness.register()
    harness.waker.woken.clear()

    sweep.sweep(harness.runtime, harness.waker)

    assert harness.waker.woken[f"poll {PARIS_FORM}"] == 1
