"""Every command of docker-compose.yml, run as its container would run it.

There is no container here: paths, ports and the two host names of the compose file are
replaced by those of this machine, everything else is taken from it word for word.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import redis
import requests
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import make_url

from store.engine import Database
from store.schema import is_current
from tests.fixtures.compose_file import (
    ROOT,
    Instruction,
    instructions,
    services,
    worker_services,
)
from tests.fixtures.compose_machine import (
    DEADLINE,
    Machine,
    make_roles,
    make_secrets,
    offer_tools,
)
from tests.fixtures.orphans import OrphanReaper, free_port
from tests.fixtures.postgres import PostgresServer

pytestmark = pytest.mark.xdist_group("compose")

VARIABLES = {"WIF_TPS_URL": "https://127.0.0.1:9", "WIF_MAIL_FROM": "wif@wif.example"}
"""No TPS listens there: polls fail, and a service that runs must bear it."""
SERVICES = services(VARIABLES) | worker_services(VARIABLES)
EVERYTHING = "DEPLOY_CHECK" in os.environ
"""Whether all commands of all files run, the image's build included: `make deploy-check`."""

SPLIT = ("router", "deliverer", "webhooks")
STARTED = ("poller", "worker", *(SPLIT if EVERYTHING else ()), "upkeep", "web", "flower", "beat")


