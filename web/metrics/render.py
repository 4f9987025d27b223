"""Samples as Prometheus reads them, by its official client."""

from collections.abc import Iterable, Mapping
from functools import cache, partial
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family

from routing.ruleset import RuleSet
from store.tallies import BEYOND, BUCKETS, SUM
from web.metrics.families import ALL, Metric, Shape
from web.metrics.labels import shown
from web.metrics.samples import Sample

_BOUNDS = (*map(str, BUCKETS), BEYOND)

Values = dict[tuple[str, ...], dict[str | None, float]]
"""By labels; of a histogram by bucket, too."""


class _Collected:
    """What the client asks a collector for."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        return self._families


def render(found: Iterable[Sample], rules: RuleSet | None) -> bytes:
    """The page. Samples whose labels are shown alike are one: the sum, of instants the latest."""
    grouped: dict[Metric, Values] = {}
    # Few values come again in many samples.
    show = cache(partial(shown, rules=rules))
    for sample in found:
        labels = tuple(map(show, sample.metric.labels, sample.labels))
        values = grouped.setdefault(sample.metric, {}).setdefault(labels, {})
        before = values.get(sample.bucket, 0)
        values[sample.bucket] = (
            before + sample.value if sample.metric.adds_up else max(before, sample.value)
        )
    registry = CollectorRegistry(auto_describe=False)
    families = [_family(metric, grouped[metric]) for metric in ALL if metric in grouped]
    registry.register(_Collected(families))
    return generate_latest(registry)


def _family(metric: Metric, values: Values) -> Family:
    names = [label.value for label in metric.labels]
    if metric.shape is Shape.HISTOGRAM:
        histogram = HistogramMetricFamily(metric.name, metric.help, labels=names)
        for labels, by_bucket in values.items():
            histogram.add_metric(list(labels), _cumulated(by_bucket), by_bucket.get(SUM, 0))
        return histogram
    counts = metric.shape is Shape.COUNTER
    family = (CounterMetricFamily if counts else GaugeMetricFamily)(
        metric.name, metric.help, labels=names
    )
    for labels, value in values.items():
        family.add_metric(list(labels), value[None])
    return family


def _cumulated(by_bucket: Mapping[str | None, float]) -> list[tuple[str, float]]:
    counts = accumulate(by_bucket.get(bound, 0) for bound in _BOUNDS)
    return list(zip(_BOUNDS, counts, strict=True))
