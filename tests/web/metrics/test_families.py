"""Guards: which metrics there are, and that none can be divided by anything personal."""

import pytest

from web.metrics.families import ALL, Label, Metric, Shape
from web.metrics.labels import CHECKS, NONE, OTHER, shown
from web.metrics.render import render
from web.metrics.samples import Sample

SOMEBODY = ["Dupont", "a@b.example", "123456", "75011", "+33 1", "ALGERIE", "a\nb", "é", "UD075 x"]


def test_labels_are_those_that_have_few_values() -> None:
    assert {str(label) for label in Label} == {
        *("procedure", "permit_type", "department", "channel", "outcome", "status", "cause"),
        *("kind", "what", "part", "version", "rule_set"),
    }
    assert CHECKS.keys() == set(Label)


@pytest.mark.parametrize("label", Label)
@pytest.mark.parametrize("value", SOMEBODY)
def test_no_label_shows_what_is_not_known_beforehand(label: Label, value: str) -> None:
    if label is Label.VERSION and value.isdecimal():
        return
    assert shown(label, value, None) == OTHER
    assert shown(label, "", None) == NONE


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_each_metric_is_named_as_prometheus_wants(metric: Metric) -> None:
    assert metric.name.startswith("wif_")
    assert not metric.name.endswith("_total")
    assert metric.help.endswith(".")
    assert set(metric.labels) <= set(Label)
    assert (metric.shape is Shape.HISTOGRAM) <= metric.name.endswith("_seconds")


def test_instants_and_ages_do_not_add_up() -> None:
    assert {metric.name for metric in ALL if not metric.adds_up} == {
        "wif_rule_set_activated_timestamp_seconds",
        "wif_oldest_waiting_seconds",
        "wif_procedure_last_poll_timestamp_seconds",
        "wif_procedure_poll_lag_seconds",
        "wif_audit_sealed_timestamp_seconds",
        "wif_audit_unsealed_seconds",
        "wif_part_seen_timestamp_seconds",
        "wif_hint_heard_timestamp_seconds",
        "wif_metrics_duration_seconds",
    }


def test_names_are_used_once() -> None:
    names = [metric.name for metric in ALL]
    assert len(names) == len(set(names)) == 26


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_what_a_table_should_not_hold_is_not_shown(metric: Metric) -> None:
    labels = tuple("Dupont" for _ in metric.labels)
    bucket = "5" if metric.shape is Shape.HISTOGRAM else None
    text = render([Sample(metric, labels, 1, bucket), Sample(metric, labels, 2, bucket)], None)
    assert b"Dupont" not in text
    if metric.shape is not Shape.HISTOGRAM:
        assert text.decode().splitlines()[-1].endswith(" 3.0" if metric.adds_up else " 2.0")
