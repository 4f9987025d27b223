"""Attempts at deliveries, one after the other or one address beside the other.

No database connection is held while a server is spoken to.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, SimpleQueue
from threading import Event

from config import logs
from connectors.channel import Blame, Channel, ChannelSession, Receipt
from routing.failures import Cause, Failure
from service.clock import Clock
from service.guards.limits import WORK_BUDGET
from service.guards.time_limit import TimeLimitReached
from service.notices import Job, Unmade
from store.delivery_claims import ClaimedDelivery

log = logs.get_logger("tasks")

IDLE_SECONDS = 0.5
"""After this without any result, those that are there are worth a commit."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a delivery.

    Attributes:
        delivery: the claimed one.
        failure: why it was not made, None when it was.
        address: where it was sent; None when nobody was asked.
        duration_ms: how long it took.
        cut_off: our own time was up before its end was known.
        receipt: what the channel knows beyond that it did not fail; None: nothing.
    """

    delivery: ClaimedDelivery
    failure: Failure | None
    address: str | None = None
    duration_ms: int = 0
    cut_off: bool = False
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How a batch is sent.

    Attributes:
        channel: on which.
        session: open on that channel.
        clock: the present instant.
        stopping: whether this process was told to begin nothing new.
        rests: whether the breaker of a unit's address is open.
        begun: ids of the deliveries with which an attempt was begun; added to before each.
    """

    channel: Channel
    session: ChannelSession
    clock: Clock
    stopping: Callable[[], bool]
    rests: Callable[[str], bool]
    begun: set[int]


def send(how: Sending, jobs: Sequence[Job | Unmade]) -> Iterator[Attempt | None]:
    """Each attempt as soon as its end is known; None when nothing ended for a moment.

    What is not begun any more, for want of time or because an address rests, is left out. Stop
    iterating to leave out the rest.
    """
    if how.channel.addresses_at_once > 1:
        return _side_by_side(how, jobs)
    return _in_turn(how, jobs)


def _in_turn(how: Sending, jobs: Sequence[Job | Unmade]) -> Iterator[Attempt]:
    started_at = how.clock()
    for job in jobs:
        if how.rests(job.delivery.unit):
            continue
        if how.stopping():
            return
        how.begun.add(job.delivery.id)
        yield make_attempt(how, job)
        if how.clock() - started_at > WORK_BUDGET:
            return


def _side_by_side(how: Sending, jobs: Sequence[Job | Unmade]) -> Iterator[Attempt | None]:
    """A thread for each address, in which its deliveries keep their order."""
    by_address: dict[str, list[Job | Unmade]] = defaultdict(list)
    for job in jobs:
        if not how.rests(job.delivery.unit):
            by_address[job.delivery.unit].append(job)
    results: SimpleQueue[Attempt | None] = SimpleQueue()
    enough, started_at = Event(), how.clock()
    unfinished = {each.delivery.id: each.delivery for its in by_address.values() for each in its}
    pool = ThreadPoolExecutor(how.channel.addresses_at_once, "deliver")
    try:
        for its_jobs in by_address.values():
            pool.submit(_work_on, how, its_jobs, results, enough, started_at)
        for attempt in _collected(results, len(by_address)):
            if attempt is not None:
                unfinished.pop(attempt.delivery.id, None)
            yield attempt
    except TimeLimitReached:
        # Whether they arrived is not known, so they were attempts.
        log.warning("time-is-up", count=len(unfinished))
        for delivery in [each for id_, each in unfinished.items() if id_ in how.begun]:
            yield Attempt(delivery, Failure(how.channel.timeout), cut_off=True)
    finally:
        enough.set()
        pool.shutdown(wait=False, cancel_futures=True)


_END: None = None


def _collected(results: "SimpleQueue[Attempt | None]", addresses: int) -> Iterator[Attempt | None]:
    """Attempts as they come, until the end of each address was put among them."""
    while addresses:
        try:
            found = results.get(timeout=IDLE_SECONDS)
        except Empty:
            yield None
            continue
        if found is _END:
            addresses -= 1
        else:
            yield found


def _work_on(
    how: Sending,
    jobs: Sequence[Job | Unmade],
    results: "SimpleQueue[Attempt | None]",
    enough: Event,
    started_at: datetime,
) -> None:
    """The deliveries to one address, until it fails: the rest waits for the next batch."""
    try:
        for job in jobs:
            if enough.is_set() or how.stopping() or how.clock() - started_at > WORK_BUDGET:
                return
            how.begun.add(job.delivery.id)
            attempt = make_attempt(how, job)
            results.put(attempt)
            failure = attempt.failure
            if failure is not None and _stops_address(how.channel, failure):
                return
    finally:
        results.put(_END)


def _stops_address(channel: Channel, failure: Failure) -> bool:
    fails = channel.blame(failure) in {Blame.ADDRESS, Blame.UNCLEAR, Blame.WAY}
    return fails or failure.cause in channel.disabling


def make_attempt(how: Sending, job: Job | Unmade) -> Attempt:
    """Make one delivery; an error is in the attempt, and nothing is raised."""
    if isinstance(job, Unmade):
        return Attempt(job.delivery, job.failure)
    failure, receipt, cut_off = None, None, False
    started_at = how.clock()
    try:
        receipt = how.session.send(job.notice, job.address)
    except Failure as found:
        failure = found
    except TimeLimitReached:
        # Whether it arrived is not known, so it was an attempt.
        log.warning("time-is-up", delivery=job.delivery.id)
        failure, cut_off = Failure(how.channel.timeout), True
    except Exception:
        # One delivery that our own code cannot make must not keep the others.
        log.exception("delivery-failed", delivery=job.delivery.id)
        failure = Failure(Cause.INTERNAL)
    elapsed = (how.clock() - started_at).total_seconds()
    took = max(0, int(elapsed * 1000))
    return Attempt(job.delivery, failure, job.address, took, cut_off, receipt)