def _server_settings(command: list[str]) -> dict[str, str]:
    """The `-c name=value` of PostgreSQL's command."""
    assert command[0] == "postgres"
    assert command[1::2] == ["-c"] * (len(command) // 2)
    return dict(pair.split("=", 1) for pair in command[2::2])


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Redis and PostgreSQL as the compose file has them, running, and nothing else."""
    folder = tmp_path_factory.mktemp("machine")
    settings = _server_settings(SERVICES["database"].command)
    with ExitStack() as stack:
        database = stack.enter_context(PostgresServer(fsync=False, **settings))
        ports = {"5432": database.port, "6379": free_port(), "5555": free_port()}
        ports |= {port: free_port() for port in ("8080", "8081", "9090")}
        machine = Machine(folder, ports)
        for name in ("state", "redis"):
            (folder / name).mkdir()
        make_secrets(folder / "secrets", ports)
        offer_tools(folder / "bin")
        make_roles(machine, database)
        stack.enter_context(OrphanReaper(folder / "redis" / "pid", folder / "redis"))
        stack.callback(machine.kill_all)
        machine.start(SERVICES["redis"])
        for name in ("redis", "database"):
            machine.wait_until_healthy(SERVICES[name])
        yield machine


@pytest.fixture(scope="module")
def service(machine: Machine) -> Iterator[Machine]:
    """The whole service, up in the order of its dependencies."""
    migrated = machine.run(SERVICES["migrate"], SERVICES["migrate"].command)
    assert migrated.returncode == 0, migrated
    for name in STARTED:
        machine.start(SERVICES[name])
    for name in STARTED:
        machine.wait_until_healthy(SERVICES[name])
    yield machine
    codes = {name: machine.stop(SERVICES[name]) for name in reversed(STARTED)}
    assert codes == dict.fromkeys(codes, 0)


def _secret(machine: Machine, name: str) -> str:
    return (machine.folder / "secrets" / name).read_text(encoding="utf-8")


def test_redis_asks_for_its_password_and_drops_nothing(machine: Machine) -> None:
    port = machine.ports["6379"]
    with (
        redis.Redis(port=port, retry=Retry(NoBackoff(), 0)) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()
    with redis.Redis.from_url(_secret(machine, "broker_url")) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("maxmemory") == {"maxmemory": str(256 * 2**20)}
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert client.config_get("appendfsync") == {"appendfsync": "everysec"}


def test_the_health_check_of_redis_fails_with_another_password(machine: Machine) -> None:
    check = [word.replace("requirepass", "another") for word in SERVICES["redis"].health]
    assert machine.run(SERVICES["redis"], check).returncode != 0


def test_beat_is_not_healthy_without_a_young_pulse(machine: Machine) -> None:
    check = [word.replace("beat.pulse", "other.pulse") for word in SERVICES["beat"].health]
    pulse = machine.folder / "state" / "other.pulse"
    assert machine.run(SERVICES["beat"], check).returncode != 0
    pulse.touch()
    assert machine.run(SERVICES["beat"], check).returncode == 0
    os.utime(pulse, (time.time() - 300, time.time() - 300))
    assert machine.run(SERVICES["beat"], check).returncode != 0


def test_the_database_is_migrated(service: Machine) -> None:
    database = Database(_secret(service, "database_url"))
    assert is_current(database)
    database.close()


def test_beat_reaches_workers_through_redis(service: Machine) -> None:
    """A tick of beat made a worker register the procedures, and polls were tried."""
    url = _secret(service, "database_url").replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:

        def polled() -> bool:
            found = connection.execute("SELECT count(*) FROM procedures WHERE failures > 0")
            row = found.fetchone()
            return row is not None and row[0] > 0

        _wait_for(polled, lambda: service.log("upkeep") + service.log("poller"))


def test_a_worker_that_lives_and_takes_nothing_is_not_healthy(service: Machine) -> None:
    """Its process and its connection live on."""
    worker = SERVICES["upkeep"]
    check = [word.replace("--within=50", "--within=1") for word in worker.health]
    process = service.running["upkeep"]
    process.send_signal(signal.SIGSTOP)
    try:
        deaf = service.run(worker, check)
    finally:
        process.send_signal(signal.SIGCONT)
    assert deaf.returncode == 1
    assert "took no message within 1 s" in deaf.stderr
    service.wait_until_healthy(worker)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_lines SET unit = 'UD093'",
        "DELETE FROM audit_lines",
        "TRUNCATE audit_seals",
        "DELETE FROM rule_set_activations",
        "UPDATE rule_sets SET document = ''",
        "DROP TABLE dossiers",
        "ALTER TABLE audit_lines DISABLE TRIGGER ALL",
        "CREATE TABLE mine (id int)",
        "CREATE ROLE another",
        "COPY dossiers TO PROGRAM 'true'",
    ],
)
def test_the_service_owns_nothing_and_is_no_superuser(service: Machine, statement: str) -> None:
    url = _secret(service, "database_url").replace("+psycopg", "")
    with (
        psycopg.connect(url, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


def test_the_service_can_seal_with_its_own_role(service: Machine) -> None:
    tools = SERVICES["wif"]
    sealed = service.run(tools, ["wif", "audit", "seal"])
    assert sealed.returncode == 0, sealed
    assert "sealed under 1 seal" in sealed.stdout
    assert service.run(tools, ["wif", "audit", "verify"]).returncode == 0


def _wait_for(condition: Callable[[], bool], log: Callable[[], str]) -> None:
    until = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(log())
        time.sleep(0.1)


def test_flower_asks_for_its_login(service: Machine) -> None:
    address = f"http://127.0.0.1:{service.ports['5555']}/workers"
    assert requests.get(address, timeout=10).status_code == 401
    user, _, password = _secret(service, "flower.py").split('"')[1].partition(":")
    assert requests.get(address, auth=(user, password), timeout=10).status_code == 200


def test_every_service_of_ours_was_started() -> None:
    ours = {service.name for service in SERVICES.values() if service.ours}
    assert ours == {*STARTED, *SPLIT, "migrate", "wif"}


@pytest.mark.skipif(not EVERYTHING, reason="part of make deploy-check")
@pytest.mark.skipif(shutil.which("prometheus") is None, reason="apt-get install prometheus")
def test_prometheus_reads_the_metrics_of_the_web_process(service: Machine) -> None:
    folder = service.folder / "prometheus"
    folder.mkdir()
    config = (ROOT / "deploy" / "compose" / "prometheus.yml").read_text(encoding="utf-8")
    config = config.replace("web:", "127.0.0.1:").replace("30s", "1s").replace("10s", "1s")
    (folder / "prometheus.yml").write_text(service.here(config), encoding="utf-8")
    shutil.copy(ROOT / "deploy" / "prometheus" / "alerts.yml", folder)
    prometheus = SERVICES["prometheus"]
    program, *words = ("prometheus", *prometheus.command)
    service.start(replace(prometheus, content={**prometheus.content, "command": [program, *words]}))
    try:
        service.wait_until_healthy(prometheus)
        address = f"http://127.0.0.1:{service.ports['9090']}/api/v1/query"

        def scraped() -> bool:
            answer = requests.get(address, params={"query": "wif_database_up"}, timeout=10)
            found = answer.json()["data"]["result"]
            return bool(found) and found[0]["value"][1] == "1"

        _wait_for(scraped, lambda: service.log("prometheus"))
    finally:
        service.stop(prometheus)


def test_the_tools_service_runs_commands(service: Machine) -> None:
    tools = SERVICES["wif"]
    done = service.run(tools, tools.command)
    assert "Traceback" not in done.stdout + done.stderr
    status = service.run(tools, [*tools.content["entrypoint"], "status"])
    assert status.returncode == 0, status


@pytest.mark.parametrize("command", ["dossiers list", "deliveries list", "rules history"])
def test_what_is_looked_at_in_a_container_that_runs(service: Machine, command: str) -> None:
    """The administrator's guide types these by `docker compose exec worker`."""
    looked = service.run(SERVICES["worker"], ["wif", *command.split()])
    assert looked.returncode == 0, looked


def test_the_image_shows_its_commands(machine: Machine) -> None:
    (command,) = [line.text for line in instructions() if line.name == "CMD"]
    words = [word.strip('"') for word in command.strip("[]").split(", ")]
    shown = machine.run(SERVICES["wif"], words)
    assert shown.returncode == 0
    assert "db" in shown.stdout


def test_no_secret_is_printed(service: Machine) -> None:
    printed = "".join(service.log(name) for name in service.running)
    for name in ("tps_token", "database_password", "owner_password", "audit_key"):
        assert _secret(service, name).strip() not in printed
    for name in ("broker_url", "database_url"):
        assert str(make_url(_secret(service, name)).password) not in printed


@pytest.mark.skipif(not EVERYTHING, reason="reads the package index: make deploy-check")
def test_the_image_builds_and_stands_alone(tmp_path: Path) -> None:
    """The build stage's commands make a service that needs nothing of the checkout."""
    build, installed = tmp_path / "build", tmp_path / "wif"
    build.mkdir()
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "python"], check=True)
    path = f"{tmp_path / 'python' / 'bin'}:/usr/bin:/bin"
    for line in _build_stage():
        if line.name == "COPY":
            _copy(line.text.split()[:-1], build)
        elif line.name == "RUN":
            command = line.text.replace("/opt/wif", str(installed))
            environment = {**os.environ, "PATH": path}
            subprocess.run(["/bin/sh", "-euc", command], cwd=build, env=environment, check=True)
    shutil.rmtree(build)
    for program, *words in (
        ("celery", "-A", "tasks", "report"),
        ("wif", "db", "upgrade"),
        (
            "python",
            "-c",
            "from config import ruleset as r, settings as s; r.read_directory(s.HERE)",
        ),
    ):
        done = subprocess.run(
            [installed / "bin" / program, *words],
            cwd=tmp_path,
            env={"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done


def _build_stage() -> Iterator[Instruction]:
    stages = 0
    for line in instructions():
        stages += line.name == "FROM"
        if stages == 1:
            yield line


def _copy(sources: list[str], folder: Path) -> None:
    for source in sources:
        if (ROOT / source).is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / source, folder / source, ignore=ignore)
        else:
            (folder / source).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, folder / source)
