"""Alert rules and dashboard: they name metrics that there are, and each alert fires and ends."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from web.metrics.families import ALL, Shape

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboards" / "wif.json"
RUNBOOK = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="no promtool here: apt-get install prometheus"
)


def loaded(name: str) -> Any:  # noqa: ANN401
    return YAML(typ="safe").load((PROMETHEUS / name).read_text(encoding="utf-8"))


ALERTS: list[dict[str, Any]] = loaded("alerts.yml")["groups"][0]["rules"]
TESTS: list[dict[str, Any]] = loaded("alerts_test.yml")["tests"]
PANELS: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]


def names() -> Iterator[str]:
    for metric in ALL:
        match metric.shape:
            case Shape.COUNTER:
                yield f"{metric.name}_total"
            case Shape.HISTOGRAM:
                yield f"{metric.name}_bucket"
            case Shape.GAUGE:
                yield metric.name


def queries() -> dict[str, str]:
    alerts = {alert["alert"]: alert["expr"] for alert in ALERTS}
    panels = {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in PANELS
        for target in panel["targets"]
    }
    return alerts | panels


def promtool(*arguments: str, folder: Path = PROMETHEUS) -> str:
    program = shutil.which("promtool")
    assert program is not None
    done = subprocess.run(
        [program, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("query", queries().values(), ids=queries())
def test_a_query_asks_for_metrics_and_labels_that_there_are(query: str) -> None:
    assert set(re.findall(r"wif_\w+", query)) <= set(names())
    labels = {label.value for metric in ALL for label in metric.labels} | {"job", "le"}
    asked = re.findall(r"(\w+)(?:=~|!~|!=|=)\"", query)
    grouped = [word for words in re.findall(r"by \(([^)]*)\)", query) for word in words.split(", ")]
    assert set(asked) | set(grouped) <= labels


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_has_a_line_in_the_runbook_and_fires_and_ends_in_a_test(
    alert: dict[str, Any],
) -> None:
    name = alert["alert"]
    assert alert["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}"
    assert f'<a id="{name.lower()}"></a>`{name}`' in RUNBOOK
    (tested,) = [test for test in TESTS if test["name"] == name]
    fired = ["exp_alerts" in each for each in tested["alert_rule_test"]]
    assert fired == [False, True, False]


def test_the_runbook_names_no_other_alert() -> None:
    assert re.findall(r"`(Wif\w+)` \| ", RUNBOOK) == [alert["alert"] for alert in ALERTS]


@needs_promtool
def test_every_alert_fires_and_ends() -> None:
    promtool("check", "config", "prometheus.yml")
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml")


@needs_promtool
def test_prometheus_can_read_the_queries_of_the_dashboard(tmp_path: Path) -> None:
    rules = [
        {
            "record": f"panel:{number}",
            "expr": query.replace("$__rate_interval", "5m").replace("$procedure", ".*"),
        }
        for number, query in enumerate(queries().values())
    ]
    document = {"groups": [{"name": "panels", "rules": rules}]}
    (tmp_path / "panels.yml").write_text(json.dumps(document), encoding="utf-8")
    promtool("check", "rules", "--lint=none", "panels.yml", folder=tmp_path)
