"""`/metrics`, on the private address."""

import time
from collections.abc import Iterator, Sequence

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from service.metrics import Snapshot, take
from service.runtime import Runtime
from web.hints.counts import COUNTS
from web.metrics import families as metric
from web.metrics.render import render
from web.metrics.samples import Sample, build, samples


def routes(runtime: Runtime) -> Sequence[BaseRoute]:
    """`/metrics`."""

    def metrics(_request: Request) -> Response:
        return Response(page(runtime), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return [Route("/metrics", metrics)]


def page(runtime: Runtime) -> bytes:
    """All metrics; without the database what can be told without it, and that it is away."""
    started = time.perf_counter()
    try:
        seen = take(runtime)
    except SQLAlchemyError:
        return render([*_own(), Sample(metric.DATABASE, (), 0)], None)
    found = [*_own(), *_of_database(seen)]
    elapsed = time.perf_counter() - started
    return render([*found, Sample(metric.DURATION, (), elapsed)], seen.rules)


def _own() -> Iterator[Sample]:
    yield from build()
    for (kind, outcome), count in COUNTS.items():
        yield Sample(metric.HINTS, (kind.value, outcome.value), count)


def _of_database(seen: Snapshot) -> Iterator[Sample]:
    yield Sample(metric.DATABASE, (), 1)
    yield from samples(seen)
