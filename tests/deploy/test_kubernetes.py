"""What deploy/kubernetes promises, read from the files, and the schemas of two releases."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from config.setting_refusals import ROLES
from config.settings import Settings
from service import queues
from tests.deploy.test_compose import VARIABLES
from tests.fixtures.compose_file import ROOT, services, worker_services
from web.metrics.families import ALL as METRICS

FOLDER = ROOT / "deploy" / "kubernetes"
RELEASES = ("1.34", "1.37")
"""The oldest and the newest release that are supported."""

WORKLOADS = {"Deployment", "StatefulSet", "Job"}
COMPOSE = services(VARIABLES) | worker_services(VARIABLES)


def loaded(path: Path) -> Iterator[dict[str, Any]]:
    # As the tools read them: 0440 is octal.
    loader = YAML(typ="safe", pure=True)
    loader.version = (1, 1)
    yield from loader.load_all(path)


@cache
def resources() -> tuple[dict[str, Any], ...]:
    """What `kubectl kustomize` makes: every resource of the listed files, in the one namespace."""
    (kustomization,) = loaded(FOLDER / "kustomization.yaml")
    return tuple(each for name in kustomization["resources"] for each in loaded(FOLDER / name))


def called(resource: dict[str, Any]) -> str:
    return f"{resource['kind']}/{resource['metadata']['name']}"


def pod(workload: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = workload["spec"]["template"]
    return found


def container(workload: dict[str, Any]) -> dict[str, Any]:
    (found,) = pod(workload)["spec"]["containers"]
    return dict(found)


def environment(workload: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container(workload)["env"]}


WORKING = [each for each in resources() if each["kind"] in WORKLOADS]
BY_NAME = {each["metadata"]["name"]: each for each in WORKING}
LASTING = [each for each in WORKING if each["kind"] != "Job"]
each_workload = pytest.mark.parametrize("workload", WORKING, ids=called)


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [each for each in resources() if each["kind"] == kind]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("resource", resources(), ids=called)
def test_a_resource_is_valid(resource: dict[str, Any], release: str) -> None:
    kubernetes_validate.validate(resource, release, strict=True)


@pytest.mark.parametrize("release", RELEASES)
def test_the_schemas_refuse_what_the_cluster_would(release: str) -> None:
    wrong = {**of_kind("Deployment")[0], "spec": {"replicas": "two"}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, release, strict=True)


def test_every_file_is_listed() -> None:
    (kustomization,) = loaded(FOLDER / "kustomization.yaml")
    files = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert files == set(kustomization["resources"])
    for each in resources():
        if each["kind"] != "Namespace":
            assert each["metadata"]["namespace"] == kustomization["namespace"]


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl here")
def test_kustomize_makes_of_them_what_this_test_reads() -> None:
    command = [shutil.which("kubectl") or "", "kustomize", str(FOLDER)]
    built = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    made = list(YAML(typ="safe", pure=True).load_all(built))
    assert sorted(map(called, made)) == sorted(map(called, resources()))


@each_workload
def test_a_pod_can_do_little(workload: dict[str, Any]) -> None:
    spec = pod(workload)["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 10001
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert container(workload)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container(workload)["resources"].keys() == {"requests", "limits"}


@pytest.mark.parametrize("workload", LASTING, ids=called)
def test_what_runs_for_long_is_probed(workload: dict[str, Any]) -> None:
    probes = container(workload)
    assert {"startupProbe", "livenessProbe"} <= probes.keys()
    for name in ("startupProbe", "livenessProbe"):
        assert probes[name].get("timeoutSeconds", 1) < probes[name]["periodSeconds"]


def test_workers_are_asked_to_consume_and_web_whether_it_is_ready() -> None:
    pinged = {
        each["metadata"]["name"]: container(each)["livenessProbe"]["exec"]["command"]
        for each in LASTING
        if "worker" in container(each)["command"]
    }
    assert set(pinged) == {"poller", "router", "deliverer", "webhooks", "upkeep"}
    for name, command in pinged.items():
        assert command[:3] == ["wif", "ping", name]
    asked = container(BY_NAME["web"])["readinessProbe"]["httpGet"]
    assert asked == {"path": "/readyz", "port": "private"}


@each_workload
def test_what_runs_and_what_probes_it_is_what_the_compose_files_run(
    workload: dict[str, Any],
) -> None:
    """So it is run by tests/deploy/test_compose_commands.py as well."""
    name = workload["metadata"]["name"]
    compose = COMPOSE["migrate" if workload["kind"] == "Job" else name]
    assert container(workload)["command"] == compose.command
    probe = container(workload).get("livenessProbe", {}).get("exec", {}).get("command")
    assert probe is None or probe == compose.health


@each_workload
def test_each_process_gets_the_secrets_that_its_role_needs_and_no_other(
    workload: dict[str, Any],
) -> None:
    given = environment(workload)
    needed = set(ROLES[given["WIF_ROLE"]]) - {"tps_url", "mail_from", "webhook_secrets"}
    files = {Path(v).name for v in given.values() if v.startswith("/run/secrets/wif/")}
    optional = {"hint_secret"} if given["WIF_ROLE"] == "web" else set()
    wanted = {"seal_key" if name == "seal_key_file" else name for name in needed}
    if workload["kind"] == "Job":
        wanted = {"owner_url"}
    assert files - optional == wanted
    volumes = {volume["name"]: volume for volume in pod(workload)["spec"]["volumes"]}
    mounted = {item["path"] for item in volumes["secrets"]["secret"]["items"]}
    assert mounted == files


@each_workload
def test_every_setting_exists_and_every_mount_has_its_volume(workload: dict[str, Any]) -> None:
    known = {f"WIF_{name.upper()}" for name in Settings.model_fields}
    (settings,) = of_kind("ConfigMap")
    for name in (*environment(workload), *settings["data"]):
        assert name in known or name.removesuffix("_FILE") in known
    volumes = {volume["name"] for volume in pod(workload)["spec"]["volumes"]}
    claims = workload["spec"].get("volumeClaimTemplates", ())
    volumes |= {claim["metadata"]["name"] for claim in claims}
    assert {mount["name"] for mount in container(workload)["volumeMounts"]} == volumes


def test_every_queue_is_served_once() -> None:
    words = [word for each in WORKING for word in container(each)["command"]]
    served = [word.removeprefix("--queues=") for word in words if word.startswith("--queues=")]
    assert sorted(queue for each in served for queue in each.split(",")) == sorted(queues.ALL)


def test_there_is_exactly_one_beat_at_any_moment() -> None:
    assert BY_NAME["beat"]["spec"]["replicas"] == 1
    assert BY_NAME["beat"]["spec"]["strategy"] == {"type": "Recreate"}
    scaled = {each["spec"]["scaleTargetRef"]["name"] for each in of_kind("HorizontalPodAutoscaler")}
    assert "beat" not in scaled


def test_workers_are_scaled_by_a_metric_that_there_is() -> None:
    names = {metric.name for metric in METRICS}
    for each in of_kind("HorizontalPodAutoscaler"):
        target = each["spec"]["scaleTargetRef"]
        assert BY_NAME[target["name"]]["kind"] == target["kind"]
        (metric,) = each["spec"]["metrics"]
        assert metric["external"]["metric"]["name"] in names
        assert each["spec"]["minReplicas"] == BY_NAME[target["name"]]["spec"]["replicas"]


def matches(selector: dict[str, Any], workload: dict[str, Any]) -> bool:
    labels: dict[str, str] = pod(workload)["metadata"]["labels"]
    wanted: dict[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= labels.items()


def test_selectors_select_what_they_are_named_after() -> None:
    for each in (*of_kind("PodDisruptionBudget"), *LASTING):
        selected = [one for one in WORKING if matches(each["spec"]["selector"], one)]
        assert [one["metadata"]["name"] for one in selected] == [each["metadata"]["name"]]
    for each in of_kind("Service"):
        selector = {"matchLabels": each["spec"]["selector"]}
        assert [one["metadata"]["name"] for one in WORKING if matches(selector, one)] == ["web"]


def test_a_disruption_never_takes_the_last_of_what_there_are_several_of() -> None:
    several = {each["metadata"]["name"] for each in LASTING if each["spec"]["replicas"] > 1}
    assert {each["metadata"]["name"] for each in of_kind("PodDisruptionBudget")} == several


def test_each_process_reaches_what_it_must_and_nothing_else() -> None:
    policies = {each["metadata"]["name"]: each["spec"] for each in of_kind("NetworkPolicy")}
    assert policies["nothing"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    reached = {
        name.removeprefix("to-"): {
            one["metadata"]["name"] for one in WORKING if matches(spec["podSelector"], one)
        }
        for name, spec in policies.items()
        if name.startswith("to-")
    }
    migrate = next(name for name in BY_NAME if name.startswith("migrate"))
    workers = {"poller", "router", "deliverer", "webhooks", "upkeep"}
    assert reached == {
        "names": {*BY_NAME},
        "database": {*workers, "web", migrate},
        "broker": {*workers, "web", "beat"},
        "tps": {"poller", "router"},
        "mail": {"deliverer", "upkeep"},
        "webhooks": {"webhooks"},
    }


def test_only_the_web_process_is_reached() -> None:
    for each in of_kind("NetworkPolicy"):
        if "ingress" in each["spec"]:
            selected = [one for one in WORKING if matches(each["spec"]["podSelector"], one)]
            assert [one["metadata"]["name"] for one in selected] == ["web"]


def test_the_version_is_the_projects() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.+)"$', project, re.MULTILINE)
    assert version
    assert {container(each)["image"].rpartition(":")[2] for each in WORKING} == {version[1]}
    (job,) = of_kind("Job")
    assert job["metadata"]["name"] == f"migrate-{version[1].replace('.', '-')}"


def test_workers_are_given_the_time_to_finish() -> None:
    for name in ("poller", "router", "deliverer", "webhooks", "upkeep"):
        grace = COMPOSE[name].content["stop_grace_period"].removesuffix("s")
        assert pod(BY_NAME[name])["spec"]["terminationGracePeriodSeconds"] == int(grace)
